"""The changeable state of all values: writing, snapshots, and the join of two states."""

from collections.abc import Mapping
from typing import Any

from accsearch.codeeval.fields import Fields, agreement
from accsearch.codeeval.interpreter import lineage
from accsearch.codeeval.interpreter.scope import Scope
from accsearch.codeeval.knowledge import LISTED
from accsearch.codeeval.library_objects import Compiled, Component
from accsearch.codeeval.values import Constant, Instance, Method, Native, State, Symbol, Tuple, Unknown, Value

States = dict[int, State]
"""Copies of the states of some values, by their identity."""


class Undecided:
    """Stands for the parameters of a method of which it is unknown whether it is active."""


UNDECIDED = Undecided()


class Speculation:
    """A stretch of the program that may be taken back: the states that its values had before it."""

    def __init__(self) -> None:
        self.mark = Value().serial
        self.originals: States = {}


class Heap:
    """Writes all state, so that two ways through a part of the program can be tried, compared and joined."""

    def __init__(self) -> None:
        self._values: dict[int, Value] = {}
        self._trials: list[Speculation] = []

    def write(self, target: Value, key: Any, content: Any) -> None:
        """Set one entry of the state of `target`."""
        self._touch(target)
        target.state[key] = content

    def delete(self, target: Value, key: Any) -> None:
        """Remove one entry of the state of `target`, if it is there."""
        self._touch(target)
        target.state.pop(key, None)

    def _touch(self, target: Value) -> None:
        for trial in self._trials:
            if id(target) not in trial.originals:
                # Holding the value also keeps its identity from being given to another.
                self._values[id(target)] = target
                trial.originals[id(target)] = dict(target.state)

    def begin(self) -> Speculation:
        """Start a trial."""
        trial = Speculation()
        self._trials.append(trial)
        return trial

    def end(self, trial: Speculation) -> None:
        """End a trial, keeping what it has changed."""
        self._trials.remove(trial)

    def capture(self, trial: Speculation) -> States:
        """Return the states of all that the trial has changed so far."""
        return {key: dict(self._values[key].state) for key in trial.originals}

    def set(self, trial: Speculation, states: States) -> None:
        """Set everything that the trial has changed to `states`, and what they lack to how it was before."""
        for key, original in trial.originals.items():
            value = self._values[key]
            self._touch(value)
            value.state.clear()
            value.state.update(states.get(key, original))

    def equal(self, trial: Speculation, first: States, second: States) -> bool:
        """Tell whether two outcomes of a trial are the same for all that existed before it."""
        for key, original in trial.originals.items():
            value = self._values[key]
            if value.serial < trial.mark:
                one, other = first.get(key, original), second.get(key, original)
                if isinstance(value, Unknown):
                    # That an attribute of something unknown was read there changes nothing.
                    one, other = _without_reads(one), _without_reads(other)
                if not same(one, other):
                    return False
        return True

    def join(self, trial: Speculation, first: States, second: States, values: tuple[Value, Value]) -> Value:
        """Set the state to what two outcomes of a trial have in common; return the join of `values`."""
        joiner = _Joiner(self, trial, first, second)
        joined: States = {}
        for key, original in list(trial.originals.items()):
            one, other = first.get(key, original), second.get(key, original)
            made_in_one = self._values[key].serial >= trial.mark and not (one and other)
            joined[key] = (one or other) if made_in_one else joiner.state(self._values[key], one, other)
        value = joiner.value(*values)
        self.set(trial, {**self.capture(trial), **joined})
        return value


def _without_reads(state: State) -> State:
    return {
        key: content for key, content in state.items() if not isinstance(content, Unknown) or content.state
    }


