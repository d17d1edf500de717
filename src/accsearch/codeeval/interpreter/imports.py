"""Import statements; every import succeeds."""

import ast
from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import modules

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine
    from accsearch.codeeval.interpreter.scope import Scope


def import_(machine: "Machine", node: ast.Import, scope: "Scope") -> None:
    """Bind the names of `import a.b` and `import a.b as c`."""
    for alias in node.names:
        name = alias.asname or alias.name.partition(".")[0]
        path = alias.name if alias.asname else name
        machine.heap.write(scope.home(name), name, modules.imported(machine, path, module=True))


def import_from(machine: "Machine", node: ast.ImportFrom, scope: "Scope") -> None:
    """Bind the names of `from a import b`; a star is remembered and looked through later."""
    module = "." * node.level + (node.module or "")
    for alias in node.names:
        if alias.name == "*":
            scope.module.stars.append(module)
            continue
        if module == "__future__":
            continue
        name = alias.asname or alias.name
        machine.heap.write(scope.home(name), name, modules.imported(machine, f"{module}.{alias.name}"))
