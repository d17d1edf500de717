"""The channel between a scheduler and a keeper: one JSON object a line on a Unix socket."""

import json
from typing import Any

CHANNEL = 3
"""Descriptor of the channel in a keeper."""
NONCE = "ACCSEARCH_NONCE"
"""Environment variable by which the processes of an attempt are known."""
LAUNCHED = "ACCSEARCH_LAUNCHED"
"""Environment variable that tells a worker when its attempt began: seconds of the machine's monotonic clock."""
LEASE = 4
"""Descriptor of the GPU's lease in a keeper and in its workers; not open without a GPU."""


class Lines:
    """Puts messages together from the pieces in which a stream delivers them."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Return the messages that are complete now."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]

    @staticmethod
    def encode(message: dict[str, Any]) -> bytes:
        return json.dumps(message).encode() + b"\n"
