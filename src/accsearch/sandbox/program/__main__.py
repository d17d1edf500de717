"""`python -m accsearch.sandbox.program DESCRIPTOR`: answer requests until the parent closes its pipe."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from accsearch.sandbox import wire
from accsearch.sandbox.program.answers import Answers
from accsearch.sandbox.program.attempt_notes import watch
from accsearch.sandbox.program.program_errors import described, verdict


def main(argument: str) -> None:
    """Serve requests one after the other; the descriptor is that of a JSON file which tells of them."""
    with os.fdopen(int(argument), encoding="utf-8") as file:
        told: dict[str, Any] = json.load(file)
    requests, replies, notes = told["pipes"]
    for descriptor in (requests, replies, notes):
        # What the generated file starts has no business with the pipes.
        os.set_inheritable(descriptor, False)
    answers = Answers(Path(told["file"]))
    sys.argv = [told["file"]]
    watch(notes, told["rules"], told["file"])
    while True:
        try:
            request = wire.receive(requests, max_body=0)
        except wire.ProgramGone:
            return
        nonce = request.header["nonce"]
        try:
            header, body = answers.to(request.header)
        # The outermost place of the generated file: whatever it raises, `sys.exit` too, is an answer.
        except BaseException as error:  # noqa: BLE001
            header, body = {"error": described(error, told["file"]), "verdict": verdict(error)}, b""
        wire.send(replies, {**header, "nonce": nonce}, body)


if __name__ == "__main__":
    main(sys.argv[1])
