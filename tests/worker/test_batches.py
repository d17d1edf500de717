"""A batch of the workload as a timed run."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.worker.runs import Run

from accsearch.worker.arguments import parse
from accsearch.worker.assignment import assignment_of
from accsearch.worker.batches import generate_batch, scores_of
from accsearch.worker.images import InvalidImages
from accsearch.worker.loaded_task import open_task


def test_batches_give_the_images_scores_and_numbers_of_their_prompts(
    tmp_path: Path, tiny_paths: dict[str, Path]
) -> None:
    def draw(latents: torch.Tensor, **_: Any) -> torch.Tensor:
        return latents[:, :3].repeat_interleave(2, 2).sigmoid()

    def nothing(latents: torch.Tensor, **_: Any) -> torch.Tensor:
        return torch.zeros(len(latents), 3, 8, 8)

    with open_task(assignment_of(parse(Run(tmp_path, tiny_paths).arguments()))) as loaded:
        first, last = (generate_batch(loaded, draw, number, 2) for number in range(2))
        alone = generate_batch(loaded, draw, 2, 1)
        scores, again = scores_of(loaded, last), scores_of(loaded, alone)

        with pytest.raises(InvalidImages, match="black for prompt 2"):
            generate_batch(loaded, nothing, 1, 2)

    assert (first.prompts, last.prompts) == ((0, 1), (2,))
    assert first.seconds > 0
    assert last.images.same_as(alone.images)
    assert scores == again
    assert len(scores) == 1
