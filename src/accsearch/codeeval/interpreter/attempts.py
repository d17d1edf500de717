"""Parts of the program run on more than one path at once, and brought together where they come to the same."""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accsearch.codeeval.fields import agreement
from accsearch.codeeval.interpreter.control_flow import CutSignal, ExitSignal, ForkNeeded, RaiseSignal, Signal
from accsearch.codeeval.interpreter.heap import Speculation, States, same
from accsearch.codeeval.values import Constant, Symbol, Unknown, Value

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine

MAX_LOCAL_DECISIONS = 12
MAX_LOCAL_PATHS = 32
MAX_ATTEMPTS = 20
"""Within one part of the program whose paths are brought together, and how many such parts inside one another."""

MAX_ENDS = 6
"""Different ends of such a part that are followed, one path each."""

_OVER = (RaiseSignal, ExitSignal, CutSignal)
_NOTES = frozenset({"elsewhere", "imported", "loose", "module"})
"""Notes in the journal that may stand beside any others."""


@dataclass
class BranchAttempt:
    """A part of the program that may be run again; without a `script` nothing may be chosen in it."""

    site: int
    mark: int
    script: list[bool] | None = None
    position: int = 0


def choose(attempt: BranchAttempt) -> bool:
    """Choose the outcome of a condition inside of an attempt; raise ForkNeeded where that cannot be done."""
    script = attempt.script
    if script is None or attempt.position >= MAX_LOCAL_DECISIONS:
        raise ForkNeeded
    if attempt.position == len(script):
        script.append(True)
    attempt.position += 1
    return script[attempt.position - 1]


def merge(
    machine: "Machine", site: ast.AST, first: Callable[[], Value], second: Callable[[], Value]
) -> Value | None:
    """Run both sides of an unknown condition from the same state and go on with both at once.

    Returns None, the state as before, if that is impossible and one of them has to be chosen.
    """
    if id(site) in machine.unmergeable:
        return None
    machine.tick(10)
    depth, handlers = machine.depth, machine.handlers
    trial = machine.heap.begin()
    machine.attempts.append(BranchAttempt(id(site), trial.mark))
    try:
        merged = _merge(machine, trial, first, second)
    except (Signal, ForkNeeded):
        merged = None
    finally:
        machine.attempts.pop()
        machine.heap.end(trial)
    if merged is None:
        machine.depth, machine.handlers = depth, handlers
        machine.unmergeable.add(id(site))
        machine.heap.set(trial, trial.originals)
    return merged


def _merge(
    machine: "Machine", trial: Speculation, first: Callable[[], Value], second: Callable[[], Value]
) -> Value | None:
    one = _unless_over(machine, first)
    states_one = machine.heap.capture(trial)
    machine.heap.set(trial, trial.originals)
    if one is None:
        return second()
    other = _unless_over(machine, second)
    if other is None:
        machine.heap.set(trial, states_one)
        return one
    return _together(machine, trial, (states_one, one), (machine.heap.capture(trial), other))


def _together(
    machine: "Machine",
    trial: Speculation,
    first: tuple[States, Value],
    second: tuple[States, Value],
    *,
    exact: bool = False,
) -> Value | None:
    """Set the state to what two outcomes come to, and return their value; None if they differ.

    Values that are not the same are one that is unknown, unless they have to be `exact`.
    """
    (states_one, one), (states_other, other) = first, second
    machine.tick(len(states_other))
    if exact and not same(one, other):
        return None
    states_one, states_other = _noted_alike(machine, trial, states_one, states_other)
    if machine.lossy:
        return machine.heap.join(trial, states_one, states_other, (one, other))
    if not machine.heap.equal(trial, states_one, states_other):
        return None
    machine.heap.set(trial, states_other)
    if same(one, other):
        return one
    # Two plain values are not worth a path each: what depends on them is null either way.
    return Unknown() if _is_plain(one) and _is_plain(other) else None


