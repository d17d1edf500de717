"""Imported names: what they stand for, and how one thing with several import paths gets one name."""

import math
import sys
from typing import TYPE_CHECKING

from accsearch.codeeval.knowledge import KNOWN_PACKAGES, PIPELINE_PACKAGES, STAR_EXPORTS
from accsearch.codeeval.values import Constant, Native, Symbol, Unknown, Value

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine
    from accsearch.codeeval.interpreter.scope import Scope

_CONSTANTS: dict[str, object] = {
    "typing.TYPE_CHECKING": False,
    "math.pi": math.pi,
    "math.e": math.e,
    "math.tau": math.tau,
}
_FLAT_PACKAGES = frozenset({"diffusers", "DeepCache", "tgate", "tomesd", "cache_dit"})
"""Packages whose public names are the same thing whichever module they are imported from."""


def canonical(name: str) -> str:
    """Return the shortest path of a library's name: `diffusers.hooks.x` and `diffusers.x` are the same."""
    root, *parts = name.split(".")
    if root not in _FLAT_PACKAGES or len(parts) < 2:
        return name
    for index, part in enumerate(parts):
        if part[:1].isupper():
            return ".".join([root, *parts[index:]])
    return f"{root}.{parts[-1]}"


def symbol(machine: "Machine", name: str) -> Value:
    """Return what an imported name stands for, which the program may have replaced."""
    name = canonical(name)
    replaced: Value | None = machine.patches.state.get(name)
    if replaced is not None:
        return replaced
    if name in _CONSTANTS:
        return Constant(_CONSTANTS[name])
    return Symbol(name)


def is_library(value: Symbol) -> bool:
    """Tell whether the symbol is of the standard library or of a package of which it is known what it does."""
    return value.root in KNOWN_PACKAGES or value.root in sys.stdlib_module_names or value.root == "builtins"


def is_class(value: Symbol) -> bool:
    """Tell whether the symbol is certainly a class: by its name, of a library that keeps to the usual names."""
    leaf = value.leaf
    return is_library(value) and leaf[:1].isupper() and not leaf.isupper()


def is_certain(machine: "Machine", value: Symbol) -> bool:
    """Tell whether the symbol is a module, class or function, none of which is ever false or None.

    What is imported from code elsewhere may be a flag.
    """
    if is_class(value) or ("module", value.name) in machine.journal.state:
        return True
    if not is_library(value) or value.leaf.isupper():
        return False
    return "." not in value.name or ("imported", value.name) in machine.journal.state


def is_opaque(value: Value) -> bool:
    """Tell whether it is unknown what a value equals: two of them, or one and a constant, may be the same."""
    return isinstance(value, Unknown | Native) or (isinstance(value, Symbol) and not is_class(value))


def imported(machine: "Machine", name: str, *, module: bool = False) -> Value:
    """Return what an import statement binds."""
    value = symbol(machine, name)
    if isinstance(value, Symbol):
        machine.heap.write(machine.journal, ("module" if module else "imported", value.name), True)
    return value


def from_star(machine: "Machine", scope: "Scope", name: str) -> Value | None:
    """Return what a star import may have bound `name` to."""
    for module in reversed(scope.module.stars):
        root = module.partition(".")[0]
        exports = STAR_EXPORTS.get(root)
        known = name in exports if exports is not None else root == "diffusers" and name[:1].isupper()
        if known:
            return imported(machine, f"{root}.{name}")
    return None


def is_pipeline_class(value: Value | None) -> bool:
    """Tell whether a library class is a pipeline by its name and package."""
    if not isinstance(value, Symbol) or value.root not in PIPELINE_PACKAGES:
        return False
    leaf = value.leaf
    return leaf[:1].isupper() and (leaf.endswith("Pipeline") or leaf.startswith("AutoPipelineFor"))


def is_scheduler_class(value: Value | None) -> bool:
    """Tell whether a library class is one of diffusers' schedulers."""
    return isinstance(value, Symbol) and value.root == "diffusers" and value.leaf.endswith("Scheduler")
