"""How many tokens of a prompt the text encoders and the scorer read; the rest is cut off."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from accsearch.worker.quality.scorer import ClipScorer, Scorer

NOTHING: Mapping[str, int] = MappingProxyType({})
_NAMES = ("tokenizer", "tokenizer_2", "tokenizer_3")
_UNLIMITED = 1 << 20
"""A tokenizer that was saved without a length says a larger one."""


@dataclass(frozen=True)
class Window:
    """A tokenizer of a pipeline and the most tokens of a prompt that its encoder gets, special ones included."""

    tokenizer: Any
    tokens: int


def text_windows(pipeline: Any, call: Mapping[str, int] = NOTHING) -> list[Window]:
    """Return the windows of the text encoders of a pipeline that is called with `call`; none where they are unknown."""
    parameters = inspect.signature(type(pipeline).__call__).parameters
    default = parameters["max_sequence_length"].default if "max_sequence_length" in parameters else None
    asked = call.get("max_sequence_length", default)
    windows = []
    for name in _NAMES:
        tokenizer = getattr(pipeline, name, None)
        own = getattr(tokenizer, "model_max_length", None)
        if not isinstance(own, int):
            continue
        # The CLIP encoders of a pipeline keep their own length; `max_sequence_length` is that of its T5.
        is_clip = "CLIP" in type(tokenizer).__name__
        tokens = asked if isinstance(asked, int) and not is_clip else own
        if tokens < _UNLIMITED:
            windows.append(Window(tokenizer, tokens))
    return windows


def read_of(windows: Sequence[Window], prompt: str) -> tuple[tuple[int, ...], ...]:
    """Return the tokens of a prompt that each encoder gets."""
    return tuple(
        tuple(window.tokenizer(prompt, max_length=window.tokens, truncation=True)["input_ids"])
        for window in windows
    )


def cut_off(
    pipeline: Any, scorer: Scorer, prompts: Sequence[str], call: Mapping[str, int] = NOTHING
) -> tuple[str, ...]:
    """Return a line on the prompts whose end no text encoder reads, and one on those whose end is not scored."""
    notes = []
    total = len(prompts)
    windows = text_windows(pipeline, call)
    cut = {prompt for prompt in prompts if windows and all(_is_longer(each, prompt) for each in windows)}
    if count := sum(prompt in cut for prompt in prompts):
        most = max(window.tokens for window in windows)
        notes.append(
            f"{count} of {total} prompts are longer than the {most} tokens that the text encoder reads: "
            "the rest is cut off"
        )
    if isinstance(scorer, ClipScorer):
        unread = [prompt for prompt in scorer.cut_off(prompts) if prompt not in cut]
        if unread:
            notes.append(
                f"{len(unread)} of {total} prompts are longer than the {scorer.tokens} tokens that the scorer "
                "reads: the rest is not scored"
            )
    return tuple(notes)


def _is_longer(window: Window, prompt: str) -> bool:
    return len(window.tokenizer(prompt, truncation=False)["input_ids"]) > window.tokens
