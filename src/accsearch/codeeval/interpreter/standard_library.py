"""The functions of the standard library with which such programs build constants and run things."""

import json
import math
import posixpath
import sys
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from accsearch.codeeval.interpreter import (
    builtin_calls,
    classes,
    constants,
    copying,
    expressions,
    iteration,
    subscripts,
)
from accsearch.codeeval.interpreter.constants import NotConstant
from accsearch.codeeval.interpreter.control_flow import ExitSignal
from accsearch.codeeval.values import (
    Arguments,
    Constant,
    Function,
    Instance,
    Partial,
    Stream,
    Symbol,
    Tuple,
    Unknown,
    UserClass,
    Value,
    Wrapper,
)

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine

_PURE: dict[str, Callable[..., Any]] = {
    "math.floor": math.floor, "math.ceil": math.ceil, "math.sqrt": math.sqrt, "math.log": math.log,
    "math.log2": math.log2, "math.log10": math.log10, "math.prod": math.prod, "math.gcd": math.gcd,
    "math.trunc": math.trunc, "math.fabs": math.fabs, "math.isclose": math.isclose, "math.hypot": math.hypot,
    "os.path.join": posixpath.join, "os.path.basename": posixpath.basename,
    "os.path.dirname": posixpath.dirname,
    "os.path.splitext": posixpath.splitext, "os.path.normpath": posixpath.normpath,
    "json.loads": json.loads, "os.fspath": str,
}  # fmt: skip
_PATHS = frozenset({"Path", "PurePath", "PosixPath", "PurePosixPath"})


def is_standard(function: Symbol) -> bool:
    """Tell whether the symbol is of the standard library."""
    return function.root in sys.stdlib_module_names


def call(machine: "Machine", function: Symbol, given: Arguments) -> Value | None:
    """Return the result of a function of the standard library that is followed; None for any other."""
    if function.name in _PURE:
        return builtin_calls.pure(machine, _PURE[function.name], given)
    if function.root == "pathlib" and function.leaf in _PATHS:
        return _path(given)
    handler = _HANDLERS.get(function.name)
    return None if handler is None else handler(machine, given)


def _path(given: Arguments) -> Value:
    try:
        return Constant(PurePosixPath(*(constants.to_python(part) for part in given.positional)))
    except (NotConstant, TypeError):
        return Unknown()


def _partial(machine: "Machine", given: Arguments) -> Value:
    if not given.positional:
        return Unknown()
    function, *rest = given.positional
    held = Arguments(rest, given.keywords, given.open_positional, given.open_keywords, given.origin)
    return Partial(function, held)


def _namespace(machine: "Machine", given: Arguments) -> Value:
    made = Instance(Symbol("types.SimpleNamespace"))
    for name, value in given.keywords.items():
        machine.heap.write(made, name, value)
    return made


def _first(machine: "Machine", given: Arguments) -> Value:
    return given.positional[0] if given.positional else Unknown()


def _import_module(machine: "Machine", given: Arguments) -> Value:
    name = given.get("name", 0)
    known = isinstance(name, Constant) and isinstance(name.value, str) and bool(name.value)
    return machine.symbol(name.value) if isinstance(name, Constant) and known else Unknown()


def _soft_exit(machine: "Machine", given: Arguments) -> Value:
    raise ExitSignal


def _hard_exit(machine: "Machine", given: Arguments) -> Value:
    raise ExitSignal(hard=True)


def _await(machine: "Machine", given: Arguments) -> Value:
    return expressions.awaited(machine, given.positional[0]) if given.positional else Unknown()


def _gather(machine: "Machine", given: Arguments) -> Value:
    return machine.sequence(tuple(expressions.awaited(machine, value) for value in given.positional))


def _to_thread(machine: "Machine", given: Arguments) -> Value:
    if not given.positional:
        return Unknown()
    function, *rest = given.positional
    return machine.call(function, Arguments(rest, given.keywords))


def _thread(machine: "Machine", given: Arguments) -> Value:
    made = Instance(Symbol("threading.Thread"))
    for name, index in (("target", 1), ("args", 3), ("kwargs", 4)):
        value = given.get(name, index)
        if value is not None:
            machine.heap.write(made, name, value)
    return made


def _field(machine: "Machine", given: Arguments) -> Value:
    made = Instance(Symbol("dataclasses.field"))
    for name, value in given.keywords.items():
        machine.heap.write(made, name, value)
    return made


def _dataclass(machine: "Machine", given: Arguments) -> Value:
    if given.positional and isinstance(given.positional[0], UserClass):
        classes.make_dataclass(given.positional[0])
        return given.positional[0]
    return Symbol("dataclasses.dataclass")


def _as_dictionary(machine: "Machine", given: Arguments) -> Value:
    value = given.get("obj", 0)
    return classes.as_dictionary(machine, value) if isinstance(value, Instance) else Unknown()


def _replace(machine: "Machine", given: Arguments) -> Value:
    value = given.get("obj", 0)
    return classes.replaced(machine, value, given.keywords) if isinstance(value, Instance) else Unknown()


