"""The objects of diffusers and the acceleration packages, as the abstract interpreter sees them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accsearch.codeeval.values import Instance, Native, Value


class Pipeline(Instance):
    """State: components and `scheduler` by name, `(model,)` the id, `(loader,)` the T-GATE loader's name."""

    __slots__ = ()


class Component(Instance):
    """A module of a pipeline; state: attributes by name, `(method,)` the parameters of each acceleration."""

    __slots__ = ()


class Scheduler(Instance):
    __slots__ = ()


class Helper(Instance):
    """A DeepCacheSDHelper; state: `pipe`, `(parameters,)`."""

    __slots__ = ()


class CacheConfig(Instance):
    """The configuration of one of diffusers' caches; state: its attributes."""

    __slots__ = ()


class Accelerated(Instance):
    """The context of `accsearch.accelerate`; state: `pipe`, `methods`, `before` while it is entered."""

    __slots__ = ()


def owner_of(value: Value | None) -> Component | None:
    """Return the component of which a value is a part, such as a list of its blocks or one of them."""
    part = value
    while isinstance(part, Native):
        part = part.receiver
    return part if isinstance(part, Component) and part is not value else None


@dataclass(eq=False)
class Compiled(Value):
    """The result of `torch.compile`."""

    inner: Value
    parameters: Mapping[str, Any]

    def __post_init__(self) -> None:
        super().__init__()
