"""Which of the caches do not combine: they would answer the same question twice, or change what another keeps."""

from collections.abc import Callable

WHOLE_CALLS = frozenset(
    {"deepcache", "first_block_cache", "mag_cache", "taylorseer", "step_cache", "cache_dit"}
)
"""Methods that decide which calls of the denoiser run in full."""
ATTENTION = frozenset({"tgate", "pyramid_attention_broadcast", "faster_cache"})
"""Methods that reuse the output of attention from step to step."""
GUIDANCE = frozenset({"tgate", "faster_cache", "guidance_cutoff"})
"""Methods that leave out the unconditional half of guidance."""
HALVING = frozenset({"tgate", "faster_cache"})
"""Methods that change the size of the batch on the way, which caches of blocks cannot follow."""


def conflict_of(name: str) -> Callable[[str], str | None]:
    """Return the rule that says why the cache `name` does not combine with another method, None where it does."""

    def conflict(other: str) -> str | None:
        if other == name:
            return None
        pair = {name, other}
        together = " and ".join(sorted(pair))
        if pair <= WHOLE_CALLS:
            return f"{together} both decide which calls of the denoiser run in full"
        if pair <= ATTENTION:
            return f"{together} both reuse attention from step to step"
        if pair <= GUIDANCE:
            return f"{together} both leave out the unconditional half"
        if pair & HALVING and pair & (WHOLE_CALLS - {"deepcache"}):
            return f"{together}: one changes the batch that the other keeps a cache of"
        if pair == {"cache_dit", "guidance_cutoff"} or pair == {"cache_dit", "pyramid_attention_broadcast"}:
            return f"{together}: cache-dit runs the blocks itself"
        return None

    return conflict
