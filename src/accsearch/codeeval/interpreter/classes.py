"""Classes of the program: their definition and the making of their instances."""

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import diffusion, elsewhere, functions, lineage
from accsearch.codeeval.interpreter.heap import same
from accsearch.codeeval.interpreter.scope import Scope
from accsearch.codeeval.library_objects import Component
from accsearch.codeeval.values import (
    Arguments,
    Constant,
    Function,
    Instance,
    Symbol,
    Unknown,
    UserClass,
    Value,
    Wrapper,
)

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine

_AFTERWARDS = ("__post_init__", "__attrs_post_init__", "model_post_init")
"""Methods that a generated constructor calls at its end."""

_ENUMERATIONS = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"})


def define(machine: "Machine", node: ast.ClassDef, scope: Scope) -> UserClass:
    """Make a class by running its body."""
    bases = tuple(machine.evaluate(base, scope) for base in node.bases if not isinstance(base, ast.Starred))
    annotations = tuple(
        part.target.id
        for part in node.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
        if "ClassVar" not in ast.unparse(part.annotation)
    )
    enumeration = any(
        (isinstance(base, Symbol) and base.root == "enum" and base.leaf in _ENUMERATIONS)
        or (isinstance(base, UserClass) and base.enumeration)
        for base in bases
    )
    cls = UserClass(node.name, bases, annotations, enumeration)
    metaclass = [machine.evaluate(given.value, scope) for given in node.keywords if given.arg == "metaclass"]
    cls.elsewhere = any(lineage.is_foreign_class(base) for base in metaclass) or _is_checked(node)
    if any(isinstance(base, Symbol) and base.leaf == "NamedTuple" for base in bases):
        cls.fields = annotations
    inner = Scope("class", scope)
    machine.run(node.body, inner)
    for name, value in inner.state.items():
        functions.owned(value, cls)
        machine.heap.write(cls, name, value)
    if enumeration:
        _make_members(machine, cls)
    return cls


def _make_members(machine: "Machine", cls: UserClass) -> None:
    count = 0
    for name, value in list(cls.state.items()):
        if not isinstance(name, str) or name.startswith("_") or isinstance(value, Function | Wrapper):
            continue
        count += 1
        if isinstance(value, Instance) and value.cls == Symbol("enum.auto"):
            textual = any(getattr(base, "leaf", "") == "StrEnum" for base in cls.bases)
            value = Constant(name.lower() if textual else count)
        member = Instance(cls)
        machine.heap.write(member, "name", Constant(name))
        machine.heap.write(member, "value", value)
        machine.heap.write(cls, name, member)


def make_dataclass(cls: UserClass) -> None:
    """Give a class the generated `__init__` of a dataclass."""
    inherited: list[str] = []
    for ancestor in reversed(lineage.ancestors(cls)[1:]):
        if isinstance(ancestor, UserClass) and ancestor.fields is not None:
            inherited += [name for name in ancestor.fields if name not in inherited]
    cls.fields = (*inherited, *(name for name in cls.annotations if name not in inherited))


def instantiate(machine: "Machine", cls: UserClass, given: Arguments) -> Value:
    """Return `cls(…)`."""
    if cls.enumeration:
        return _member(cls, given.get("value", 0))
    base = lineage.library_base(cls)
    if base is not None and base.leaf in ("TypedDict", "dict") and base.root in ("typing", "builtins"):
        made = machine.names(given.keywords)
        machine.heap.write(made, "open", given.open_keywords or bool(given.positional))
        return made
    constructor = lineage.find(cls, "__init__")
    native = diffusion.instance_of(machine, cls, base, Arguments() if constructor is not None else given)
    instance = Instance(cls) if native is None else native
    if constructor is not None:
        if cls.elsewhere:
            elsewhere.open_up(machine, instance)
            given = replace(given, open_keywords=True)
        machine.call(constructor, given.prefixed(instance))
    elif cls.fields is not None or any(getattr(item, "fields", None) for item in lineage.ancestors(cls)):
        _fill(machine, instance, given, _fields(cls), foreign=lineage.is_foreign(cls))
    elif native is None or isinstance(native, Component):
        _construct(machine, instance, given)
    return instance


