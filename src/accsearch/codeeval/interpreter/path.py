"""One path through the program: its heap, its budget, and the choices made where a condition is unknown."""

import ast
from collections.abc import Callable, Iterator
from typing import Any

from accsearch.codeeval.fields import Fields
from accsearch.codeeval.interpreter import (
    attempts,
    attributes,
    binding,
    calls,
    conditions,
    expressions,
    functions,
    iteration,
    modules,
    statements,
)
from accsearch.codeeval.interpreter.control_flow import (
    OutOfBudget,
    RestartNeeded,
)
from accsearch.codeeval.interpreter.heap import Heap
from accsearch.codeeval.interpreter.scope import Scope
from accsearch.codeeval.values import (
    Arguments,
    Constant,
    Dictionary,
    Sequence,
    Stream,
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
        self.bound: frozenset[str] = frozenset()
        """Names that the program binds somewhere."""
        self.depth = 0
        self.raised: list[Value] = []
        self.handlers = 0
        self.active: list[ast.AST] = []
        self.activations: list[functions.Activation] = []
        self.runaway: set[ast.AST] = set()
        self._position = 0
        self.attempts: list[attempts.BranchAttempt] = []
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
        binding.assign(self, target, value, scope)

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
            known = self.choose()
            self.heap.write(self.journal, key, known)
        return bool(known) is not flipped

    def choose(self) -> bool:
        """Choose the outcome of a condition that was not met before."""
        if self.attempts:
            return attempts.choose(self.attempts[-1])
        if self._position == len(self.script):
            if self._position >= MAX_DECISIONS:
                raise OutOfBudget
            self.script.append(True)
        self._position += 1
        return self.script[self._position - 1]

    @property
    def decisions(self) -> int:
        """How many unknown conditions this path has met, without those whose outcomes came to the same."""
        return self._position + sum(attempt.position for attempt in self.attempts)

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
        return attempts.merge(self, site, first, second)

    def settle(self, site: ast.AST, work: Callable[[], Value], *, exact: bool = False) -> Value | None:
        """Run all paths through a part of the program, and go on with one of those that come to different ends.

        Returns None, the state as before, where there are too many.
        """
        return attempts.settle(self, site, work, exact=exact)

    def advance(self, stream: Stream) -> Value | None:
        """Return the next item of an iterator, None at its end."""
        older = [attempt.site for attempt in self.attempts if stream.serial < attempt.mark]
        if older:
            # Python's own iterator holds the place in it, and that cannot be taken back.
            self.unmergeable.update(older)
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