def _noted_alike(machine: "Machine", trial: Speculation, one: States, other: States) -> tuple[States, States]:
    """Return both outcomes with one last call, which is what they agree on, as at the end of all paths.

    What was chosen differently in them counts as not chosen.
    """
    key = id(machine.journal)
    original = trial.originals.get(key)
    if original is None:
        return one, other
    first, second = (dict(states.get(key, original)) for states in (one, other))
    calls = [call for call in (first["last"], second["last"]) if call is not None]
    for name in {**first, **second}:
        kind = name[0] if isinstance(name, tuple) else name
        if kind == "last":
            first[name] = second[name] = agreement(calls) if calls else None
        elif kind in _NOTES:
            first[name] = second[name] = True
        elif kind == "decision" and first.get(name) is not second.get(name):
            first.pop(name, None)
            second.pop(name, None)
    return {**one, key: first}, {**other, key: second}


def settle(
    machine: "Machine", site: ast.AST, work: Callable[[], Value], *, exact: bool = False
) -> Value | None:
    """Run all paths through a part of the program, and go on with one of those that come to different ends.

    Returns None, the state as before, where there are too many.
    """
    if id(site) in machine.unmergeable or len(machine.attempts) >= MAX_ATTEMPTS:
        return None
    depth, handlers = machine.depth, machine.handlers
    trial = machine.heap.begin()
    attempt = BranchAttempt(id(site), trial.mark, [])
    machine.attempts.append(attempt)
    try:
        try:
            ends = _ends(machine, trial, attempt, work, exact=exact)
        except ForkNeeded:
            ends = None
        finally:
            machine.attempts.pop()
        machine.depth, machine.handlers = depth, handlers
        if ends is None:
            machine.unmergeable.add(id(site))
            machine.heap.set(trial, trial.originals)
            return None
        while len(ends) > 1 and not machine.choose():
            ends.pop(0)
        states, value = ends[0]
        machine.heap.set(trial, states)
    finally:
        machine.heap.end(trial)
    if isinstance(value, Signal):
        raise value
    return value


def _ends(
    machine: "Machine", trial: Speculation, attempt: BranchAttempt, work: Callable[[], Value], *, exact: bool
) -> list[tuple[States, Value | Signal]] | None:
    """Return the ends that the paths come to, those that are the same as one; None if there are too many."""
    script = attempt.script
    assert script is not None
    ends: list[tuple[States, Value | Signal]] = []
    for _ in range(MAX_LOCAL_PATHS):
        attempt.position = 0
        try:
            value: Value | Signal = work()
        except Signal as signal:
            value = signal
        _add_end(machine, trial, ends, (machine.heap.capture(trial), value), exact=exact)
        if len(ends) > MAX_ENDS:
            return None
        while script and not script[-1]:
            script.pop()
        if not script:
            break
        script[-1] = False
        machine.heap.set(trial, trial.originals)
    else:
        return None
    if machine.lossy and not machine.handlers:
        # A path that ends the program is taken for one that is not taken, where there are others.
        ends = [end for end in ends if not isinstance(end[1], _OVER)] or ends
    return ends


def _add_end(
    machine: "Machine",
    trial: Speculation,
    ends: list[tuple[States, Value | Signal]],
    reached: tuple[States, Value | Signal],
    *,
    exact: bool,
) -> None:
    states, value = reached
    for index, (known_states, known) in enumerate(ends):
        if isinstance(value, Signal) or isinstance(known, Signal):
            continue
        together = _together(machine, trial, (known_states, known), (states, value), exact=exact)
        if together is not None:
            ends[index] = (machine.heap.capture(trial), together)
            return
    ends.append(reached)


def _unless_over(machine: "Machine", branch: Callable[[], Value]) -> Value | None:
    """Run a branch; None if it ends the program, which a lossy machine takes for the branch not taken."""
    try:
        return branch()
    except _OVER:
        if machine.lossy and not machine.handlers:
            return None
        raise


def _is_plain(value: Value) -> bool:
    return isinstance(value, Constant | Unknown) or (isinstance(value, Symbol) and value.root == "torch")
