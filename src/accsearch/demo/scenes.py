"""The grammar of the demo's scenes: what they hold, how they are drawn at random, captioned and tokenised.

A scene is a row of integers (see `Column`). Everything works on tensors of many rows on one device, without
a synchronisation, so that a whole training step can be captured as one CUDA graph.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import torch
from torch import Tensor

SHAPES = ("circle", "square", "triangle", "star", "cross", "ring")
COLOURS = ("red", "green", "blue", "yellow", "orange", "purple", "cyan", "magenta")
SIZES = ("large", "small")
PLACES = ("in the center", "on the left", "on the right", "at the top", "at the bottom")
RELATIONS = ("to the left of", "to the right of", "above", "below")
BACKGROUNDS = ("black", "white", "gray", "brown", "navy", "pink", "tan", "teal")
ONE_OBJECT = "a {0} {1} {2} %s on a {6} background"
TWO_OBJECTS = "a {0} {1} {2} %s a {3} {4} {5} on a {6} background"

IMAGE_SIZE = 64
MAX_LENGTH = 24
TWO_OBJECT_SHARE = 0.6

# A pair is shape * len(COLOURS) + colour. One shape of each colour is never trained on.
ALL_PAIRS = tuple(range(len(SHAPES) * len(COLOURS)))
HELD_OUT_PAIRS = tuple((colour % len(SHAPES)) * len(COLOURS) + colour for colour in range(len(COLOURS)))
TRAINING_PAIRS = tuple(pair for pair in ALL_PAIRS if pair not in HELD_OUT_PAIRS)


class Column(IntEnum):
    """The columns of a scene's row; the second object's are 0 in a scene of one."""

    TWO = 0
    PAIR = 1
    SIZE = 2
    PAIR_2 = 3
    SIZE_2 = 4
    PLACE = 5  # of PLACES for one object, of RELATIONS for two
    BACKGROUND = 6


def words() -> tuple[str, ...]:
    """List every word that a caption can hold."""
    fixed = " ".join((ONE_OBJECT, TWO_OBJECTS, *PLACES, *RELATIONS)).split()
    plain = {word for word in fixed if word.isalpha()}
    return tuple(sorted(plain.union(SHAPES, COLOURS, SIZES, BACKGROUNDS)))


def caption(scene: Sequence[int]) -> str:
    """Write the caption of one scene."""
    phrase = _phrases()[_template_of(scene)]
    fields = [
        SIZES[scene[Column.SIZE]],
        COLOURS[scene[Column.PAIR] % len(COLOURS)],
        SHAPES[scene[Column.PAIR] // len(COLOURS)],
        SIZES[scene[Column.SIZE_2]],
        COLOURS[scene[Column.PAIR_2] % len(COLOURS)],
        SHAPES[scene[Column.PAIR_2] // len(COLOURS)],
        BACKGROUNDS[scene[Column.BACKGROUND]],
    ]
    return phrase.format(*fields)


def _template_of(scene: Sequence[int]) -> int:
    return scene[Column.PLACE] + len(PLACES) * scene[Column.TWO]


def _phrases() -> tuple[str, ...]:
    return (*(ONE_OBJECT % place for place in PLACES), *(TWO_OBJECTS % relation for relation in RELATIONS))


class SceneSpace:
    """The scenes whose objects are all out of `pairs`, with every constant already on the device."""

    def __init__(self, pairs: Sequence[int], tokenizer: Any, device: torch.device) -> None:
        self.device = device
        self.pairs = torch.tensor(pairs, device=device)
        self._places = torch.tensor([len(PLACES), len(RELATIONS)], device=device)
        self._one_columns = torch.tensor(
            [Column.PAIR, Column.SIZE, Column.PLACE, Column.BACKGROUND], device=device
        )
        self._radix = torch.tensor([2, 64, 2, 64, 2, 8, 8], device=device).cumprod(0) // 2
        self._order = torch.arange(len(Column), device=device)
        self._exchange = torch.tensor([0, 3, 4, 1, 2, 5, 6], device=device)
        self._make_token_tables(tokenizer)

    def sample(self, count: int, two: bool | None = None) -> Tensor:
        """Draw scenes (count, 7) from the device's default generator; `two` fixes the number of objects."""
        share = TWO_OBJECT_SHARE if two is None else float(two)
        is_two = (torch.rand(count, device=self.device) < share).long()
        first = self._integers(count, len(self.pairs))
        second = (first + 1 + self._integers(count, len(self.pairs) - 1)) % len(self.pairs)
        place = (torch.rand(count, device=self.device) * self._places[is_two]).long()
        columns = [
            is_two,
            self.pairs[first],
            self._integers(count, len(SIZES)),
            self.pairs[second] * is_two,
            self._integers(count, len(SIZES)) * is_two,
            place,
            self._integers(count, len(BACKGROUNDS)),
        ]
        return torch.stack(columns, dim=1)

    def mutate(self, scenes: Tensor) -> Tensor:
        """Change one attribute of each scene, or exchange its two objects: the nearest wrong captions."""
        count = len(scenes)
        is_two = scenes[:, Column.TWO]
        places = self._places[is_two]
        step = 1 + (torch.rand(count, device=self.device) * (places - 1)).long()
        other = scenes.clone()
        for mine, others in ((Column.PAIR, Column.PAIR_2), (Column.PAIR_2, Column.PAIR)):
            fresh = self.pairs[self._integers(count, len(self.pairs))]
            taken = (fresh == scenes[:, others]) & (is_two == 1)
            other[:, mine] = torch.where(taken, scenes[:, mine], fresh)
        other[:, Column.SIZE] = 1 - scenes[:, Column.SIZE]
        other[:, Column.SIZE_2] = 1 - scenes[:, Column.SIZE_2]
        other[:, Column.PLACE] = (scenes[:, Column.PLACE] + step) % places
        background = 1 + self._integers(count, len(BACKGROUNDS) - 1)
        other[:, Column.BACKGROUND] = (scenes[:, Column.BACKGROUND] + background) % len(BACKGROUNDS)
        column = torch.where(
            is_two == 1, 1 + self._integers(count, 7), self._one_columns[self._integers(count, 4)]
        )
        mutated = torch.where(self._order == column[:, None], other, scenes)
        exchanged = scenes[:, self._exchange]
        return torch.where((column == len(Column))[:, None], exchanged, mutated)

    def meanings(self, scenes: Tensor) -> Tensor:
        """Number the scenes so that two captions of one picture ("a above b", "b below a") agree."""
        place = scenes[:, Column.PLACE]
        mirrored = (scenes[:, Column.TWO] == 1) & (place % 2 == 1)
        turned = scenes[:, self._exchange] - (self._order == Column.PLACE).long()
        return (torch.where(mirrored[:, None], turned, scenes) * self._radix).sum(dim=1)

    def tokens(self, scenes: Tensor) -> Tensor:
        """Return the token ids (count, MAX_LENGTH) that the tokenizer gives the scenes' captions."""
        template = self._templates[scenes[:, Column.PLACE] + len(PLACES) * scenes[:, Column.TWO]]
        values = torch.stack(
            [
                self._sizes[scenes[:, Column.SIZE]],
                self._colours[scenes[:, Column.PAIR] % len(COLOURS)],
                self._shapes[scenes[:, Column.PAIR] // len(COLOURS)],
                self._sizes[scenes[:, Column.SIZE_2]],
                self._colours[scenes[:, Column.PAIR_2] % len(COLOURS)],
                self._shapes[scenes[:, Column.PAIR_2] // len(COLOURS)],
                self._backgrounds[scenes[:, Column.BACKGROUND]],
            ],
            dim=1,
        )
        return torch.where(template < 0, values.gather(1, (-1 - template).clamp(min=0)), template)

    def _integers(self, count: int, end: int) -> Tensor:
        return torch.randint(end, (count,), device=self.device)

    def _make_token_tables(self, tokenizer: Any) -> None:
        def ids(names: Sequence[str]) -> Tensor:
            return torch.tensor([tokenizer.convert_tokens_to_ids(f"{name}</w>") for name in names])

        rows = []
        for phrase in _phrases():
            row = [tokenizer.bos_token_id]
            for word in phrase.split():
                # A field {k} of the template is kept as -1 - k until the scene fills it.
                row.append(-1 - int(word[1:-1]) if word.startswith("{") else int(ids([word])[0]))
            rows.append(row + [tokenizer.eos_token_id] * (MAX_LENGTH - len(row)))
        self._templates = torch.tensor(rows, device=self.device)
        self._sizes, self._colours, self._shapes, self._backgrounds = (
            ids(names).to(self.device) for names in (SIZES, COLOURS, SHAPES, BACKGROUNDS)
        )
        empty = [tokenizer.bos_token_id] + [tokenizer.eos_token_id] * (MAX_LENGTH - 1)
        self.empty_tokens = torch.tensor(empty, device=self.device)
