"""Prompts and seeds that the search has not seen, on which a winner is confirmed."""

from dataclasses import replace
from itertools import cycle, islice

from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.prompts import read_up_to

SEEDS_APART = 1 << 20
"""How far the first fresh image's seed is from the search's: more than any number of prompts."""


class FreshPrompts:
    """The prompts after the search's own, `size` at a time, each with its images' seeds.

    A source that has too few goes on with the prompts seen before, from the first on: their images are new, since
    their seeds are.
    """

    def __init__(self, loaded: LoadedTask, size: int, most: int) -> None:
        self._loaded = loaded
        self.size = size
        used = len(loaded.workload.prompts)
        found = read_up_to(loaded.assignment.config.prompts, used + most)
        self.fresh = found[used:]
        self._texts = [*self.fresh, *islice(cycle(found), max(0, most - len(self.fresh)))]
        self._portions: dict[int, LoadedTask] = {}
        self.seed = loaded.assignment.config.worker.seed + SEEDS_APART

    def repeated(self, prompts: int) -> int:
        """Return how many of the first `prompts` have been seen before."""
        return max(0, prompts - len(self.fresh))

    def portion(self, number: int) -> LoadedTask:
        """Return the task with the prompts of portion `number` in place of its own."""
        if number not in self._portions:
            first = number * self.size
            config = self._loaded.assignment.config
            worker = config.worker.model_copy(update={"seed": self.seed + first})
            assignment = replace(self._loaded.assignment, config=config.model_copy(update={"worker": worker}))
            texts = self._texts[first : first + self.size]
            self._portions[number] = replace(self._loaded, assignment=assignment).reworded(texts)
        return self._portions[number]
