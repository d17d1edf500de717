"""The values that the abstract interpreter computes with.

Whatever a program can change lives in a value's `state`, which only the heap writes; the rest never changes.
"""

import ast
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.scope import Scope

State = dict[Any, Any]
_serials = itertools.count()


class Value:
    """Base of all values; identity is equality unless a subclass says otherwise."""

    __slots__ = ("serial", "state")

    def __init__(self) -> None:
        self.state: State = {}
        # Tells what existed before a point of the program from what was made after it.
        self.serial = next(_serials)


class Unknown(Value):
    """What the program's text does not determine; `origin` is equal for reads of one and the same thing."""

    __slots__ = ("origin",)

    def __init__(self, origin: Any = None) -> None:
        super().__init__()
        self.origin: Any = self if origin is None else origin


class Constant(Value):
    """A number, string, bytes, None, Ellipsis, range, slice or pure path, known exactly."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class Symbol(Value):
    """Something imported, by its qualified name: a module, class or function of a library, or a builtin."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Symbol) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def root(self) -> str:
        """The package that it comes from."""
        return self.name.partition(".")[0]

    @property
    def leaf(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]


class Tuple(Value):
    __slots__ = ("items",)

    def __init__(self, items: tuple[Value, ...]) -> None:
        super().__init__()
        self.items = items


class Sequence(Value):
    """A list or a set; state: `items`, a tuple of values."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    @property
    def items(self) -> tuple[Value, ...]:
        items: tuple[Value, ...] = self.state["items"]
        return items


class Dictionary(Value):
    """A dict; state: `entries` (key → its value, content), `open` if it may hold more, `origin`."""

    __slots__ = ()

    @property
    def entries(self) -> dict[Any, tuple[Value, Value]]:
        entries: dict[Any, tuple[Value, Value]] = self.state["entries"]
        return entries

    @property
    def open(self) -> bool:
        return bool(self.state.get("open"))


class Namespace(Value):
    """`globals()`, `locals()` or `vars(x)`: a dict that is a scope or an object's attributes."""

    __slots__ = ("target",)

    def __init__(self, target: Value) -> None:
        super().__init__()
        self.target = target


class Stream(Value):
    """A generator, or another iterator that is consumed once; state: `done`."""

    __slots__ = ("iterator",)

    def __init__(self, iterator: Iterator[Value]) -> None:
        super().__init__()
        self.iterator = iterator


class Repeated(Value):
    """An iterable of which only is known what each of its items is like."""

    __slots__ = ("item",)

    def __init__(self, item: Value) -> None:
        super().__init__()
        self.item = item


class Coroutine(Value):
    """The call of an async function, run when it is awaited; state: `result` once it has run."""

    __slots__ = ("run",)

    def __init__(self, run: Callable[[], Value]) -> None:
        super().__init__()
        self.run = run


@dataclass(eq=False)
class Function(Value):
    """A function or lambda of the program."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: "Scope"
    defaults: tuple[Value, ...] = ()
    keyword_defaults: Mapping[str, Value] = field(default_factory=dict)
    owner: "UserClass | None" = None
    generates: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    @property
    def name(self) -> str:
        return "<lambda>" if isinstance(self.node, ast.Lambda) else self.node.name


@dataclass(eq=False)
class Method(Value):
    """A function bound to its first argument."""

    function: Value
    receiver: Value

    def __post_init__(self) -> None:
        super().__init__()


@dataclass(eq=False)
class Wrapper(Value):
    """What the standard library makes of a function: a property, a staticmethod, a contextmanager, …"""

    kind: str
    function: Value
    setter: Value | None = None

    def __post_init__(self) -> None:
        super().__init__()


@dataclass(eq=False)
class Partial(Value):
    function: Value
    arguments: "Arguments"

    def __post_init__(self) -> None:
        super().__init__()


@dataclass(eq=False)
class Native(Value):
    """An attribute of a library object or of a builtin value, most often a method."""

    receiver: Value
    name: str

    def __post_init__(self) -> None:
        super().__init__()


@dataclass(eq=False)
class Super(Value):
    """`super()`: attribute look-up that starts behind `owner` in the order of the receiver's classes."""

    owner: "UserClass"
    receiver: Value

    def __post_init__(self) -> None:
        super().__init__()


@dataclass(eq=False)
class UserClass(Value):
    """A class of the program; state: its attributes."""

    name: str
    bases: tuple[Value, ...]
    annotations: tuple[str, ...] = ()
    enumeration: bool = False
    fields: tuple[str, ...] | None = None
    order: list[Value] | None = None
    elsewhere: bool = False
    """Whether code elsewhere makes its instances or checks what they are given."""

    def __post_init__(self) -> None:
        super().__init__()


class Instance(Value):
    """An object of `cls` (None if unknown); state: its attributes by name."""

    __slots__ = ("cls",)

    def __init__(self, cls: Value | None) -> None:
        super().__init__()
        self.cls = cls

    @property
    def class_name(self) -> str | None:
        """Name of the class, None if it is unknown."""
        if isinstance(self.cls, Symbol):
            return self.cls.leaf
        return self.cls.name if isinstance(self.cls, UserClass) else None


@dataclass(eq=False)
class Arguments:
    """The arguments of a call; open where an unknown `*` or `**` stands among them."""

    positional: list[Value] = field(default_factory=list)
    keywords: dict[str, Value] = field(default_factory=dict)
    open_positional: bool = False
    open_keywords: bool = False
    origin: Value | None = None

    def get(self, name: str, index: int | None = None) -> Value | None:
        """The argument of that name, or at that index if it was not named."""
        if name in self.keywords:
            return self.keywords[name]
        if index is not None and index < len(self.positional):
            return self.positional[index]
        return None

    def prefixed(self, *first: Value) -> "Arguments":
        """The same arguments behind `first`."""
        return Arguments(
            [*first, *self.positional], self.keywords, self.open_positional, self.open_keywords, self.origin
        )
