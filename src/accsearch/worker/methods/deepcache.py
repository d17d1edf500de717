"""DeepCache inside `unet.forward`: deep features computed every few calls, reused in between.

Ma, Fang, Wang: DeepCache: Accelerating Diffusion Models for Free, CVPR 2024 (arXiv 2312.00858), the uniform
schedule of section 3.3. A branch is counted from the outside in, three to a block, as in its published code.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch

from accsearch.methods.info import Parameters
from accsearch.worker.fatal_errors import end_if_fatal
from accsearch.worker.methods.branch import Branch
from accsearch.worker.methods.patch import replaced
from accsearch.worker.methods.session import Clock, Invoke, Session, Unsupported
from accsearch.worker.methods.snapshot import untouched

ROUNDING = 4.0
"""How many times larger the branch's difference may be than that of two runs of the whole UNet on the same inputs."""


@contextmanager
def native(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Run the whole UNet on every `cache_interval`-th call and only the layers outside the branch between."""
    unet = session.denoiser
    branch = Branch(unet, int(parameters["cache_branch_id"]))
    schedule = _Schedule(session, int(parameters["cache_interval"]))
    whole = unet.forward
    shallow = session.compiled(branch.shallow_forward)
    feature = _Kept(branch.source)
    # SDXL's embedding of pooled text and sizes is the same at each step.
    added = [_Kept(module) for module in branch.constant]

    def forward(*args: Any, **kwargs: Any) -> Any:
        if schedule.computes_all(session.clock):
            output = whole(*args, **kwargs)
            for kept in (feature, *added):
                kept.value = session.kept(kept.value)
            return output
        return shallow(feature.value, [kept.value for kept in added], *args, **kwargs)

    check = partial(check_branch, branch)
    with ExitStack() as stack:
        for kept in (feature, *added):
            stack.enter_context(replaced(kept.module, kept.forward))
        stack.enter_context(replaced(unet, forward))
        session.checks.append(check)
        stack.callback(session.checks.remove, check)
        yield invoke


@contextmanager
def package(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Enable `DeepCacheSDHelper`, unless the package of T-GATE is to set DeepCache up itself.

    The package looks its step up by the timestep, so it is wrong where timesteps repeat.
    """
    if session.denoiser.mid_block is None:
        # As segmind/tiny-sd and BK-SDM.
        raise Unsupported(
            "deepcache: its package needs a mid block, which this UNet lacks; `native` needs none"
        )
    with untouched(session.pipeline, session.denoiser):
        if "tgate" not in session.methods:
            from DeepCache import DeepCacheSDHelper

            helper = DeepCacheSDHelper(pipe=session.pipeline)
            helper.set_params(**parameters)
            helper.enable()
        yield invoke


def check_branch(branch: Branch, *args: Any, **kwargs: Any) -> None:
    """Compare the branch with its whole UNet on the inputs of a call, where both have to be equal bit for bit.

    Raises Unsupported, which says what differs.
    """
    unet = branch.unet
    if reason := branch.refuses(kwargs):
        raise Unsupported(f"deepcache: {reason}")
    kept = [_Kept(module) for module in (branch.source, *branch.constant)]
    with ExitStack() as stack:
        for each in kept:
            stack.enter_context(replaced(each.module, each.forward))
        whole = unet(*args, **kwargs)[0]
    feature, *added = (each.value for each in kept)
    try:
        short = branch.shallow_forward(feature, added, *args, **kwargs)[0]
    except (RuntimeError, TypeError, ValueError) as error:
        end_if_fatal(error)
        raise Unsupported(f"deepcache: this UNet cannot be cut there: {error}") from error
    if whole.shape != short.shape:
        raise Unsupported(f"deepcache: this UNet gives {tuple(whole.shape)}, its branch {tuple(short.shape)}")
    # An output that is not finite is found when the trial's own images are checked.
    if torch.equal(whole, short) or not bool(whole.isfinite().all()):
        return
    off = _largest(whole, short)
    # Some kernels do not repeat themselves bit for bit.
    own = _largest(whole, unet(*args, **kwargs)[0])
    if not off <= ROUNDING * own:
        raise Unsupported(
            f"deepcache: at a full step the UNet cut at this branch is off by up to {off:.3g} "
            f"(its output goes up to {float(whole.abs().max()):.3g}): it computes something that the branch lacks"
        )


def _largest(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).abs().max())


class _Kept:
    """What `module` returned when it was last run, for the calls that reuse it."""

    value: torch.Tensor

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module
        self._source_forward = module.forward

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        output = self._source_forward(*args, **kwargs)
        self.value = output[0] if isinstance(output, tuple) else output
        return output


class _Schedule:
    """Which calls of a generation compute every layer."""

    def __init__(self, session: Session, interval: int) -> None:
        self._fresh_steps = session.fresh_steps
        self._interval = interval
        self._origin = 0

    def computes_all(self, clock: Clock) -> bool:
        if clock.index == 0 or (clock.begins_step and clock.step in self._fresh_steps):
            self._origin = clock.index
        return (clock.index - self._origin) % self._interval == 0
