"""The frames between the parent and the sandboxed program: a JSON header and bytes, over two pipes.

Shared by both sides, so it imports nothing but the standard library.
"""

import json
import os
import select
import struct
import time
from dataclasses import dataclass
from typing import Any

LENGTHS = struct.Struct(">II")
MAX_HEADER = 1 << 16
CHUNK = 1 << 20

STEP_ARGUMENTS = ("timesteps", "sigmas", "denoising_end")
"""Arguments of a pipeline's call that replace or cut the number of steps."""


class Broken(Exception):
    """The other side sent something that is no frame, or more than it may."""


class ProgramGone(Exception):
    """The other side has closed its pipe."""


class TooLate(Exception):
    """The deadline passed before a whole frame had come."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message; `body` holds what is not text, such as pixels."""

    header: dict[str, Any]
    body: bytes = b""


def encode(header: dict[str, Any], body: bytes = b"") -> bytes:
    """Return a frame as bytes."""
    text = json.dumps(header, allow_nan=False).encode()
    return LENGTHS.pack(len(text), len(body)) + text + body


def receive(descriptor: int, *, deadline: float | None = None, max_body: int = 0) -> Frame:
    """Read one frame; `deadline` is on the monotonic clock. Raises Broken, ProgramGone or TooLate."""
    header_length, body_length = LENGTHS.unpack(_exactly(descriptor, LENGTHS.size, deadline))
    if header_length > MAX_HEADER or body_length > max_body:
        raise Broken(f"a frame of {header_length} + {body_length} bytes, more than asked for")
    try:
        header = json.loads(_exactly(descriptor, header_length, deadline))
    except (ValueError, RecursionError) as error:
        raise Broken(f"a frame that is not JSON: {error}") from None
    if not isinstance(header, dict):
        raise Broken("a frame that is not a JSON object")
    return Frame(header, bytes(_exactly(descriptor, body_length, deadline)))


def send(descriptor: int, header: dict[str, Any], body: bytes = b"") -> None:
    """Write one frame. Raises ProgramGone."""
    view = memoryview(encode(header, body))
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except BrokenPipeError:
        raise ProgramGone from None


def waiting(descriptor: int, within: float = 0.0) -> bool:
    """Say whether something has come, or comes within that many seconds."""
    return bool(select.select([descriptor], [], [], within)[0])


def _exactly(descriptor: int, length: int, deadline: float | None) -> bytearray:
    data = bytearray()
    while len(data) < length:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise TooLate
        part = os.read(descriptor, min(CHUNK, length - len(data)))
        if not part:
            raise ProgramGone
        data += part
    return data
