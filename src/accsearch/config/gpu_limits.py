"""The limits of several configurations that share GPUs."""

from collections.abc import Sequence

from accsearch.config.schema import GpuConfig


def strictest(limits: Sequence[GpuConfig]) -> GpuConfig:
    """Return the limits that satisfy all the configurations which share the GPUs."""
    return GpuConfig(
        max_utilization=min(each.max_utilization for each in limits),
        max_used_memory=min(each.max_used_memory for each in limits),
        min_free_memory=max(each.min_free_memory for each in limits),
        samples=max(each.samples for each in limits),
        exclude=tuple(dict.fromkeys(name for each in limits for name in each.exclude)),
        release_timeout=max(each.release_timeout for each in limits),
    )
