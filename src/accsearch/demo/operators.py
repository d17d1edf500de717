"""Make torchvision importable where its wheel and torch were built for different devices."""

import sys

import torch

SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_declared: list[torch.library.Library] = []


def register_torchvision_operators() -> None:
    """Import torchvision; declare the operators that its wheel for CUDA lacks beside a torch for the CPU.

    transformers, diffusers and open_clip all import it, and none of them calls these two operators.
    Where torchvision is not installed nothing happens.
    """
    try:
        import torchvision
    except ModuleNotFoundError:
        return
    except RuntimeError as error:
        if "torchvision::" not in str(error) or _declared:
            raise
        library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        for operator in ("nms", "qnms"):
            library.define(operator + SCHEMA)  # type: ignore[no-untyped-call]
        _declared.append(library)
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        import torchvision  # noqa: F401


# Other programs import it by this name, which it had first.
mend_torchvision = register_torchvision_operators
