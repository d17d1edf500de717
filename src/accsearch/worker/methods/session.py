"""What the methods of one trial share: the pipeline, the clock of its denoiser calls, the call to make."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from accsearch.methods.catalogue import fresh_steps
from accsearch.task import Methods
from accsearch.worker.methods.guidance import branches
from accsearch.worker.methods.snapshot import Snapshot

Invoke = Callable[..., torch.Tensor]
"""Call the pipeline with its keyword arguments; returns images (batch, 3, height, width) in [0, 1]."""


class Clock:
    """The position of the denoiser in a generation, found by counting its calls, which needs no wait for the device.

    `index` is the call within the generation, `step` the sampler step: schedulers of second order call twice
    a step, and PNDM makes warm-up calls, whose steps are negative. `guided` says whether batches hold both halves
    of guidance; where the halves are two calls, `branch` is 0 in the conditional one and 1 in the other. `size` is
    the latents' height and width.
    """

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler
        self.steps = 0
        self.guided = False
        self.branches = 1
        self.branch = 0
        self.index = -1
        self.step = 0
        self.begins_step = True
        self.size = (0, 0)

    def start(self, steps: int, guided: bool, branches: int = 1) -> None:
        """Begin a generation of `steps` sampler steps, guided in one batch or in so many calls of each step."""
        self.steps = steps
        self.guided = guided
        self.branches = branches
        self.index = -1

    def tick(self, _module: torch.nn.Module, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> None:
        """Count one call of the denoiser (a forward pre-hook); SD3 and Flux give the latents by name."""
        self.index += 1
        call, self.branch = divmod(self.index, self.branches)
        order = self._scheduler.order
        extra = max(0, len(self._scheduler.timesteps) - self.steps * order)
        self.step = (call - extra) // order
        self.begins_step = self.branch == 0 and (call - extra) % order == 0
        latents = arguments[0] if arguments else keywords["hidden_states"]
        # Z-Image gives a list of one tensor an image.
        height, width = (latents[0] if isinstance(latents, list) else latents).shape[-2:]
        self.size = (height, width)


class Unsupported(Exception):
    """A method cannot run on this denoiser; the message is the reason, as one line."""


class Change(Protocol):
    """A change of the weights that can be undone and done again."""

    idle_bytes: int

    def on(self) -> None: ...

    def off(self) -> None: ...


@dataclass
class Session:
    """The state that the methods of one trial share while they are applied.

    `denoiser` is the pipeline's UNet or transformer, `methods` are all of the trial's. `generate` is what is called
    with the pipeline's arguments. `fresh_steps` are sampler steps that must compute every layer. `compiled` turns a
    pure function into what runs it fastest; `kept` returns what a later call may still read of a tensor made inside
    it. `changes` are the methods' changes of weights, in the order in which they were made. `checks` compare what a
    method computes in a way of its own with the denoiser, on the arguments of one of its calls.
    """

    pipeline: Any
    denoiser: Any
    clock: Clock
    seed: int
    methods: Methods
    generate: Callable[..., Any]
    fresh_steps: frozenset[int]
    compiled: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda function: function
    kept: Callable[[torch.Tensor], torch.Tensor] = lambda tensor: tensor
    changes: list[Change] = field(default_factory=list)
    checks: list[Callable[..., None]] = field(default_factory=list)


class _Called(BaseException):
    """Stops a generation at its first call of the denoiser; no pipeline may take it for an error of its own."""

    def __init__(self, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        super().__init__()
        self.inputs, self.named = inputs, named


class Applied:
    """The pipeline with a trial's methods on it: call it to generate."""

    def __init__(self, session: Session, plain: Snapshot) -> None:
        self._session = session
        self._plain = plain
        self.invoke: Invoke

    def __call__(self, **arguments: Any) -> torch.Tensor:
        """Generate one batch; `num_inference_steps` and the guidance scale are required."""
        return self.invoke(**arguments)

    def verify(self, **arguments: Any) -> None:
        """Compare what the methods compute in ways of their own with the denoiser, on its first inputs.

        `arguments` are those of a generation, of which nothing is generated. Raises Unsupported.
        """
        session = self._session
        if not session.checks:
            return
        inputs, named = self._first_inputs(arguments)
        patched = self.snapshot()
        # Weights stay as the methods made them: the inputs are of their type.
        self._plain.restore()
        try:
            with torch.no_grad():
                for check in session.checks:
                    check(*inputs, **named)
        finally:
            patched.restore()

    def _first_inputs(self, arguments: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        def stop(_module: torch.nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
            raise _Called(inputs, named)

        hook = self._session.denoiser.register_forward_pre_hook(stop, prepend=True, with_kwargs=True)
        try:
            self.invoke(**arguments)
        except _Called as called:
            return called.inputs, called.named
        finally:
            hook.remove()
        raise Unsupported("the pipeline made an image without its denoiser")

    @property
    def idle_bytes(self) -> int:
        """Memory that the baseline's weights take while the trial runs on others."""
        return sum(change.idle_bytes for change in self._session.changes)

    def snapshot(self) -> Snapshot:
        """Return what the pipeline and its denoiser hold now."""
        return Snapshot(self._session.pipeline, self._session.denoiser)

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Put the plain pipeline back inside the context, in about a millisecond and without new set-up."""
        session = self._session
        patched = self.snapshot()
        self._plain.restore()
        for change in reversed(session.changes):
            change.off()
        try:
            yield
        finally:
            for change in session.changes:
                change.on()
            patched.restore()


@contextmanager
def open_session(pipeline: Any, methods: Methods, seed: int) -> Iterator[tuple[Session, Applied]]:
    """Yield a session for `methods` on `pipeline` and the plain call, which starts its clock; unhook on exit."""
    denoiser = getattr(pipeline, "unet", None) or pipeline.transformer
    clock = Clock(pipeline.scheduler)
    session = Session(pipeline, denoiser, clock, seed, methods, pipeline, fresh_steps(methods))

    def invoke(**arguments: Any) -> torch.Tensor:
        clock.start(arguments["num_inference_steps"], *branches(pipeline, denoiser, arguments))
        images: torch.Tensor = session.generate(**arguments, output_type="pt", return_dict=False)[0]
        return images

    hook = denoiser.register_forward_pre_hook(clock.tick, with_kwargs=True)
    applied = Applied(session, Snapshot(pipeline, denoiser))
    applied.invoke = invoke
    try:
        yield session, applied
    finally:
        hook.remove()