def _chain(machine: "Machine", given: Arguments) -> Value:
    sources = [machine.iterate(value) for value in given.positional]
    if given.open_positional or None in sources:
        return Unknown()
    return Stream(item for source in sources for item in source or ())


def _product(machine: "Machine", given: Arguments) -> Value:
    pools = [iteration.collect(machine, value) for value in given.positional]
    known = [pool for pool in pools if pool is not None]
    if given.open_positional or given.keywords or len(known) != len(pools):
        return Unknown()
    return Stream(_combinations(known))


def _combinations(pools: list[tuple[Value, ...]]) -> Iterator[Value]:
    if not pools:
        yield Tuple(())
        return
    for item in pools[0]:
        for rest in _combinations(pools[1:]):
            assert isinstance(rest, Tuple)
            yield Tuple((item, *rest.items))


def _counter(machine: "Machine", given: Arguments) -> Value:
    start = given.get("start", 0) or Constant(0)
    step = given.get("step", 1) or Constant(1)
    if not all(isinstance(value, Constant) and isinstance(value.value, int) for value in (start, step)):
        return Unknown()

    def count() -> Iterator[Value]:
        at = constants.to_python(start)
        while True:
            machine.tick()
            yield Constant(at)
            at += constants.to_python(step)

    return Stream(count())


def _slice(machine: "Machine", given: Arguments) -> Value:
    source = machine.iterate(given.positional[0]) if given.positional else None
    try:
        limits = [constants.to_python(value) for value in given.positional[1:]]
    except NotConstant:
        source = None
        limits = []
    if source is None or len(limits) != 1 or not isinstance(limits[0], int):
        return Unknown()
    return Stream(item for _, item in zip(range(limits[0]), source, strict=False))


def _default_dict(machine: "Machine", given: Arguments) -> Value:
    made = machine.dictionary({})
    for source in given.positional[1:2]:
        subscripts.update(machine, made, source)
    if given.positional:
        # Reading a missing key gives what the factory makes, which is not followed.
        machine.heap.write(made, "factory", Unknown())
    return made


def _ordered(machine: "Machine", given: Arguments) -> Value:
    return machine.call(Symbol("builtins.dict"), given)


def _list(machine: "Machine", given: Arguments) -> Value:
    return machine.call(Symbol("builtins.list"), Arguments(given.positional[:1]))


def _reduce(machine: "Machine", given: Arguments) -> Value:
    items = iteration.collect(machine, given.positional[1]) if len(given.positional) > 1 else None
    if not items and len(given.positional) < 3:
        return Unknown()
    rest = list(items or ())
    result = given.positional[2] if len(given.positional) > 2 else rest.pop(0)
    for item in rest:
        result = machine.call(given.positional[0], Arguments([result, item]))
    return Unknown() if items is None else result


def _suppress(machine: "Machine", given: Arguments) -> Value:
    return Wrapper("suppress", Tuple(tuple(given.positional)))


def _null_context(machine: "Machine", given: Arguments) -> Value:
    return Wrapper("nullcontext", given.get("enter_result", 0) or Constant(None))


def _context_manager(machine: "Machine", given: Arguments) -> Value:
    return Wrapper("contextmanager", given.positional[0]) if given.positional else Unknown()


def _command_line(machine: "Machine", given: Arguments) -> Value:
    """Run what a command line starts: its arguments are known only when it is typed."""
    main = given.get("component", 0)
    return machine.call(main, Arguments(open_keywords=True)) if isinstance(main, Function) else Unknown()


def _register(machine: "Machine", given: Arguments) -> Value:
    if not given.positional:
        return Unknown()
    machine.at_exit(_partial(machine, given))
    return given.positional[0]


_HANDLERS: dict[str, Callable[["Machine", Arguments], Value]] = {
    "functools.partial": _partial, "functools.reduce": _reduce, "types.SimpleNamespace": _namespace,
    "types.MappingProxyType": _first, "typing.cast": lambda machine, given: given.get("", 1) or Unknown(),
    "copy.copy": copying.shallow, "copy.deepcopy": copying.deep, "importlib.import_module": _import_module,
    "sys.exit": _soft_exit, "os._exit": _hard_exit, "os.abort": _hard_exit, "asyncio.run": _await,
    "asyncio.gather": _gather, "asyncio.create_task": _await, "asyncio.ensure_future": _await,
    "asyncio.wait_for": _await, "asyncio.shield": _await, "asyncio.to_thread": _to_thread,
    "threading.Thread": _thread, "multiprocessing.Process": _thread, "dataclasses.field": _field,
    "dataclasses.dataclass": _dataclass, "dataclasses.asdict": _as_dictionary,
    "dataclasses.replace": _replace,
    "enum.auto": lambda machine, given: Instance(Symbol("enum.auto")), "itertools.chain": _chain,
    "itertools.product": _product, "itertools.count": _counter, "itertools.islice": _slice,
    "collections.OrderedDict": _ordered, "collections.defaultdict": _default_dict, "collections.deque": _list,
    "contextlib.suppress": _suppress, "contextlib.nullcontext": _null_context,
    "contextlib.contextmanager": _context_manager, "fire.Fire": _command_line, "typer.run": _command_line,
    "tyro.cli": _command_line, "atexit.register": _register,
}  # fmt: skip
