"""Walk the generated file's `pipe` and list its public parts: values, tensors, hooks and patches."""

import enum
import functools
import hashlib
import json
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

MAX_ENTRIES = 100_000
MAX_DEPTH = 24
MAX_ITEMS = 2_000
MAX_TEXT = 200
MAX_BOUND_DEPTH = 4
PART_BYTES = 4 << 20
NAMES_OF_PLACES = frozenset({"name_or_path", "cache_dir", "vocab_file", "merges_file", "tokenizer_file"})
Entry = dict[str, Any]


class Description:
    """The entries, each a path with a `value` or a `tensor` (dtype, shape, sha256), handed over in parts."""

    def __init__(self, pipe: Any) -> None:
        self._tensors: dict[str, Any] = {}
        self._seen: dict[int, str] = {}
        self._kept: list[Any] = []
        self._entries: list[Entry] = []
        for entry in self._walk(pipe, "pipe", 0):
            if len(self._entries) >= MAX_ENTRIES:
                self._entries.append({"path": "...", "value": f"over {MAX_ENTRIES} entries"})
                break
            self._entries.append(entry)

    def entries(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return the entries from number `start` on, as many as fit into a part, one JSON document a line."""
        lines: list[bytes] = []
        size = 0
        for entry in self._entries[request["start"] :]:
            line = json.dumps(entry).encode() + b"\n"
            size += len(line)
            if lines and size > PART_BYTES:
                break
            lines.append(line)
        return {"count": len(lines), "total": len(self._entries)}, b"".join(lines)

    def tensor(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return the numbers of one tensor from `start` on as 32-bit floats, as many as fit into a part."""
        import torch

        flat = self._tensors[request["path"]].detach().reshape(-1)
        part = flat[request["start"] : request["start"] + PART_BYTES // 4]
        return {"total": flat.numel()}, part.to("cpu", torch.float32).numpy().tobytes()

    def _walk(self, value: Any, path: str, depth: int) -> Iterator[Entry]:
        plain, text = _plain(value)
        if plain:
            yield {"path": path, "value": text}
            return
        if depth > MAX_DEPTH or isinstance(value, types.ModuleType | type) or _is_method(value):
            return
        if id(value) in self._seen:
            yield {"path": path, "value": f"same as {self._seen[id(value)]}"}
            return
        self._seen[id(value)] = path
        # Kept alive, so that its id is not another object's later.
        self._kept.append(value)
        if _is_tensor(value):
            self._tensors[path] = value
            yield {"path": path, "tensor": _facts(value)}
            return
        for name, part in self._parts(value, path):
            yield from self._walk(part, name, depth + 1)

    def _parts(self, value: Any, path: str) -> Iterator[tuple[str, Any]]:
        if isinstance(value, Mapping):
            for key in sorted((each for each in value if isinstance(each, str | int)), key=str)[:MAX_ITEMS]:
                if not str(key).startswith("_") and key not in NAMES_OF_PLACES:
                    yield f"{path}[{key!r}]", value[key]
            return
        if isinstance(value, list | tuple):
            yield f"{path}.length", len(value)
            for number, item in enumerate(value[:MAX_ITEMS]):
                yield f"{path}[{number}]", item
            return
        if isinstance(value, set | frozenset):
            yield f"{path}.items", ", ".join(sorted(str(_plain(each)[1]) for each in value))[:MAX_TEXT]
            return
        yield f"{path}.__class__", type(value).__name__
        yield from _module_parts(value, path) if _is_module(value) else ()
        yield from _config_parts(value, path)
        for name, part in sorted(getattr(value, "__dict__", {}).items()):
            if name.startswith("_") or name in NAMES_OF_PLACES or name in ("config", "training"):
                continue
            if _is_method(part):
                # A function in the instance itself stands in the way of the class's own: a patch.
                if hasattr(type(value), name):
                    yield f"{path}.{name}", f"patched by {_name(part)}"
                    yield from _bound(part, f"{path}.{name}", 0)
                continue
            yield f"{path}.{name}", part
        # Where tomesd keeps what it was called with, beside state of the last image.
        tome = getattr(value, "__dict__", {}).get("_tome_info")
        if isinstance(tome, Mapping) and isinstance(tome.get("args"), Mapping):
            yield from _plain_items(tome["args"], f"{path}._tome_info")


def _module_parts(module: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield f"{path}.training", module.training
    for kind in ("_forward_hooks", "_forward_pre_hooks"):
        for number, hook in enumerate(getattr(module, kind, {}).values()):
            place = f"{path}.{kind.removeprefix('_')}[{number}]"
            yield place, f"hook {_name(hook)}"
            yield from _bound(hook, place, 0)
    for group in ("_parameters", "_buffers", "_modules"):
        for name, part in getattr(module, group, {}).items():
            if part is not None:
                yield f"{path}.{name}", part


def _bound(function: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield the plain values that a function carries: defaults, closure, partial arguments, those of its object.

    Of objects that it refers to only numbers, texts and mappings of those are taken: a helper's settings.
    """
    if isinstance(function, functools.partial):
        yield from _held(function.func, f"{path}.func", depth)
        for number, value in enumerate(function.args):
            yield from _held(value, f"{path}.args[{number}]", depth)
        yield from _plain_items(function.keywords, f"{path}.keywords")
        return
    if isinstance(function, types.MethodType):
        yield from _held(function.__self__, f"{path}.__self__", depth)
        function = function.__func__
    if not isinstance(function, types.FunctionType):
        return
    for number, value in enumerate(function.__defaults__ or ()):
        yield from _held(value, f"{path}.defaults[{number}]", depth)
    yield from _plain_items(function.__kwdefaults__ or {}, f"{path}.defaults")
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            value = cell.cell_contents
        except ValueError:
            # A name that was not yet given a value.
            continue
        yield from _held(value, f"{path}.closure.{name}", depth)


def _held(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    if _plain(value)[0]:
        yield path, value
    elif _is_method(value):
        if depth < MAX_BOUND_DEPTH:
            yield from _bound(value, path, depth + 1)
    elif isinstance(value, Mapping):
        yield from _plain_items(value, path)
    elif not _is_module(value) and not isinstance(value, type | types.ModuleType):
        state = getattr(value, "__dict__", {})
        yield from _plain_items(state, path)
        for name, part in state.items():
            if isinstance(part, Mapping) and not name.startswith("_"):
                yield from _plain_items(part, f"{path}.{name}")


def _plain_items(mapping: Mapping[Any, Any], path: str) -> Iterator[tuple[str, Any]]:
    for name, value in mapping.items():
        if isinstance(name, str) and not name.startswith("_") and _plain(value)[0]:
            yield f"{path}.{name}", value


def _config_parts(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    config = getattr(value, "config", None)
    if isinstance(config, Mapping):
        yield f"{path}.config", dict(config)
    elif config is not None and hasattr(config, "to_dict"):
        yield f"{path}.config", config.to_dict()


def _plain(value: Any) -> tuple[bool, Any]:
    """Return whether a value stands for itself, and how it is written."""
    if value is None or isinstance(value, bool):
        return True, value
    if isinstance(value, enum.Enum):
        return True, str(value)
    if isinstance(value, int | float):
        return True, value if isinstance(value, int) and abs(value) < 2**53 else repr(value)
    if isinstance(value, str | PurePath):
        return True, str(value)[:MAX_TEXT]
    if isinstance(value, bytes):
        return True, hashlib.sha256(value).hexdigest()
    if type(value).__module__ == "torch" and type(value).__name__ in ("dtype", "device", "layout", "Size"):
        return True, str(value)
    if hasattr(value, "dtype") and hasattr(value, "item") and getattr(value, "shape", None) == ():
        return True, repr(value.item())
    return False, None


def _is_tensor(value: Any) -> bool:
    import torch

    return isinstance(value, torch.Tensor) or (_is_array(value) and value.dtype.kind in "biuf")


def _is_array(value: Any) -> bool:
    return type(value).__module__ == "numpy" and type(value).__name__ == "ndarray"


def _is_module(value: Any) -> bool:
    import torch

    return isinstance(value, torch.nn.Module)


def _is_method(value: Any) -> bool:
    methods = types.FunctionType | types.MethodType | types.BuiltinFunctionType
    return isinstance(value, methods) or type(value).__name__ == "partial"


def _facts(value: Any) -> dict[str, Any]:
    import torch

    tensor = torch.as_tensor(value).detach().cpu().contiguous()
    content = tensor.reshape(-1).view(torch.uint8).numpy().tobytes()
    return {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__qualname__", type(function).__name__))[:MAX_TEXT]
