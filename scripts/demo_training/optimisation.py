"""One training step as a CUDA graph, and an optimiser that such a graph can hold."""

import sys
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

Step = Callable[[], Tensor]
WARM_UP_RUNS = 4


class CaptureError(RuntimeError):
    """A training step could not be captured; the process's random state is not to be trusted after it."""


class Optimiser:
    """AdamW over float32 master copies of modules that compute in bfloat16 on a GPU, with an average (EMA).

    Every tensor it touches is created here, so that `update` can be captured and replayed; the learning
    rate is a tensor on the device that is filled between replays.
    """

    def __init__(self, modules: Sequence[nn.Module], average_decay: float, device: torch.device) -> None:
        on_gpu = device.type == "cuda"
        self.dtype = torch.bfloat16 if on_gpu else torch.float32
        self.average_decay = average_decay
        for module in modules:
            module.to(device).train()
        self.parameters: list[Tensor] = [parameter for module in modules for parameter in module.parameters()]
        self.master = [parameter.detach().float().clone() for parameter in self.parameters]
        self.average = [master.clone() for master in self.master]
        self.gradients = [torch.zeros_like(master) for master in self.master]
        for master, gradient in zip(self.master, self.gradients, strict=True):
            master.grad = gradient
        for module in modules:
            module.to(self.dtype)
        self.rate = torch.zeros((), device=device)
        self.adam = torch.optim.AdamW(
            self.master,
            lr=self.rate,
            betas=(0.9, 0.98),
            weight_decay=0.01,
            capturable=on_gpu,
            fused=True if on_gpu else None,
        )

    def update(self, loss: Tensor) -> None:
        """Take one step down the gradient of `loss` and move the average."""
        gradients = torch.autograd.grad(loss, self.parameters)
        with torch.no_grad():
            torch._foreach_copy_(self.gradients, gradients)
            torch.nn.utils.clip_grad_norm_(self.master, 1.0, foreach=True)
            self.adam.step()
            torch._foreach_copy_(self.parameters, self.master)
            torch._foreach_lerp_(self.average, self.master, 1 - self.average_decay)

    def averaged_state(self, module: nn.Module) -> dict[str, Tensor]:
        """Return the averaged weights of one of the modules, in float16 on the CPU."""
        places = {id(parameter): index for index, parameter in enumerate(self.parameters)}
        return {
            name: self.average[places[id(parameter)]].half().cpu().contiguous()
            for name, parameter in module.named_parameters()
        }


class CapturedStep:
    """A training step as one CUDA graph; it keeps the step, whose closure holds the graph's inputs."""

    def __init__(self, step: Step) -> None:
        self._step = step
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP_RUNS):
                step()
        torch.cuda.current_stream().wait_stream(side)
        torch.cuda.synchronize()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._metrics = step()

    def __call__(self) -> Tensor:
        self._graph.replay()
        return self._metrics


def capture(step: Step, device: torch.device, eager: bool) -> Step:
    """Return `step` as one CUDA graph, or `step` itself on a CPU or where asked for.

    Raises CaptureError. The learning rate is 0 while the step is warmed up, so that changes no weight.
    """
    if device.type != "cuda" or eager:
        print(f"steps run eagerly on {device}", file=sys.stderr, flush=True)
        return step
    try:
        captured = CapturedStep(step)
    except torch.cuda.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise CaptureError(str(error)) from error
    print("steps are replayed as a CUDA graph", file=sys.stderr, flush=True)
    return captured