def _is_checked(node: ast.ClassDef) -> bool:
    """Tell whether functions of the class's body are called with what its instances are given."""
    decorators = [
        decorator
        for part in node.body
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)
        for decorator in part.decorator_list
    ]
    return any("validat" in ast.unparse(decorator) for decorator in decorators)


def _construct(machine: "Machine", instance: Instance, given: Arguments) -> None:
    """Make what a constructor elsewhere makes: the fields of a pydantic model, or nothing that is known."""
    order = lineage.ancestors(instance.cls)
    foreign = [item for item in order if lineage.is_foreign_class(item)]
    checked = any(getattr(item, "elsewhere", False) for item in order)
    anything = given.positional or given.keywords or given.open_positional or given.open_keywords
    if foreign and not checked and all(_is_model(base) for base in foreign):
        own = [item for item in reversed(order) if isinstance(item, UserClass)]
        names = tuple(dict.fromkeys(name for item in own for name in item.annotations))
        _fill(machine, instance, given, names)
    elif foreign or checked or anything:
        elsewhere.open_up(machine, instance)


def _is_model(base: Value) -> bool:
    return isinstance(base, Symbol) and base.root == "pydantic" and base.leaf == "BaseModel"


def _member(cls: UserClass, wanted: Value | None) -> Value:
    for member in cls.state.values():
        if isinstance(member, Instance) and (member is wanted or same(member.state.get("value"), wanted)):
            return member
    return Unknown()


def _fields(cls: Value | None) -> tuple[str, ...]:
    owner = next((item for item in lineage.ancestors(cls) if getattr(item, "fields", None)), None)
    return owner.fields if isinstance(owner, UserClass) and owner.fields else ()


def _fill(
    machine: "Machine", instance: Instance, given: Arguments, names: tuple[str, ...], *, foreign: bool = False
) -> None:
    """Set the fields of a dataclass, a named tuple or a pydantic model."""
    unsure = given.open_keywords or given.open_positional or foreign
    for index, name in enumerate(names):
        # A class elsewhere may have fields that come before these, and may change what they get.
        value = given.get(name, None if foreign else index)
        default = lineage.find(instance.cls, name)
        if value is None:
            value = Unknown() if unsure else _default(machine, instance.cls, name)
        elif isinstance(default, Unknown):
            # What describes the field may convert what it is given.
            value = Unknown()
        machine.heap.write(instance, name, value)
    if foreign:
        machine.heap.write(instance, elsewhere.OPEN, True)
    for name in _AFTERWARDS:
        if lineage.find(instance.cls, name) is not None:
            rest: list[Value] = [Unknown()] if name == "model_post_init" else []
            machine.call(machine.get(instance, name), Arguments(rest))


def _default(machine: "Machine", cls: Value | None, name: str) -> Value:
    default = lineage.find(cls, name)
    if isinstance(default, Instance) and default.cls == Symbol("dataclasses.field"):
        factory = default.state.get("default_factory")
        if factory is not None:
            return machine.call(factory, Arguments())
        return default.state.get("default") or Unknown()
    return default or Unknown()


def as_dictionary(machine: "Machine", instance: Instance) -> Value:
    """Return `dataclasses.asdict(instance)`, one level deep."""
    names = {name: value for name, value in instance.state.items() if isinstance(name, str)}
    return machine.names({name: value for name, value in names.items() if isinstance(value, Value)})


def replaced(machine: "Machine", instance: Instance, changes: dict[str, Value]) -> Value:
    """Return `dataclasses.replace(instance, **changes)`."""
    made = type(instance)(instance.cls)
    for name, value in {**instance.state, **changes}.items():
        machine.heap.write(made, name, value)
    return made
