"""Types of values: `type`, `isinstance`, `issubclass`."""

from accsearch.codeeval.interpreter import lineage
from accsearch.codeeval.values import (
    Constant,
    Dictionary,
    Function,
    Instance,
    Method,
    Sequence,
    Symbol,
    Tuple,
    Unknown,
    UserClass,
    Value,
)


def type_of(value: Value) -> Value:
    """Return `type(value)`."""
    if isinstance(value, Instance):
        return Unknown() if value.cls is None else value.cls
    if isinstance(value, Constant):
        return Symbol(f"builtins.{type(value.value).__name__}")
    if isinstance(value, Tuple):
        return Symbol("builtins.tuple")
    if isinstance(value, Sequence):
        return Symbol(f"builtins.{value.kind}")
    if isinstance(value, Dictionary):
        return Symbol("builtins.dict")
    if isinstance(value, UserClass):
        return Symbol("builtins.type")
    return Unknown()


def is_instance(value: Value, cls: Value) -> bool | Unknown:
    """Return `isinstance(value, cls)`."""
    if isinstance(cls, Tuple):
        verdicts = [is_instance(value, option) for option in cls.items]
        return True if True in verdicts else next((v for v in verdicts if isinstance(v, Unknown)), False)
    if isinstance(value, Unknown | Symbol) or not isinstance(cls, Symbol | UserClass):
        return Unknown()
    if isinstance(value, Function | Method):
        return Unknown() if isinstance(cls, Symbol) and cls.root != "builtins" else False
    return is_subclass(type_of(value), cls)


def is_subclass(cls: Value, base: Value) -> bool | Unknown:
    """Return `issubclass(cls, base)`."""
    if not isinstance(cls, Symbol | UserClass) or not isinstance(base, Symbol | UserClass):
        return Unknown()
    order = lineage.ancestors(cls)
    if base in order or base == Symbol("builtins.object"):
        return True
    if isinstance(base, UserClass):
        return False
    last = order[-1]
    if not isinstance(last, Symbol) or last.root == "builtins":
        return last == Symbol("builtins.bool") and base == Symbol("builtins.int")
    if base.root == "builtins":
        return False
    if base.leaf in ("DiffusionPipeline", "SchedulerMixin"):
        return last.leaf.endswith("Pipeline" if base.leaf == "DiffusionPipeline" else "Scheduler")
    return Unknown() if base.root == last.root and not _are_siblings(last, base) else False


def _are_siblings(first: Symbol, second: Symbol) -> bool:
    """Tell whether two classes are concrete ones of one family, of which none derives from another."""
    return any(first.leaf.endswith(kind) and second.leaf.endswith(kind) for kind in ("Pipeline", "Scheduler"))
