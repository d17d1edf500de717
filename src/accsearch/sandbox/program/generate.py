"""Make one image the way the generated file does, and hand over its pixels."""

import inspect
import sys
from typing import Any

from accsearch.sandbox.program.program_errors import WrongPipe
from accsearch.sandbox.program.recording import ENTRY_NAMES, Call


def generate(pipe: Any, call: Call | None, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Answer a request for one image of `prompt` from `seed`: its size, and its RGB bytes."""
    entry, arguments = _entry(pipe, call)
    offered = {**arguments, **request["arguments"]}
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        # A wrapper may take no generator: then this is where its noise comes from.
        torch.manual_seed(request["seed"])
        offered["generator"] = torch.Generator("cpu").manual_seed(request["seed"])
    result = entry(request["prompt"], **_accepted(entry, offered))
    image = _first_image(result)
    return {"width": image.width, "height": image.height}, image.tobytes()


def _entry(pipe: Any, call: Call | None) -> tuple[Any, dict[str, Any]]:
    """Return what generates, and the arguments that the file itself gives it."""
    if call is not None:
        return (pipe if call.entry == "__call__" else getattr(pipe, call.entry)), dict(call.arguments)
    # Without a call of the file's own: the entry point that a loader has put there is meant to be used.
    for name in ENTRY_NAMES:
        entry = getattr(pipe, name, None)
        if callable(entry):
            return entry, {}
    return pipe, {}


def _accepted(entry: Any, offered: dict[str, Any]) -> dict[str, Any]:
    try:
        parameters = inspect.signature(entry).parameters
    except (TypeError, ValueError):
        return offered
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values()):
        return offered
    return {name: value for name, value in offered.items() if name in parameters}


def _first_image(result: Any) -> Any:
    """Return the first image of a result as an RGB picture, from the host's memory."""
    from PIL import Image

    images = getattr(result, "images", result)
    if isinstance(images, list | tuple):
        if not images:
            raise WrongPipe("`pipe` returns no image")
        images = images[0]
    if isinstance(images, list):
        images = images[0]
    if isinstance(images, Image.Image):
        return images.convert("RGB")
    return Image.fromarray(_pixels(images), "RGB")


def _pixels(value: Any) -> Any:
    """Return 8-bit pixels (height, width, 3) from an array or a tensor of one image or a batch."""
    import numpy

    torch: Any = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        value = value.detach().float().cpu().numpy()
        value = numpy.moveaxis(value, -3, -1) if value.ndim >= 3 and value.shape[-1] != 3 else value
    if not isinstance(value, numpy.ndarray):
        raise WrongPipe(f"`pipe` returns {type(value).__name__}, not images")
    if value.ndim == 4 and len(value):
        value = value[0]
    if value.ndim != 3 or value.shape[-1] != 3:
        raise WrongPipe(f"`pipe` returns an array of shape {value.shape}, not an image")
    if value.dtype != numpy.uint8:
        value = (numpy.nan_to_num(value) * 255).round().clip(0, 255).astype(numpy.uint8)
    return value
