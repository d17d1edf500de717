"""Parts of the program run on more than one path at once, and brought together where they come to the same."""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accsearch.codeeval.fields import agreement
from accsearch.codeeval.interpreter.heap import States, Trial, same
from accsearch.codeeval.interpreter.signals import CutSignal, ExitSignal, ForkNeeded, RaiseSignal, Signal
from accsearch.codeeval.values import Constant, Symbol, Unknown, Value

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.machine import Machine

MAX_LOCAL_DECISIONS = 12
MAX_LOCAL_PATHS = 32
MAX_ATTEMPTS = 20
"""Within one part of the program whose paths are brought together, and how many such parts inside one another."""

_NOTES = frozenset({"imported", "module"})
"""Notes in the journal that may stand beside any others."""


@dataclass
class Attempt:
    """A part of the program that may be run again; without a `script` nothing may be chosen in it."""

    site: int
    mark: int
    script: list[bool] | None = None
    position: int = 0


def choose(attempt: Attempt) -> bool:
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
    machine.attempts.append(Attempt(id(site), trial.mark))
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
    machine: "Machine", trial: Trial, first: Callable[[], Value], second: Callable[[], Value]
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
    trial: Trial,
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
    if machine.lossy:
        return machine.heap.join(trial, states_one, states_other, (one, other))
    _share_notes(machine, trial, states_one, states_other)
    if not machine.heap.equal(trial, states_one, states_other):
        return None
    machine.heap.set(trial, states_other)
    if same(one, other):
        return one
    # Two plain values are not worth a path each: what depends on them is null either way.
    return Unknown() if _is_plain(one) and _is_plain(other) else None


def _share_notes(machine: "Machine", trial: Trial, one: States, other: States) -> None:
    """Give both outcomes the same last call, which is what they agree on, as at the end of all paths."""
    original = trial.originals.get(id(machine.journal))
    if original is None:
        return
    first, second = (states.setdefault(id(machine.journal), dict(original)) for states in (one, other))
    calls = [call for call in (first["last"], second["last"]) if call is not None]
    first["last"] = second["last"] = agreement(calls) if calls else None
    for key in {**first, **second}:
        if key == "elsewhere" or key == "loose" or (isinstance(key, tuple) and key[0] in _NOTES):
            first[key] = second[key] = True


def settle(
    machine: "Machine", site: ast.AST, work: Callable[[], Value], *, exact: bool = False
) -> Value | None:
    """Run all paths through a part of the program and go on with one, where they come to the same.

    Returns None, the state as before, if they do not.
    """
    if id(site) in machine.unmergeable or len(machine.attempts) >= MAX_ATTEMPTS:
        return None
    depth, handlers = machine.depth, machine.handlers
    trial = machine.heap.begin()
    attempt = Attempt(id(site), trial.mark, [])
    machine.attempts.append(attempt)
    try:
        settled = _settled(machine, trial, attempt, work, exact=exact)
    except (Signal, ForkNeeded):
        if not attempt.script:
            raise
        settled = None
    finally:
        machine.attempts.pop()
        machine.heap.end(trial)
    if settled is None:
        machine.depth, machine.handlers = depth, handlers
        machine.unmergeable.add(id(site))
        machine.heap.set(trial, trial.originals)
    return settled


def _settled(
    machine: "Machine", trial: Trial, attempt: Attempt, work: Callable[[], Value], *, exact: bool
) -> Value | None:
    script = attempt.script
    assert script is not None
    outcome: tuple[States, Value] | None = None
    for _ in range(MAX_LOCAL_PATHS):
        attempt.position = 0
        value = _unless_over_within(machine, attempt, work)
        if not script and value is not None:
            return value
        if value is not None:
            reached = _undecided(machine, trial), value
            together = value if outcome is None else _together(machine, trial, outcome, reached, exact=exact)
            if together is None:
                return None
            outcome = _undecided(machine, trial), together
        while script and not script[-1]:
            script.pop()
        if not script:
            break
        script[-1] = False
        machine.heap.set(trial, trial.originals)
    else:
        return None
    if outcome is None:
        return None
    machine.heap.set(trial, outcome[0])
    return outcome[1]


def _unless_over_within(machine: "Machine", attempt: Attempt, work: Callable[[], Value]) -> Value | None:
    try:
        return work()
    except (RaiseSignal, ExitSignal, CutSignal):
        if attempt.script and machine.lossy and not machine.handlers:
            return None
        raise


def _undecided(machine: "Machine", trial: Trial) -> States:
    """Return the states that a trial has come to, without what was chosen in it."""
    states = machine.heap.capture(trial)
    key = id(machine.journal)
    if key in states:
        before = trial.originals[key]
        states[key] = {
            name: content
            for name, content in states[key].items()
            if not (isinstance(name, tuple) and name[0] == "decision") or name in before
        }
    return states


def _unless_over(machine: "Machine", branch: Callable[[], Value]) -> Value | None:
    """Run a branch; None if it ends the program, which a lossy machine takes for the branch not taken."""
    try:
        return branch()
    except (RaiseSignal, ExitSignal, CutSignal):
        if machine.lossy and not machine.handlers:
            return None
        raise


def _is_plain(value: Value) -> bool:
    return isinstance(value, Constant | Unknown) or (isinstance(value, Symbol) and value.root == "torch")
