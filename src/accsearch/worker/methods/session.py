"""What the methods of one trial share: the pipeline, the clock of its denoiser calls, the call to make."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from accsearch.methods.catalogue import fresh_steps
from accsearch.task import Methods
from accsearch.worker.methods.calibration import Calibrations, Plain
from accsearch.worker.methods.changes import Changes, record
from accsearch.worker.methods.clock import Clock, Invoke, Unsupported
from accsearch.worker.methods.guidance import branches
from accsearch.worker.methods.snapshot import Snapshot

__all__ = ["Applied", "Change", "Clock", "Invoke", "Session", "Unsupported", "open_session"]


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
    method computes in a way of its own with the denoiser, on the arguments of one of its calls. `settles` find what a
    method takes from a plain generation, whose figures `calibrations` keep from trial to trial. `resets` drop what
    the caches of diffusers keep; there are some where `hooked` says that the denoiser has their hooks.
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
    calibrations: Calibrations = field(default_factory=Calibrations)
    settles: list[Callable[[Plain], None]] = field(default_factory=list)
    resets: list[Callable[[], None]] = field(default_factory=list)
    hooked: bool = False


class _Called(BaseException):
    """Stops a generation at its first call of the denoiser; no pipeline may take it for an error of its own."""

    def __init__(self, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        super().__init__()
        self.inputs, self.named = inputs, named


class Applied:
    """The pipeline with a trial's methods on it: call it to generate."""

    def __init__(self, session: Session, plain: Snapshot, call: Invoke) -> None:
        self._session = session
        self._plain = plain
        self._call = call
        self.invoke: Invoke = call
        self.calibration: Mapping[str, Any] = {}
        """What the methods took from a plain generation, by name."""

    def __call__(self, **arguments: Any) -> torch.Tensor:
        """Generate one batch; `num_inference_steps` and the guidance scale are required."""
        return self.invoke(**arguments)

    @property
    def denoiser(self) -> Any:
        """The pipeline's UNet or transformer."""
        return self._session.denoiser

    def verify(self, **arguments: Any) -> None:
        """Settle what the methods take from a plain generation, and compare what they compute with the denoiser.

        `arguments` are those of a generation. It is made without the methods where a threshold or a ratio follows
        from it; what methods compute in ways of their own is compared on its first inputs. Raises Unsupported.
        """
        self.settle(**arguments)
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

    def settle(self, **arguments: Any) -> None:
        """Settle the thresholds and ratios that follow from a plain generation with these arguments."""
        session = self._session
        if session.settles:
            plain = self.plain(**arguments)
            for settle in session.settles:
                settle(plain)
            self.calibration = plain.used

    def plain(self, **arguments: Any) -> Plain:
        """Return what is known of generations with these arguments and without methods; one is made where needed."""
        session = self._session
        return session.calibrations.of(
            session.pipeline, session.denoiser, arguments, lambda: self._changes(arguments)
        )

    def _changes(self, arguments: dict[str, Any]) -> list[Changes]:
        session = self._session
        with self.suspended(), torch.no_grad():
            return record(session.denoiser, session.clock, self._call, arguments)

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
def open_session(
    pipeline: Any, methods: Methods, seed: int, calibrations: Calibrations
) -> Iterator[tuple[Session, Applied]]:
    """Yield a session for `methods` on `pipeline` and the plain call, which starts its clock; unhook on exit."""
    denoiser = getattr(pipeline, "unet", None) or pipeline.transformer
    clock = Clock(pipeline.scheduler)
    session = Session(
        pipeline, denoiser, clock, seed, methods, pipeline, fresh_steps(methods), calibrations=calibrations
    )

    def invoke(**arguments: Any) -> torch.Tensor:
        clock.start(arguments["num_inference_steps"], *branches(pipeline, denoiser, arguments))
        images: torch.Tensor = session.generate(**arguments, output_type="pt", return_dict=False)[0]
        return images

    hook = denoiser.register_forward_pre_hook(clock.tick, with_kwargs=True)
    applied = Applied(session, Snapshot(pipeline, denoiser), invoke)
    try:
        yield session, applied
    finally:
        hook.remove()
