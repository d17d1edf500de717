"""torch.compile of the denoiser; what it costs to compile is set-up time, paid before anything is timed.

Ansel et al.: PyTorch 2: Faster Machine Learning Through Dynamic Python Bytecode Transformation and Graph
Compilation, ASPLOS 2024.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from accsearch.methods.info import Parameters
from accsearch.worker.methods.patch import replaced
from accsearch.worker.methods.repeated_blocks import repeated_blocks
from accsearch.worker.methods.session import Invoke, Session, Unsupported

RECOMPILE_LIMIT = 64


@contextmanager
def native(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Compile the denoiser's `forward`, and whatever another method runs in its place, in `mode`."""
    if parameters.get("regions") == "blocks":  # trials of earlier versions have no regions
        with _blocks(session):
            yield invoke
        return
    mode = str(parameters["mode"])
    before = session.compiled, session.kept

    def compile_one(function: Callable[..., Any]) -> Callable[..., Any]:
        compiled_function = torch.compile(function, mode=mode, dynamic=False)

        def run(*args: Any, **kwargs: Any) -> Any:
            return tuple(session.kept(tensor) for tensor in compiled_function(*args, **kwargs))

        return run

    session.compiled = compile_one
    if mode == "reduce-overhead":
        # A replayed graph writes where it wrote before, and samplers look back at earlier outputs.
        session.kept = torch.clone
    try:
        # Each phase of a method is a graph of its own.
        with (
            torch._dynamo.config.patch(recompile_limit=RECOMPILE_LIMIT),
            replaced(session.denoiser, compile_one(session.denoiser.forward)),
        ):
            yield invoke
    finally:
        session.compiled, session.kept = before
        torch.compiler.reset()


@contextmanager
def _blocks(session: Session) -> Iterator[None]:
    """Compile the `forward` of each repeated block, so that caches can be put round them; equal ones share the code."""
    names = getattr(session.denoiser, "_repeated_blocks", None) or ()
    named = [each for each in session.denoiser.modules() if type(each).__name__ in names]
    # diffusers names those of UNets and of some transformers; SD3, PixArt, Sana and AuraFlow are not among them.
    blocks = named or repeated_blocks(session.denoiser)
    if not blocks:
        raise Unsupported(
            f"compile: no repeated blocks are known of {type(session.denoiser).__name__} "
            "(compile.regions: denoiser)"
        )
    try:
        with torch._dynamo.config.patch(recompile_limit=RECOMPILE_LIMIT), ExitStack() as stack:
            for block in blocks:
                compiled = torch.compile(block.forward, dynamic=False)
                stack.enter_context(replaced(block, compiled))
            yield
    finally:
        torch.compiler.reset()


package = None
"""The published packages do not go with it."""
