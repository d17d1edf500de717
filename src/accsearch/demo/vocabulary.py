"""A CLIP tokenizer of a small vocabulary of one's own, built without any download."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from accsearch.demo.operators import register_torchvision_operators

START, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"


def build_tokenizer(words: Iterable[str], max_length: int) -> Any:
    """Return a `CLIPTokenizer` in which each of `words` is one token and any other text is spelt in bytes."""
    register_torchvision_operators()
    from transformers import CLIPTokenizer

    merges = _merges(sorted(set(words)))
    symbols = _byte_symbols()
    tokens = [*symbols, *(symbol + WORD_END for symbol in symbols), *(left + right for left, right in merges)]
    # The end token has the highest id, because open_clip pools the text at the largest id of a row.
    vocabulary = {token: index for index, token in enumerate([*dict.fromkeys(tokens), START, END])}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=max_length)


def _merges(words: list[str]) -> list[tuple[str, str]]:
    """Learn byte-pair merges, most frequent pair first, until every word is one token."""
    pieces = [[*word[:-1], word[-1] + WORD_END] for word in words]
    merges: list[tuple[str, str]] = []
    while any(len(piece) > 1 for piece in pieces):
        pairs = Counter(pair for piece in pieces for pair in pairwise(piece))
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        pieces = [_join(piece, best) for piece in pieces]
    return merges


def _join(piece: list[str], pair: tuple[str, str]) -> list[str]:
    joined: list[str] = []
    for symbol in piece:
        if joined and (joined[-1], symbol) == pair:
            joined[-1] += symbol
        else:
            joined.append(symbol)
    return joined


def _byte_symbols() -> list[str]:
    """List the printable stand-ins of the 256 bytes that byte-level BPE works on."""
    from tokenizers.pre_tokenizers import ByteLevel

    return sorted(ByteLevel.alphabet())
