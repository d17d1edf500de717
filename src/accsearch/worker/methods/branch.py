"""A UNet cut at one of its skip connections: what DeepCache computes in the steps that reuse a deep feature."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from accsearch.methods.deepcache import BRANCHES_PER_BLOCK

TAKEN = frozenset(
    {
        "sample", "timestep", "encoder_hidden_states", "class_labels", "timestep_cond", "cross_attention_kwargs",
        "added_cond_kwargs", "return_dict",
    }
)  # fmt: skip
"""Arguments of the UNet's `forward` that a branch takes; those of ControlNet and adapters reach deeper."""

LAYERED = frozenset(
    {
        "DownBlock2D", "CrossAttnDownBlock2D", "SimpleCrossAttnDownBlock2D",
        "UpBlock2D", "CrossAttnUpBlock2D", "SimpleCrossAttnUpBlock2D",
    }
)  # fmt: skip
"""Blocks whose layers a branch can run one by one."""


class Branch:
    """The UNet cut at a skip connection: `source` makes the deep feature, `shallow_forward` goes round it.

    `constant` are modules whose output is the same at each step, so that it need not be made again.
    """

    def __init__(self, unet: Any, branch_id: int) -> None:
        self.unet = unet
        self.block, layer = divmod(branch_id, BRANCHES_PER_BLOCK)
        up_block = unet.up_blocks[len(unet.up_blocks) - 1 - self.block]
        # Skip connections are numbered from the outside, up layers run from the inside.
        self.layer = min(layer, len(up_block.resnets) - 1)
        self.first_up_layer = len(up_block.resnets) - 1 - self.layer
        self.source = self._source(up_block)
        self.constant = [unet.add_embedding] if hasattr(unet, "add_embedding") else []

    def _source(self, up_block: Any) -> Any:
        if self.first_up_layer > 0:
            layers = getattr(up_block, "attentions", None) or up_block.resnets
            return layers[self.first_up_layer - 1]
        position = len(self.unet.up_blocks) - 1 - self.block
        if position > 0:
            return self.unet.up_blocks[position - 1]
        # Distilled UNets (segmind/tiny-sd, BK-SDM) have none.
        return self.unet.down_blocks[-1] if self.unet.mid_block is None else self.unet.mid_block

    def refuses(self, arguments: Mapping[str, Any]) -> str | None:
        """Return why the UNet cannot be cut here when it is called with `arguments`, None if it can."""
        cut = (
            self.unet.down_blocks[self.block],
            self.unet.up_blocks[len(self.unet.up_blocks) - 1 - self.block],
        )
        for block in cut:
            if type(block).__name__ not in LAYERED:
                return f"a UNet cannot be cut inside of its {type(block).__name__}"
        given = sorted(name for name, value in arguments.items() if value is not None and name not in TAKEN)
        return f"the branch takes no {', '.join(given)}" if given else None

    def shallow_forward(
        self,
        feature: torch.Tensor,
        added: Sequence[torch.Tensor],
        sample: torch.Tensor,
        timestep: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        class_labels: torch.Tensor | None = None,
        timestep_cond: torch.Tensor | None = None,
        cross_attention_kwargs: dict[str, Any] | None = None,
        added_cond_kwargs: dict[str, torch.Tensor] | None = None,
        return_dict: bool = False,
    ) -> tuple[torch.Tensor]:
        """Predict the noise from `sample`'s outer layers and the deep `feature`, channels as the UNet's.

        `added` are the terms of the time embedding that come from elsewhere, as the whole UNet made them.
        """
        unet = self.unet
        if unet.config.center_input_sample:
            sample = 2 * sample - 1.0
        embedding = unet.time_embedding(unet.get_time_embed(sample=sample, timestep=timestep), timestep_cond)
        label = unet.get_class_embed(sample=sample, class_labels=class_labels)
        if label is not None:
            joined = unet.config.class_embeddings_concat
            embedding = torch.cat([embedding, label], dim=-1) if joined else embedding + label
        for term in added:
            embedding = embedding + term
        if unet.time_embed_act is not None:
            embedding = unet.time_embed_act(embedding)
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
        cut, *outer = self.unet.up_blocks[len(self.unet.up_blocks) - 1 - self.block :]
        for resnet, attention in _layers(cut)[self.first_up_layer :]:
            hidden = torch.cat([hidden, skips.pop()], dim=1)
            hidden = _apply(resnet, attention, hidden, embedding, attend)
        for upsampler in cut.upsamplers or ():
            hidden = _upsampled(upsampler, hidden, embedding, _size(hidden, skips[-1]))
        for block in outer:
            count = len(block.resnets)
            taken, skips = tuple(skips[-count:]), skips[:-count]
            context = attend if getattr(block, "has_cross_attention", False) else {}
            hidden = block(
                hidden_states=hidden,
                temb=embedding,
                res_hidden_states_tuple=taken,
                upsample_size=_size(taken[0], skips[-1]) if skips else None,
                **context,
            )
        return hidden


def _size(hidden: torch.Tensor, skip: torch.Tensor) -> torch.Size | None:
    """Return the (height, width) to upsample `hidden` to so that it fits `skip`; None if it is the doubled size.

    It is another one if a side was odd before it was halved.
    """
    doubled = (2 * hidden.shape[2], 2 * hidden.shape[3])
    return None if tuple(skip.shape[2:]) == doubled else skip.shape[2:]


def _upsampled(upsampler: Any, hidden: torch.Tensor, embedding: torch.Tensor, size: torch.Size | None) -> Any:
    # Blocks of simple cross-attention upsample by a residual layer, which takes the time and no size.
    return upsampler(hidden, embedding) if hasattr(upsampler, "time_emb_proj") else upsampler(hidden, size)


def _layers(block: Any) -> list[tuple[Any, Any]]:
    attentions = getattr(block, "attentions", None) or [None] * len(block.resnets)
    return list(zip(block.resnets, attentions, strict=True))


def _apply(
    resnet: Any, attention: Any, hidden: torch.Tensor, embedding: torch.Tensor, attend: dict[str, Any]
) -> Any:
    hidden = resnet(hidden, embedding)
    if attention is None:
        return hidden
    if type(attention).__name__ == "Attention":
        # Simple cross-attention has no transformer round it.
        context = attend["encoder_hidden_states"]
        return attention(hidden, encoder_hidden_states=context, **(attend["cross_attention_kwargs"] or {}))
    return attention(hidden, **attend, return_dict=False)[0]
