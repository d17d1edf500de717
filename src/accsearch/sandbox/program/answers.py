"""The answers to the client's requests: load the file, generate an image, describe the pipe."""

import gc
import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

from accsearch.sandbox.program.program_errors import WrongPipe
from accsearch.sandbox.program.recording import Call, CallRecorder
from accsearch.sandbox.wire import STEP_ARGUMENTS

USES_DIFFUSION = re.compile(rb"diffusers|tgate|DeepCache|tomesd|transformers")
Answer = tuple[dict[str, Any], bytes]


class Answers:
    """Holds the loaded file's `pipe` between requests."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._recorder = CallRecorder()
        self._pipe: Any = None
        self._description: Any = None

    def to(self, request: dict[str, Any]) -> Answer:
        """Return header and body of the answer to one request."""
        match request["kind"]:
            case "load":
                # Imports make objects that stay: collections among them would only take time.
                gc.disable()
                try:
                    return self._load()
                finally:
                    gc.enable()
            case "generate":
                from accsearch.sandbox.program.generate import generate

                header, body = generate(self._pipe, self._recorder.last_on(self._pipe), request)
                return {**header, "arguments": _numbers(self._recorder.last)}, body
            case "describe":
                return self._describe(request)
            case "tensor":
                answer: Answer = self._description.tensor(request)
                return answer
            case kind:
                raise WrongPipe(f"unknown request {kind}")

    def _load(self) -> Answer:
        if USES_DIFFUSION.search(self._file.read_bytes()):
            from accsearch.demo.operators import register_torchvision_operators

            register_torchvision_operators()
            self._recorder.install()
        # Run as a program: what people put under `if __name__ == "__main__"` is part of it.
        specification = importlib.util.spec_from_file_location("__main__", self._file)
        assert specification is not None and specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        sys.modules["__main__"] = module
        specification.loader.exec_module(module)
        if not hasattr(module, "pipe"):
            raise WrongPipe("the file defines no `pipe`")
        self._pipe = module.pipe
        if not callable(self._pipe):
            raise WrongPipe(f"`pipe` is of type {type(self._pipe).__name__}, neither a pipeline nor callable")
        own = self._recorder.last_on(self._pipe)
        # A wrapper has no call of its own: then it is that of the pipeline that it wraps.
        call = own or self._recorder.last
        header = {
            "pipe": type(self._pipe).__name__,
            "entry": "__call__" if own is None else own.entry,
            "called": call is not None,
            "arguments": _numbers(call),
        }
        return header, b""

    def _describe(self, request: dict[str, Any]) -> Answer:
        from accsearch.sandbox.program.describe import Description

        self._description = Description(self._pipe)
        answer: Answer = self._description.entries(request)
        return answer


def _numbers(call: Call | None) -> dict[str, float]:
    """Return the numbers among a call's arguments, and 1 for what replaces the number of steps."""
    arguments = {} if call is None else call.arguments
    numbers = {
        name: value
        for name, value in arguments.items()
        if isinstance(value, bool | int | float) and abs(value) <= sys.float_info.max
    }
    return {**numbers, **{name: 1 for name in STEP_ARGUMENTS if arguments.get(name) is not None}}
