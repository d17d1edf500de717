"""How much of a prompt the text encoders and the scorer read."""

from pathlib import Path
from typing import Any

from accsearch.config.schema import QualityConfig
from accsearch.demo.vocabulary import build_tokenizer
from accsearch.worker.machine import choose_machine
from accsearch.worker.quality.scorer import load_scorer
from accsearch.worker.text_window import cut_off, read_of, text_windows

SHORT = "a red cat"
LONG = "a red cat on the tree and " * 8
WORDS = ("a", "red", "cat", "on", "the", "tree", "and")


class _Tokens:
    """A tokenizer of another kind than CLIP's, as T5's is: a token a word, and a length nobody set."""

    model_max_length = int(1e30)

    def __call__(self, prompt: str, truncation: bool, max_length: int | None = None) -> dict[str, list[int]]:
        words = [len(word) for word in prompt.split()]
        return {"input_ids": words[:max_length] if truncation else words}


class _Flux:
    """A pipeline with a CLIP encoder of 10 tokens and another that reads as many as the call asks for."""

    tokenizer = build_tokenizer(WORDS, 10)
    tokenizer_2 = _Tokens()

    def __call__(self, prompt: str, max_sequence_length: int = 40) -> None: ...


def test_the_windows_of_real_pipelines_are_their_tokenizers(tiny_pipelines: dict[str, Any]) -> None:
    assert [each.tokens for each in text_windows(tiny_pipelines["sd"])] == [32]
    assert [each.tokens for each in text_windows(tiny_pipelines["sdxl"])] == [32, 32]


def test_prompts_beyond_the_window_are_counted(
    tiny_pipelines: dict[str, Any], tiny_paths: dict[str, Path]
) -> None:
    scorer = load_scorer(
        QualityConfig(model=f"local-dir:{tiny_paths['scorer']}"), choose_machine("cpu", "float32")
    )

    # The scorer of the same length cuts the same prompts, which is said once.
    assert cut_off(tiny_pipelines["sd"], scorer, [SHORT, LONG, LONG]) == (
        "2 of 3 prompts are longer than the 32 tokens that the text encoder reads: the rest is cut off",
    )
    assert cut_off(tiny_pipelines["sd"], scorer, [SHORT]) == ()
    assert scorer.cut_off([SHORT, LONG]) == [LONG]  # type: ignore[attr-defined]


def test_what_one_encoder_reads_is_not_cut_off_but_may_not_be_scored(tiny_paths: dict[str, Path]) -> None:
    scorer = load_scorer(
        QualityConfig(model=f"local-dir:{tiny_paths['scorer']}"), choose_machine("cpu", "float32")
    )
    between = "a red cat on the tree and " * 5

    assert [each.tokens for each in text_windows(_Flux())] == [10, 40]
    assert cut_off(_Flux(), scorer, [SHORT, between]) == (
        "1 of 2 prompts are longer than the 32 tokens that the scorer reads: the rest is not scored",
    )
    assert cut_off(_Flux(), scorer, [SHORT, LONG])[0].startswith(
        "1 of 2 prompts are longer than the 40 tokens"
    )


def test_two_prompts_are_distinguished_by_what_is_read(tiny_pipelines: dict[str, Any]) -> None:
    windows = text_windows(tiny_pipelines["sd"])

    assert read_of(windows, LONG) == read_of(windows, LONG + " more")
    assert read_of(windows, SHORT) != read_of(windows, SHORT + " more")
    assert text_windows(object()) == []
