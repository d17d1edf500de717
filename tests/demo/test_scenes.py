import torch

from accsearch.demo.rendering import Renderer
from accsearch.demo.scenes import (
    ALL_PAIRS,
    COLOURS,
    HELD_OUT_PAIRS,
    IMAGE_SIZE,
    MAX_LENGTH,
    SHAPES,
    TRAINING_PAIRS,
    Column,
    SceneSpace,
    caption,
    words,
)
from accsearch.demo.vocabulary import build_tokenizer

CPU = torch.device("cpu")
TOKENIZER = build_tokenizer(words(), MAX_LENGTH)


def draw_scenes(count: int = 2000, pairs: tuple[int, ...] = TRAINING_PAIRS, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    space = SceneSpace(pairs, TOKENIZER, CPU)
    scenes = space.sample(count)
    return torch.cat([scenes, space.mutate(scenes)])


def test_every_word_of_a_caption_is_one_token_and_other_text_still_has_tokens() -> None:
    for word in words():
        assert TOKENIZER.tokenize(word) == [f"{word}</w>"]
    assert TOKENIZER.decode(TOKENIZER("Zebra, café!").input_ids, skip_special_tokens=True) == "zebra , café !"


def test_the_device_s_tokens_are_the_tokenizer_s() -> None:
    scenes = draw_scenes()
    space = SceneSpace(TRAINING_PAIRS, TOKENIZER, CPU)

    expected = TOKENIZER(
        [caption(scene) for scene in scenes.tolist()],
        padding="max_length",
        max_length=MAX_LENGTH,
        return_tensors="pt",
    ).input_ids

    assert torch.equal(space.tokens(scenes), expected)
    assert space.empty_tokens.tolist() == TOKENIZER("", padding="max_length", max_length=MAX_LENGTH).input_ids


def test_held_out_pairs_never_occur_in_training_scenes_and_every_shape_and_colour_does() -> None:
    scenes = draw_scenes(20_000)
    used = set(scenes[:, Column.PAIR].tolist())
    used |= set(scenes[scenes[:, Column.TWO] == 1][:, Column.PAIR_2].tolist())

    assert used == set(TRAINING_PAIRS)
    assert set(TRAINING_PAIRS).isdisjoint(HELD_OUT_PAIRS)
    assert set(TRAINING_PAIRS).union(HELD_OUT_PAIRS) == set(ALL_PAIRS)
    assert {pair // len(COLOURS) for pair in TRAINING_PAIRS} == set(range(len(SHAPES)))
    assert {pair % len(COLOURS) for pair in TRAINING_PAIRS} == set(range(len(COLOURS)))


def test_the_two_objects_of_a_scene_differ() -> None:
    scenes = draw_scenes()
    two = scenes[scenes[:, Column.TWO] == 1]

    assert len(two) > 1000
    assert (two[:, Column.PAIR] != two[:, Column.PAIR_2]).all()


def test_captions_of_one_picture_share_a_meaning_and_near_misses_do_not() -> None:
    space = SceneSpace(ALL_PAIRS, TOKENIZER, CPU)
    left, right = [1, 3, 0, 20, 1, 0, 2], [1, 20, 1, 3, 0, 1, 2]
    assert (
        caption(left) == "a large yellow circle to the left of a small orange triangle on a gray background"
    )
    assert (
        caption(right) == "a small orange triangle to the right of a large yellow circle on a gray background"
    )
    assert len(space.meanings(torch.tensor([left, right])).unique()) == 1

    scenes = draw_scenes()
    first, changed = scenes.chunk(2)
    meanings = space.meanings(first)

    # A fresh shape and colour can be the old one; nothing else can stay as it was.
    assert (meanings == space.meanings(changed)).float().mean() < 0.03
    rows = first.unique(dim=0)
    captions = {caption(row) for row in rows.tolist()}
    assert len(captions) == len(rows) >= len(space.meanings(rows).unique())


def test_a_seed_decides_the_scenes_and_their_pixels() -> None:
    def picture(seed: int) -> torch.Tensor:
        return Renderer(CPU).render(draw_scenes(8, seed=seed))

    image = picture(1)

    assert image.shape == (16, 3, IMAGE_SIZE, IMAGE_SIZE)
    assert torch.equal(image, picture(1)) and not torch.equal(image, picture(2))
    assert image.min() >= -1 and image.max() <= 1


def test_a_relation_puts_the_objects_where_it_says() -> None:
    red_circle, blue_square = 0, 1 * len(COLOURS) + 2
    rows = [[1, red_circle, 0, blue_square, 0, place, 0] for place in range(4)]
    images = Renderer(CPU).render(torch.tensor(rows))
    redness = (images[:, 0] - images[:, 2] > 0.5).float()

    half = IMAGE_SIZE // 2
    share = [
        redness[0, :, :half].sum() / redness[0].sum(),
        redness[1, :, half:].sum() / redness[1].sum(),
        redness[2, :half].sum() / redness[2].sum(),
        redness[3, half:].sum() / redness[3].sum(),
    ]

    assert min(share) > 0.95
