"""What shows that a trial's images are none."""

from pathlib import Path

import pytest
import torch

from accsearch.worker.images import InvalidImages, collect


def noise(count: int = 4) -> torch.Tensor:
    return torch.rand((count, 3, 8, 8), generator=torch.Generator().manual_seed(0))


def test_batches_are_joined_in_order() -> None:
    values = noise()

    images = collect([values[:3], values[3:]], 4)

    assert torch.equal(images.pixels, (values * 255).round().to(torch.uint8))


@pytest.mark.parametrize(
    ("value", "word"), [(0.0, "black"), (0.5, "constant"), (float("nan"), "NaN"), (float("inf"), "NaN")]
)
def test_bad_images_are_named_by_their_prompt(value: float, word: str) -> None:
    values = noise()
    values[1] = value
    values[3] = value

    with pytest.raises(InvalidImages, match=rf"^images are {word} for prompt 1, 3$"):
        collect([values], 4)


def test_an_image_of_one_colour_is_constant() -> None:
    values = noise()
    values[1] = torch.tensor([1.0, 0.0, 0.2]).reshape(3, 1, 1)

    with pytest.raises(InvalidImages, match=r"^images are constant for prompt 1$"):
        collect([values], 4)


def test_a_channel_without_detail_is_no_fault() -> None:
    values = noise()
    values[1, 0] = 0.5

    collect([values], 4)


def test_one_bad_pixel_that_is_no_number_is_enough() -> None:
    values = noise()
    values[2, 0, 0, 0] = float("nan")

    with pytest.raises(InvalidImages, match="NaN for prompt 2"):
        collect([values], 4)


def test_missing_images_are_counted() -> None:
    with pytest.raises(InvalidImages, match="3 images for 4 prompts"):
        collect([noise(3)], 4)


def test_the_hash_changes_with_a_pixel() -> None:
    values = noise()
    changed = values.clone()
    changed[0, 0, 0, 0] = 1 - changed[0, 0, 0, 0]

    assert collect([values], 4).sha256 == collect([values], 4).sha256
    assert collect([values], 4).sha256 != collect([changed], 4).sha256


def test_images_are_saved_by_number(tmp_path: Path) -> None:
    from PIL import Image

    images = collect([noise()], 4)

    images.save(tmp_path / "trial")

    assert sorted(path.name for path in (tmp_path / "trial").iterdir()) == [f"{n:04}.png" for n in range(4)]
    with Image.open(tmp_path / "trial" / "0002.png") as image:
        assert image.getpixel((1, 0)) == tuple(images.pixels[2, :, 0, 1].tolist())
