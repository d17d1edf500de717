"""Where names live: the module, functions, classes and comprehensions."""

from typing import Literal

from accsearch.codeeval.values import Value

Kind = Literal["module", "function", "class", "comprehension"]


class Scope(Value):
    """The names of one block; state: name → value."""

    __slots__ = (
        "generates",
        "global_names",
        "kind",
        "nonlocal_names",
        "owner",
        "parent",
        "receiver",
        "stars",
    )

    def __init__(self, kind: Kind, parent: "Scope | None" = None) -> None:
        super().__init__()
        self.kind = kind
        self.parent = parent
        self.global_names: set[str] = set()
        self.nonlocal_names: set[str] = set()
        self.generates: bool = bool(parent and kind == "comprehension" and parent.generates)
        # What a bare super() needs: the class that holds the running function, and its first argument.
        self.owner: Value | None = None
        self.receiver: Value | None = None
        self.stars: list[str] = []

    @property
    def module(self) -> "Scope":
        """The outermost scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def find(self, name: str) -> Value | None:
        """Return what `name` is bound to here or further out, None if nowhere."""
        if name in self.global_names:
            found: Value | None = self.module.state.get(name)
            return found
        scope: Scope | None = self
        while scope is not None:
            if name in scope.state and (scope is self or scope.kind != "class"):
                inner: Value = scope.state[name]
                return inner
            scope = scope.parent
        return None

    def home(self, name: str, *, walrus: bool = False) -> "Scope":
        """Return the scope in which an assignment to `name` binds it."""
        scope = self
        while walrus and scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        if name in scope.global_names:
            return scope.module
        if name in scope.nonlocal_names:
            outer = scope.parent
            while outer is not None and outer.parent is not None:
                if outer.kind != "class" and name in outer.state:
                    return outer
                outer = outer.parent
        return scope

    def function(self) -> "Scope":
        """The innermost scope that is no comprehension."""
        scope = self
        while scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        return scope
