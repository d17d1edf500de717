"""The objects mode: two files run, each in a sandbox of its own, and their `pipe` objects are compared."""

import json
import math
import os
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accsearch.codeeval.readable_models import models_of
from accsearch.codeeval.source import Unparsable, read_source
from accsearch.codeeval.static import extract_source
from accsearch.cpu_load import settings_now
from accsearch.errors import UsageError
from accsearch.sandbox.client import ReadableModels, Refused, SandboxClient, open_client
from accsearch.sandbox.levels import choose
from accsearch.sandbox.rules import Limits

TIMEOUT = 900.0
PART = 8 << 20
MAX_ENTRIES = 100_001
MAX_DIFFERENCES = 1_000
MAX_TEXT = 300
MAX_NUMBERS = 1 << 28
"""Numbers compared in one tensor; a longer one is judged by its beginning."""

Entries = dict[str, Mapping[str, Any]]


def compare_objects(
    reference: Path,
    generated: Path,
    *,
    allow_exec: bool = False,
    isolation: str = "auto",
    relative: float = 1e-5,
    absolute: float = 1e-8,
    timeout: float = TIMEOUT,
    models: ReadableModels | None = None,
) -> dict[str, Any]:
    """Return the JSON of `compare --mode objects`; tensors match within `absolute + relative * |reference|`.

    A file that cannot be run gives `verdict` mismatch with an `error`, one that does not parse `unparsable`.
    Raises UsageError without `allow_exec` and where the sandbox level asked for is missing.
    """
    if not allow_exec:
        raise UsageError("comparing objects runs both programs: give --allow-exec to let it")
    level = choose(isolation)
    limits = Limits(wall_seconds=timeout, memory=None)
    readable = models or ReadableModels({}, ())
    result: dict[str, Any] = {"compared": 0, "matched": 0, "match_rate": 0.0, "differences": []}
    result |= {"verdict": "mismatch", "isolation": level.value, "error": None}
    read = {file: read_source(file) for file in (reference, generated)}
    result["remarks"] = [f"{file}: {remark}" for file, source in read.items() for remark in source.remarks]
    sources = [read[reference].data, read[generated].data]
    try:
        needed = [
            models_of(extract_source(source, str(file)), readable)
            for file, source in zip((reference, generated), sources, strict=True)
        ]
    except Unparsable as error:
        return {**result, "verdict": "unparsable", "error": str(error)}
    which, threads = "reference", settings_now(os.environ)
    try:
        with open_client(sources[0], level, limits, needed[0], threads=threads) as first:
            mine = _entries(first, timeout)
            which = "generated"
            with open_client(
                sources[1], level, limits, needed[1], hidden=[reference], threads=threads
            ) as second:
                other = _entries(second, timeout)
                found = _Comparison(first, second, relative, absolute, timeout).of(mine, other)
    except Refused as refused:
        return {**result, "error": f"{which}: {refused.verdict}: {refused}"}
    return {**result, **found}


def _entries(client: SandboxClient, timeout: float) -> Entries:
    client.ask("load", timeout=timeout)
    found: Entries = {}
    start, total = 0, 1
    while start < total:
        answer, _ = client.ask("describe", timeout=timeout, max_body=PART, start=start)
        total, lines = answer.header.get("total", 0), answer.body.splitlines()
        if not isinstance(total, int) or not 0 < total <= MAX_ENTRIES or not lines:
            raise Refused("unsafe", "a forged description")
        for line in lines:
            entry = _entry(line)
            found[entry["path"]] = entry
        start += len(lines)
    return found


def _entry(line: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        raise Refused("unsafe", "a forged description") from None
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise Refused("unsafe", "a forged description")
    return entry


class _Comparison:
    def __init__(
        self, first: SandboxClient, second: SandboxClient, relative: float, absolute: float, timeout: float
    ) -> None:
        self._clients = first, second
        self._relative, self._absolute = relative, absolute
        self._timeout = timeout

    def of(self, first: Entries, second: Entries) -> dict[str, Any]:
        differences: list[dict[str, Any]] = []
        paths = list(dict.fromkeys([*first, *second]))
        matched = 0
        for path in paths:
            mine, other = first.get(path), second.get(path)
            if mine is not None and other is not None and self._equal(path, mine, other):
                matched += 1
            elif len(differences) < MAX_DIFFERENCES:
                differences.append({"path": path, "reference": _shown(mine), "generated": _shown(other)})
        return {
            "compared": len(paths),
            "matched": matched,
            "match_rate": matched / len(paths),
            "differences": differences,
            "verdict": "match" if matched == len(paths) else "mismatch",
        }

    def _equal(self, path: str, mine: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        left, right = mine.get("tensor"), other.get("tensor")
        if not isinstance(left, dict) or not isinstance(right, dict):
            return left is right is None and mine.get("value") == other.get("value")
        if left == right:
            return True
        if (left.get("dtype"), left.get("shape")) != (right.get("dtype"), right.get("shape")):
            return False
        return self._close(path)

    def _close(self, path: str) -> bool:
        start = 0
        while start < MAX_NUMBERS:
            (left, total), (right, other_total) = (self._numbers(each, path, start) for each in self._clients)
            if len(left) != len(right) or total != other_total or not left:
                return False
            if left.tobytes() != right.tobytes() and not all(map(self._near, left, right)):
                return False
            start += len(left)
            if start >= total:
                return True
        return True

    def _numbers(self, client: SandboxClient, path: str, start: int) -> tuple["array[float]", int]:
        answer, _ = client.ask("tensor", timeout=self._timeout, max_body=PART, path=path, start=start)
        total = answer.header.get("total")
        if not isinstance(total, int) or len(answer.body) % 4:
            raise Refused("unsafe", "a forged tensor")
        numbers = array("f")
        numbers.frombytes(answer.body)
        return numbers, total

    def _near(self, reference: float, generated: float) -> bool:
        if math.isnan(reference) or math.isnan(generated):
            return math.isnan(reference) and math.isnan(generated)
        if math.isinf(reference) or math.isinf(generated):
            return reference == generated
        return abs(reference - generated) <= self._absolute + self._relative * abs(reference)


def _shown(entry: Mapping[str, Any] | None) -> Any:
    if entry is None:
        return None
    tensor = entry.get("tensor")
    if isinstance(tensor, dict):
        return f"{tensor.get('dtype')} {tensor.get('shape')} sha256 {str(tensor.get('sha256'))[:12]}"[
            :MAX_TEXT
        ]
    value = entry.get("value")
    # An honest description writes numbers that are not whole as text; JSON has no infinity.
    return value if isinstance(value, int | None) else str(value)[:MAX_TEXT]
