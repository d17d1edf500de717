"""A trial's methods on a user's own pipeline: `pipe(...)` is called as before, and undone exactly."""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from accsearch.errors import UsageError
from accsearch.methods.combinations import complete
from accsearch.methods.compatibility import combines
from accsearch.task import Methods
from accsearch.worker.methods.compose import apply
from accsearch.worker.methods.session import Applied

OUTPUT_TYPES = ("pil", "np", "pt")


@contextmanager
def accelerated(pipe: Any, methods: Mapping[str, Mapping[str, Any]], seed: int) -> Iterator[Any]:
    """Yield `pipe` with `methods` on it; `seed` fixes ToMe's choice of tokens, as `worker.seed` does in a trial.

    Raises UsageError where the methods do not combine, Unsupported at the first call where one does not fit the
    denoiser. What a call changes is undone when the context ends, bit for bit.
    """
    chosen: Methods = complete(methods)
    if reason := combines(chosen):
        raise UsageError(reason)
    signature = inspect.signature(type(pipe).__call__)
    with apply(pipe, chosen, seed=seed) as applied:
        # A method may have exchanged the class: cache-dit's caches run in the `__call__` of the one it leaves.
        patched = type(pipe)
        # Python looks `__call__` up in the class, so the instance gets a class of its own while this lasts.
        pipe.__class__ = type(patched.__name__, (patched,), {"__call__": _call(patched, signature, applied)})
        try:
            yield pipe
        finally:
            pipe.__class__ = patched


def _call(patched: type, signature: inspect.Signature, applied: Applied) -> Any:
    """Return the `__call__` that generates through `applied`; `signature` is that of the pipeline's own.

    `patched` is the class that the methods left the pipeline with.
    """
    inside = verified = False

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal inside, verified
        if inside:
            return patched.__call__(self, *args, **kwargs)
        arguments = _arguments(signature, (self, *args), kwargs)
        output_type, return_dict = arguments.pop("output_type"), arguments.pop("return_dict")
        if output_type not in OUTPUT_TYPES:
            raise UsageError(f"output_type {output_type!r}: allowed {', '.join(OUTPUT_TYPES)}")
        inside = True
        try:
            if not verified:
                with torch.random.fork_rng():
                    applied.verify(**{**arguments, "generator": None})
                verified = True
            with torch.no_grad():
                images = applied(**arguments)
        finally:
            inside = False
        return _output(self, images, output_type, return_dict)

    return call


def _arguments(
    signature: inspect.Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return every argument of a call by name, defaults included, without the pipeline itself."""
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    arguments = dict(bound.arguments)
    del arguments[next(iter(signature.parameters))]
    for name, parameter in signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            arguments.update(arguments.pop(name, {}))
    return arguments


def _output(pipe: Any, images: torch.Tensor, output_type: str, return_dict: bool) -> Any:
    """Return images (batch, 3, height, width) in [0, 1] as the pipeline would."""
    from diffusers.pipelines.pipeline_utils import ImagePipelineOutput

    processor, made = pipe.image_processor, images
    if output_type != "pt":
        made = processor.pt_to_numpy(images)
    if output_type == "pil":
        made = processor.numpy_to_pil(made)
    return ImagePipelineOutput(images=made) if return_dict else (made,)
