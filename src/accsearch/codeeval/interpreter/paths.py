"""All paths through a program, and what they agree on."""

import ast
from dataclasses import dataclass, replace

from accsearch.codeeval.fields import SETTINGS, UNDETERMINED_FIELDS, Fields, agreement
from accsearch.codeeval.interpreter import diffusion
from accsearch.codeeval.interpreter.control_flow import (
    CutSignal,
    EndlessSignal,
    ExitSignal,
    OutOfBudget,
    RaiseSignal,
    RestartNeeded,
    Signal,
)
from accsearch.codeeval.interpreter.path import Machine
from accsearch.codeeval.library_objects import Pipeline

MAX_PATHS = 128
PATH_STEPS = 60_000
TOTAL_STEPS = 400_000


@dataclass(frozen=True)
class Outcome:
    """How a path ended: its last generating call, if any, and what a later call would be made with."""

    call: Fields | None
    rest: Fields
    failed: bool = False
    cut: bool = False


class TooManyPaths(Exception):
    """The program has more paths than are followed."""


def fields_of(tree: ast.Module) -> Fields:
    """Return the fields in force at the last image-generating call of a program."""
    for lossy in (False, True):
        try:
            return _conclusion(_explore(tree, lossy=lossy))
        except TooManyPaths:
            continue
    return UNDETERMINED_FIELDS


def _explore(tree: ast.Module, *, lossy: bool) -> list[Outcome]:
    outcomes: list[Outcome] = []
    unmergeable: set[int] = set()
    bound = _bound_names(tree)
    script: list[bool] = []
    steps = TOTAL_STEPS
    while True:
        if len(outcomes) >= MAX_PATHS or steps <= 0:
            raise TooManyPaths
        start = list(script)
        allowance = steps if lossy else min(steps, PATH_STEPS)
        machine = Machine(script, unmergeable, allowance, lossy=lossy)
        machine.bound = bound
        try:
            outcomes.append(_follow(machine, tree))
        except RestartNeeded:
            steps -= 100
            script = start
            continue
        except (OutOfBudget, RecursionError) as error:
            if not lossy:
                raise TooManyPaths from error
            outcomes.append(Outcome(UNDETERMINED_FIELDS, UNDETERMINED_FIELDS))
        steps -= allowance - machine.budget
        while script and not script[-1]:
            script.pop()
        if not script:
            return outcomes
        script[-1] = False


def _bound_names(tree: ast.Module) -> frozenset[str]:
    """Return the names that assignments bind, but those that functions bind for the module."""
    parts = list(ast.walk(tree))
    shared = {name for part in parts if isinstance(part, ast.Global | ast.Nonlocal) for name in part.names}
    stored = {part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    return frozenset(stored - shared)


def _follow(machine: Machine, tree: ast.Module) -> Outcome:
    failed = cut = False
    try:
        machine.run(tree.body, machine.module)
    except RaiseSignal:
        failed = True
    except CutSignal:
        cut = True
    except ExitSignal as signal:
        if signal.hard:
            return _outcome(machine, failed=False, cut=False)
    except EndlessSignal:
        return _outcome(machine, failed=False, cut=False)
    except Signal:
        failed = True
    try:
        machine.finish()
    except Signal:
        failed = True
    return _outcome(machine, failed=failed, cut=cut)


def _outcome(machine: Machine, *, failed: bool, cut: bool) -> Outcome:
    last = machine.journal.state["last"]
    pipe = machine.module.state.get("pipe")
    if not isinstance(pipe, Pipeline):
        pipe = machine.journal.state["built"]
    rest = diffusion.describe(pipe) if isinstance(pipe, Pipeline) else Fields(methods=None)
    if not machine.journal.state.get("elsewhere"):
        # Code elsewhere that was called may set what this file does not.
        unset = {"num_inference_steps"} if isinstance(pipe, Pipeline) else SETTINGS
        rest = replace(rest, unwritten=rest.unwritten.union(unset))
    return Outcome(last if isinstance(last, Fields) else None, rest, failed, cut)


def _conclusion(outcomes: list[Outcome]) -> Fields:
    """Return what the paths agree on: those that fail or are cut count only where no other generates."""
    completed = [path for path in outcomes if not (path.failed or path.cut)]
    for paths in (completed, [path for path in outcomes if not path.cut], outcomes):
        calls = [path.call for path in paths if path.call is not None]
        if calls:
            return agreement(calls)
    rest = agreement([path.rest for path in completed or outcomes])
    # That no method is active shows only in a call.
    return replace(rest, num_inference_steps=None, methods=rest.methods or None)
