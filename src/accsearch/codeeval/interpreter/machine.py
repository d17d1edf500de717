"""One path through the program: its heap, its budget, and the choices made where a condition is unknown."""

import ast
from collections.abc import Callable, Iterator
from typing import Any

from accsearch.codeeval.fields import Fields
from accsearch.codeeval.interpreter import (
    assignment,
    attributes,
    calls,
    conditions,
    expressions,
    functions,
    iteration,
    modules,
    statements,
)
from accsearch.codeeval.interpreter.heap import Heap, Trial, same
from accsearch.codeeval.interpreter.scope import Scope
from accsearch.codeeval.interpreter.signals import (
    CutSignal,
    ExitSignal,
    ForkNeeded,
    OutOfBudget,
    RaiseSignal,
    RestartNeeded,
    Signal,
)
from accsearch.codeeval.values import (
    Arguments,
    Constant,
    Dictionary,
    Sequence,
    Stream,
    Symbol,
    Unknown,
    Value,
)

MAX_DECISIONS = 40
"""Unknown conditions on one path beyond which it is given up."""


class Machine:
    """Runs one path; `script` holds the outcome of each unknown condition in order and grows with new ones.

    A `lossy` machine merges the branches of an unknown condition into one state, their differences unknown;
    otherwise branches are merged only where they differ in nothing, and chosen between where they do.
    """

    def __init__(self, script: list[bool], unmergeable: set[int], budget: int, *, lossy: bool) -> None:
        self.heap = Heap()
        self.script = script
        self.unmergeable = unmergeable
        self.lossy = lossy
        self.budget = budget
        self.journal = Value()
        self.patches = Value()
        self.module: Scope = Scope("module")
        self.depth = 0
        self.raised: list[Value] = []
        self.handlers = 0
        self.active: list[ast.AST] = []
        self.activations: list[functions.Activation] = []
        self.runaway: set[ast.AST] = set()
        self._position = 0
        self._trials: list[int] = []
        self.heap.write(self.journal, "last", None)
        self.heap.write(self.journal, "built", None)

    # The interpreter's parts call one another through these, so that none has to import another.

    def evaluate(self, node: ast.expr, scope: Scope) -> Value:
        """Return the value of an expression."""
        self.tick()
        return expressions.evaluate(self, node, scope)

    def execute(self, body: list[ast.stmt], scope: Scope) -> Iterator[Value]:
        """Run statements, giving out what they yield."""
        return statements.execute(self, body, scope)

    def run(self, body: list[ast.stmt], scope: Scope) -> None:
        """Run statements to their end."""
        for _ in self.execute(body, scope):
            pass

    def call(self, function: Value, arguments: Arguments) -> Value:
        """Return the result of a call."""
        self.tick()
        return calls.call(self, function, arguments)

    def get(self, value: Value, name: str) -> Value:
        """Return an attribute."""
        return attributes.get(self, value, name)

    def set(self, value: Value, name: str, content: Value) -> None:
        """Set an attribute."""
        attributes.set_(self, value, name, content)

    def assign(self, target: ast.expr, value: Value, scope: Scope) -> None:
        """Bind the target of an assignment."""
        assignment.assign(self, target, value, scope)

    def symbol(self, name: str) -> Value:
        """Return what an imported name stands for."""
        return modules.symbol(self, name)

    def iterate(self, value: Value) -> Iterator[Value] | None:
        """Return an iterator over the items of `value`, None if they are unknown."""
        return iteration.iterate(self, value)

    def truth(self, value: Value) -> bool:
        """Return the truth of a value, choosing if it is unknown."""
        verdict = conditions.truth(self, value)
        return self.decide(verdict) if isinstance(verdict, Unknown) else verdict

    def sequence(self, items: tuple[Value, ...], kind: str = "list") -> Sequence:
        """Make a list or a set."""
        sequence = Sequence(kind)
        self.heap.write(sequence, "items", items)
        return sequence

    def dictionary(self, entries: dict[Any, tuple[Value, Value]], *, open: bool = False) -> Dictionary:
        """Make a dict."""
        dictionary = Dictionary()
        self.heap.write(dictionary, "entries", entries)
        self.heap.write(dictionary, "open", open)
        return dictionary

    def names(self, values: dict[str, Value]) -> Dictionary:
        """Make a dict whose keys are strings."""
        return self.dictionary({name: (Constant(name), value) for name, value in values.items()})

    def tick(self, steps: int = 1) -> None:
        """Count steps of the analysis; raise OutOfBudget when they are used up."""
        self.budget -= steps
        if self.budget < 0:
            raise OutOfBudget

    def at_exit(self, function: Value) -> None:
        """Note a function to be called when the program ends."""
        self.heap.write(self.journal, "at_exit", (function, *self.journal.state.get("at_exit", ())))

    def finish(self) -> None:
        """Run what the program wanted to be run at its end."""
        for function in self.journal.state.get("at_exit", ()):
            self.call(function, Arguments())

    def record(self, fields: Fields) -> None:
        """Note an image-generating call."""
        self.heap.write(self.journal, "last", fields)

    def decide(self, condition: Unknown) -> bool:
        """Choose the outcome of an unknown condition; the same condition has the same outcome later on."""
        origin, flipped = condition.origin, False
        while isinstance(origin, tuple) and origin[0] == "not":
            origin, flipped = origin[1], not flipped
        key = ("decision", origin)
        known = self.journal.state.get(key)
        if known is None:
            known = self._choose()
            self.heap.write(self.journal, key, known)
        return bool(known) is not flipped

    def _choose(self) -> bool:
        if self._trials:
            raise ForkNeeded
        if self._position == len(self.script):
            if self._position >= MAX_DECISIONS:
                raise OutOfBudget
            self.script.append(True)
        self._position += 1
        return self.script[self._position - 1]

    @property
    def decisions(self) -> int:
        """How many unknown conditions this path has met."""
        return self._position

    def is_decided(self, condition: Unknown) -> bool:
        """Tell whether the outcome has been chosen before on this path."""
        origin = condition.origin
        while isinstance(origin, tuple) and origin[0] == "not":
            origin = origin[1]
        return ("decision", origin) in self.journal.state

    def merge(self, site: ast.AST, first: Callable[[], Value], second: Callable[[], Value]) -> Value | None:
        """Run both sides of an unknown condition from the same state and go on with both at once.

        Returns None, the state as before, if that is impossible and one of them has to be chosen.
        """
        if id(site) in self.unmergeable:
            return None
        self.tick(10)
        depth, handlers = self.depth, self.handlers
        trial = self.heap.begin()
        self._trials.append(id(site))
        try:
            merged = self._merge(trial, first, second)
        except (Signal, ForkNeeded):
            merged = None
        finally:
            self._trials.pop()
            self.heap.end(trial)
        if merged is None:
            self.depth, self.handlers = depth, handlers
            self.unmergeable.add(id(site))
            self.heap.set(trial, trial.originals)
        return merged

    def _merge(self, trial: Trial, first: Callable[[], Value], second: Callable[[], Value]) -> Value | None:
        one = self._unless_over(first)
        states_one = self.heap.capture(trial)
        self.heap.set(trial, trial.originals)
        if one is None:
            return second()
        other = self._unless_over(second)
        if other is None:
            self.heap.set(trial, states_one)
            return one
        states_other = self.heap.capture(trial)
        self.tick(len(states_other))
        if self.lossy:
            return self.heap.join(trial, states_one, states_other, (one, other))
        if not self.heap.equal(trial, states_one, states_other):
            return None
        if same(one, other):
            return one
        # Two plain values are not worth a path each: what depends on them is null either way.
        return Unknown() if _is_plain(one) and _is_plain(other) else None

    def _unless_over(self, branch: Callable[[], Value]) -> Value | None:
        """Run a branch; None if it ends the program, which a lossy machine takes for the branch not taken."""
        try:
            return branch()
        except (RaiseSignal, ExitSignal, CutSignal):
            if self.lossy and not self.handlers:
                return None
            raise

    def advance(self, stream: Stream) -> Value | None:
        """Return the next item of an iterator, None at its end."""
        if self._trials:
            # Python's own iterator holds the place in it, and that cannot be taken back.
            self.unmergeable.update(self._trials)
            raise RestartNeeded
        if stream.state.get("done"):
            return None
        if self.depth >= functions.MAX_CALL_DEPTH:
            return None
        self.depth += 1
        try:
            item = next(stream.iterator, None)
        finally:
            self.depth -= 1
        if item is None:
            self.heap.write(stream, "done", True)
        return item


def _is_plain(value: Value) -> bool:
    return isinstance(value, Constant | Unknown) or (isinstance(value, Symbol) and value.root == "torch")
