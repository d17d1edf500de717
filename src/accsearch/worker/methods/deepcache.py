"""DeepCache inside `unet.forward`: deep features computed every few calls, reused in between.

Ma, Fang, Wang: DeepCache: Accelerating Diffusion Models for Free, CVPR 2024 (arXiv 2312.00858), the uniform
schedule of section 3.3. A branch is counted from the outside in, three to a block, as in its published code.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from accsearch.task import Scalar
from accsearch.worker.methods.patch import replaced
from accsearch.worker.methods.session import Clock, Invoke, Session

BRANCHES_PER_BLOCK = 3


@contextmanager
def deepcache(session: Session, invoke: Invoke, parameters: Mapping[str, Scalar]) -> Iterator[Invoke]:
    """Run the whole UNet on every `cache_interval`-th call and only the layers outside the branch between."""
    unet = session.denoiser
    branch = _Branch(unet, int(parameters["cache_branch_id"]))
    schedule = _Schedule(session, int(parameters["cache_interval"]))
    whole = unet.forward
    shallow = session.compiled(branch.shallow_forward)
    feature = _Kept(branch.source)
    # SDXL's embedding of pooled text and sizes is the same at each step.
    added = [_Kept(unet.add_embedding)] if hasattr(unet, "add_embedding") else []

    def forward(*args: Any, **kwargs: Any) -> Any:
        if schedule.computes_all(session.clock):
            output = whole(*args, **kwargs)
            for kept in (feature, *added):
                kept.value = session.kept(kept.value)
            return output
        return shallow(feature.value, [kept.value for kept in added], *args, **kwargs)

    with ExitStack() as stack:
        for kept in (feature, *added):
            stack.enter_context(replaced(kept.module, kept.forward))
        stack.enter_context(replaced(unet, forward))
        yield invoke


class _Kept:
    """What `module` returned last, for the calls in between to use."""

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


class _Branch:
    """The UNet cut at a skip connection: `source` makes the deep feature, `shallow_forward` goes round it."""

    def __init__(self, unet: Any, branch_id: int) -> None:
        self.unet = unet
        self.block, layer = divmod(branch_id, BRANCHES_PER_BLOCK)
        up_block = unet.up_blocks[len(unet.up_blocks) - 1 - self.block]
        # Skip connections are numbered from the outside, up layers run from the inside.
        self.layer = min(layer, len(up_block.resnets) - 1)
        self.first_up_layer = len(up_block.resnets) - 1 - self.layer
        self.source = self._source(up_block)

    def _source(self, up_block: Any) -> Any:
        if self.first_up_layer > 0:
            layers = getattr(up_block, "attentions", None) or up_block.resnets
            return layers[self.first_up_layer - 1]
        position = len(self.unet.up_blocks) - 1 - self.block
        return self.unet.up_blocks[position - 1] if position > 0 else self.unet.mid_block

    def shallow_forward(
        self,
        feature: torch.Tensor,
        added: Sequence[torch.Tensor],
        sample: torch.Tensor,
        timestep: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        timestep_cond: torch.Tensor | None = None,
        cross_attention_kwargs: dict[str, Any] | None = None,
        added_cond_kwargs: dict[str, torch.Tensor] | None = None,
        return_dict: bool = False,
    ) -> tuple[torch.Tensor]:
        """Predict the noise from `sample`'s outer layers and the deep `feature`, channels as the UNet's.

        `added` are the terms of the time embedding that come from elsewhere, as the whole UNet made them.
        """
        unet = self.unet
        embedding = unet.time_embedding(unet.get_time_embed(sample=sample, timestep=timestep), timestep_cond)
        for term in added:
            embedding = embedding + term
        context = unet.process_encoder_hidden_states(
            encoder_hidden_states=encoder_hidden_states, added_cond_kwargs=added_cond_kwargs
        )
        attend = {"encoder_hidden_states": context, "cross_attention_kwargs": cross_attention_kwargs}
        skips = self._down(unet.conv_in(sample), embedding, attend)
        hidden = self._up(feature, skips, embedding, attend)
        if unet.conv_norm_out:
            hidden = unet.conv_act(unet.conv_norm_out(hidden))
        return (unet.conv_out(hidden),)

    def _down(
        self, hidden: torch.Tensor, embedding: torch.Tensor, attend: dict[str, Any]
    ) -> list[torch.Tensor]:
        skips = [hidden]
        for block in self.unet.down_blocks[: self.block]:
            context = attend if getattr(block, "has_cross_attention", False) else {}
            hidden, outputs = block(hidden_states=hidden, temb=embedding, **context)
            skips.extend(outputs)
        layers = _layers(self.unet.down_blocks[self.block])[: self.layer]
        for resnet, attention in layers:
            hidden = _apply(resnet, attention, hidden, embedding, attend)
            skips.append(hidden)
        return skips

    def _up(
        self, hidden: torch.Tensor, skips: list[torch.Tensor], embedding: torch.Tensor, attend: dict[str, Any]
    ) -> torch.Tensor:
        blocks = self.unet.up_blocks[len(self.unet.up_blocks) - 1 - self.block :]
        for block in blocks:
            first = self.first_up_layer if block is blocks[0] else 0
            for resnet, attention in _layers(block)[first:]:
                hidden = torch.cat([hidden, skips.pop()], dim=1)
                hidden = _apply(resnet, attention, hidden, embedding, attend)
            for upsampler in block.upsamplers or ():
                # The next skip's size equals twice this one's except where a side was odd.
                size = skips[-1].shape[2:]
                doubled = (2 * hidden.shape[2], 2 * hidden.shape[3])
                hidden = upsampler(hidden, None if tuple(size) == doubled else size)
        return hidden


def _layers(block: Any) -> list[tuple[Any, Any]]:
    attentions = getattr(block, "attentions", None) or [None] * len(block.resnets)
    return list(zip(block.resnets, attentions, strict=True))


def _apply(
    resnet: Any, attention: Any, hidden: torch.Tensor, embedding: torch.Tensor, attend: dict[str, Any]
) -> torch.Tensor:
    hidden = resnet(hidden, embedding)
    return hidden if attention is None else attention(hidden, **attend, return_dict=False)[0]
