"""The changeable state of all values: writing, snapshots, and the join of two states."""

from typing import Any

from accsearch.codeeval.fields import Fields, agreement
from accsearch.codeeval.values import Constant, Instance, Method, Native, State, Symbol, Tuple, Unknown, Value

Snapshot = dict[int, State]


class Undecided:
    """Stands for the parameters of a method of which it is unknown whether it is active."""


UNDECIDED = Undecided()


class Heap:
    """All values whose state was written, so that a program's state can be taken, restored and joined."""

    def __init__(self) -> None:
        self._objects: dict[int, Value] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def write(self, target: Value, key: Any, content: Any) -> None:
        """Set one entry of the state of `target`."""
        self._objects[id(target)] = target
        target.state[key] = content

    def delete(self, target: Value, key: Any) -> None:
        """Remove one entry of the state of `target`, if it is there."""
        self._objects[id(target)] = target
        target.state.pop(key, None)

    def snapshot(self) -> Snapshot:
        """Return a copy of all state."""
        return {key: dict(value.state) for key, value in self._objects.items()}

    def restore(self, snapshot: Snapshot) -> None:
        """Return to an earlier state; what has been made since is out of reach and left empty."""
        for key, value in self._objects.items():
            value.state.clear()
            value.state.update(snapshot.get(key, {}))

    def equal(self, before: Snapshot, first: Snapshot, second: Snapshot) -> bool:
        """Tell whether two states that began at `before` are the same for all that existed then."""
        return all(
            first[key].keys() == second[key].keys()
            and all(same(content, second[key][name]) for name, content in first[key].items())
            for key in before.keys() | {key for key in first if key in second}
        )

    def join(self, before: Snapshot, first: Snapshot, second: Snapshot) -> None:
        """Set the state to what `first` and `second`, both begun at `before`, have in common."""
        joiner = _Joiner(self, before, first, second)
        shared = [key for key in first if key in second]
        self.restore({**first, **second})
        for key in shared:
            joined = joiner.state(self._objects[key], first[key], second[key])
            self._objects[key].state.clear()
            self._objects[key].state.update(joined)


class _Joiner:
    def __init__(self, heap: Heap, before: Snapshot, first: Snapshot, second: Snapshot) -> None:
        self._heap = heap
        self._before = before
        self._first = first
        self._second = second
        self._pairs: dict[tuple[int, int], Value] = {}

    def state(self, owner: Value, first: State, second: State) -> State:
        joined: State = {}
        for key in {**first, **second}:
            if key in first and key in second:
                joined[key] = self._content(key, first[key], second[key])
            elif (
                isinstance(key, tuple) and key[0] in ("deepcache", "tgate", "tome", "loader")
            ) or _is_method(key):
                joined[key] = UNDECIDED
            elif isinstance(key, tuple) and key[0] == "decision":
                continue
            else:
                joined[key] = first.get(key, second.get(key))
        if joined.get("entries") is UNDECIDED:
            joined["entries"], joined["open"] = self._entries(first["entries"], second["entries"]), True
        if joined.get("items") is UNDECIDED:
            joined["items"], joined["open"] = (), True
        return joined

    def _content(self, key: Any, first: Any, second: Any) -> Any:
        if same(first, second):
            return first
        if isinstance(first, Fields) and isinstance(second, Fields):
            return agreement((first, second))
        if first is None or second is None:
            return second if first is None else first
        if isinstance(first, Value) and isinstance(second, Value):
            return self.value(first, second)
        if key == "entries" and first.keys() == second.keys():
            return self._entries(first, second)
        if key == "items" and len(first) == len(second):
            return tuple(self.value(one, other) for one, other in zip(first, second, strict=True))
        if _is_method(key) and isinstance(first, dict) and isinstance(second, dict):
            return {
                name: first[name]
                if name in first and name in second and first[name] == second[name]
                else None
                for name in {**first, **second}
            }
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
        made = id(first) not in self._before and id(second) not in self._before
        if not (made and isinstance(first, Instance) and isinstance(second, Instance)):
            return Unknown()
        if type(first) is not type(second) or id(first) not in self._first or id(second) not in self._second:
            return Unknown()
        merged = type(first)(first.cls if _same_class(first, second) else None)
        self._pairs[pair] = merged
        for key, content in self.state(merged, self._first[id(first)], self._second[id(second)]).items():
            self._heap.write(merged, key, content)
        return merged


def _is_method(key: Any) -> bool:
    return isinstance(key, tuple) and key[0] in METHOD_KEYS


METHOD_KEYS = frozenset(
    {"deepcache", "tome", "torch_compile", "first_block_cache", "faster_cache", "pyramid_attention_broadcast"}
)
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
