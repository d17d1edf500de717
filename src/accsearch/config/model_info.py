"""What is known of a pipeline before it is loaded."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from accsearch.methods.cell import Family

GIB = 1 << 30
BUILTIN = "builtin:"
"""Prefix of what ships with accsearch; the worker finds or builds it."""


class ModelInfo(BaseModel):
    """What is known of a pipeline before it is loaded; `size` in pixels.

    `model_id` is a hub id, an absolute folder or `builtin:…`. `blocks` is the number of DeepCache branches (0
    without a UNet), `attention_downsample` where self-attention starts, `memory_bytes` an estimate for a task
    in 16 bits, scorer included. The weights of a `gated` model are given to who accepts its licence; a `distilled`
    one was trained for few steps, so that little is left to reuse from one step to the next. `call` holds arguments
    that every generation needs because the defaults of the pipeline's class do not fit the model. `fingerprint` stands
    for the content of a local folder, `variant` for the weights of it or of a hub id that are read (`fp16`),
    `scheduler` for the settings of the model's own, where known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    alias: str
    model_id: str
    pipeline_class: str
    family: Family
    blocks: int
    attention_downsample: int = 1
    size: int
    steps: int = 50
    guidance: float = 7.5
    revision: str | None = None
    memory_bytes: int = 8 * GIB
    gated: bool = False
    distilled: bool = False
    fingerprint: str | None = None
    variant: str | None = None
    scheduler: Mapping[str, Any] = {}
    call: Mapping[str, int] = {}

    @property
    def identity(self) -> str:
        """What the digest of a task holds of its model: the content of a local one, never its path."""
        if self.fingerprint is not None:
            return self.fingerprint
        name = f"{self.model_id}@{self.revision or 'main'}"
        return name if self.variant is None else f"{name}.{self.variant}"
