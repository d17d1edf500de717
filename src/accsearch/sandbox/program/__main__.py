"""`python -m accsearch.sandbox.program DESCRIPTOR`: answer the client's requests until it closes its pipe."""

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
    """Answer requests one after the other; `argument` is the descriptor of a JSON file with the settings."""
    with os.fdopen(int(argument), encoding="utf-8") as file:
        settings: dict[str, Any] = json.load(file)
    requests, replies, notes = settings["pipes"]
    for descriptor in (requests, replies, notes):
        # What the generated file starts has no business with the pipes.
        os.set_inheritable(descriptor, False)
    answers = Answers(Path(settings["file"]))
    sys.argv = [settings["file"]]
    watch(notes, settings["rules"], settings["file"])
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
            header, body = {"error": described(error, settings["file"]), "verdict": verdict(error)}, b""
        wire.send(replies, {**header, "nonce": nonce}, body)


if __name__ == "__main__":
    main(sys.argv[1])