class _Joiner:
    def __init__(self, heap: Heap, trial: Speculation, first: States, second: States) -> None:
        self._heap = heap
        self._trial = trial
        self._first = first
        self._second = second
        self._pairs: dict[tuple[int, int], Value] = {}

    def state(self, owner: Value, first: State, second: State) -> State:
        joined: State = {}
        for key in {**first, **second}:
            if key in first and key in second:
                joined[key] = self._content(owner, key, first[key], second[key])
            elif _is_method(key) or key == ("loader",):
                joined[key] = UNDECIDED
            elif isinstance(key, tuple) and key[0] in ("decision", "default"):
                # A scheduler that one way leaves to the library and the other sets is neither.
                continue
            else:
                content = first.get(key, second.get(key))
                if isinstance(owner, Component) and isinstance(content, Compiled):
                    joined[key] = UNDECIDED
                    continue
                hidden = isinstance(content, Value) and not _is_required(owner, key)
                joined[key] = Unknown() if hidden else content
        if joined.get("entries") is UNDECIDED:
            joined["entries"], joined["open"] = self._entries(first["entries"], second["entries"]), True
        if joined.get("items") is UNDECIDED:
            joined["items"], joined["open"] = (), True
        return joined

    def _content(self, owner: Value, key: Any, first: Any, second: Any) -> Any:
        if same(first, second):
            return first
        if isinstance(owner, Component) and isinstance(first, Compiled) is not isinstance(second, Compiled):
            return UNDECIDED
        if isinstance(first, Fields) and isinstance(second, Fields):
            return agreement((first, second))
        if key in ("last", "built") and (first is None or second is None):
            return second if first is None else first
        if isinstance(first, Value) and isinstance(second, Value):
            return self.value(first, second)
        if key == "entries" and first.keys() == second.keys():
            return self._entries(first, second)
        if key == "items" and len(first) == len(second):
            return tuple(self.value(one, other) for one, other in zip(first, second, strict=True))
        if _is_method(key) and isinstance(first, dict) and isinstance(second, dict):
            return _common(first, second)
        return UNDECIDED

    def _entries(self, first: Any, second: Any) -> Any:
        return {
            key: (first[key][0], self.value(first[key][1], second[key][1])) for key in first if key in second
        }

    def value(self, first: Value, second: Value) -> Value:
        """Join two values; objects of one class that each branch made for itself become one object."""
        if same(first, second):
            return first
        pair = (id(first), id(second))
        if pair in self._pairs:
            return self._pairs[pair]
        if isinstance(first, Tuple) and isinstance(second, Tuple) and len(first.items) == len(second.items):
            return Tuple(
                tuple(self.value(one, other) for one, other in zip(first.items, second.items, strict=True))
            )
        if isinstance(first, Compiled) and isinstance(second, Compiled):
            inner = self.value(first.inner, second.inner)
            return Compiled(inner, _common(first.parameters, second.parameters))
        mark = self._trial.mark
        if not (isinstance(first, Instance) and isinstance(second, Instance) and type(first) is type(second)):
            return Unknown()
        if first.serial < mark or second.serial < mark:
            return Unknown()
        merged = type(first)(first.cls if _same_class(first, second) else None)
        self._pairs[pair] = merged
        one, other = self._first.get(id(first), {}), self._second.get(id(second), {})
        for key, content in self.state(first, one, other).items():
            self._heap.write(merged, key, content)
        return merged


def _is_required(owner: Value, key: Any) -> bool:
    """Tell whether reading the entry would be an error if it were absent, so that its reader has it."""
    if isinstance(owner, Scope) or not isinstance(key, str):
        return True
    if not isinstance(owner, Instance):
        return False
    return lineage.library_base(owner.cls) is None and lineage.find(owner.cls, key) is None


def _common(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: first[name] if name in first and name in second and first[name] == second[name] else None
        for name in {**first, **second}
    }


def _is_method(key: Any) -> bool:
    return isinstance(key, tuple) and key[0] in METHOD_KEYS


METHOD_KEYS = frozenset(LISTED.values())
"""Keys, in a component's state, of the accelerations that live in it."""


def _same_class(first: Instance, second: Instance) -> bool:
    return first.cls is second.cls or (isinstance(first.cls, Symbol) and first.cls == second.cls)


def same(first: Any, second: Any) -> bool:
    """Tell whether two contents of a state are the same as far as the program could see."""
    if first is second:
        return True
    if type(first) is not type(second):
        return False
    if isinstance(first, Constant):
        return type(first.value) is type(second.value) and bool(first.value == second.value)
    if isinstance(first, Tuple):
        return same(first.items, second.items)
    if isinstance(first, Unknown):
        return not first.state and not second.state
    if isinstance(first, Method):
        return first.function is second.function and same(first.receiver, second.receiver)
    if isinstance(first, Compiled):
        return first.parameters == second.parameters and same(first.inner, second.inner)
    if isinstance(first, Native):
        return first.name == second.name and same(first.receiver, second.receiver)
    if isinstance(first, Value):
        return bool(first == second)
    if isinstance(first, tuple):
        return len(first) == len(second) and all(
            same(one, other) for one, other in zip(first, second, strict=True)
        )
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(
            same(content, second[key]) for key, content in first.items()
        )
    return bool(first == second)
