"""Every method that accsearch knows, in the order in which they appear in a trial's id."""

from collections.abc import Mapping

from accsearch.methods.attention import ATTENTION
from accsearch.methods.cache_dit import CACHE_DIT
from accsearch.methods.channels_last import CHANNELS_LAST
from accsearch.methods.compile import COMPILE
from accsearch.methods.deepcache import DEEPCACHE
from accsearch.methods.faster_cache import FASTER_CACHE
from accsearch.methods.fewer_steps import FEWER_STEPS
from accsearch.methods.first_block_cache import FIRST_BLOCK_CACHE
from accsearch.methods.guidance_cutoff import GUIDANCE_CUTOFF
from accsearch.methods.half import HALF
from accsearch.methods.info import MethodInfo
from accsearch.methods.mag_cache import MAG_CACHE
from accsearch.methods.pyramid_attention_broadcast import PYRAMID_ATTENTION_BROADCAST
from accsearch.methods.quantize import QUANTIZE
from accsearch.methods.step_cache import STEP_CACHE
from accsearch.methods.taylorseer import TAYLORSEER
from accsearch.methods.tgate import TGATE
from accsearch.methods.tome import TOME
from accsearch.task import Methods

METHODS: Mapping[str, MethodInfo] = {
    info.name: info
    for info in (
        DEEPCACHE,
        TGATE,
        TOME,
        HALF,
        COMPILE,
        CHANNELS_LAST,
        FEWER_STEPS,
        FIRST_BLOCK_CACHE,
        MAG_CACHE,
        TAYLORSEER,
        PYRAMID_ATTENTION_BROADCAST,
        FASTER_CACHE,
        STEP_CACHE,
        GUIDANCE_CUTOFF,
        ATTENTION,
        QUANTIZE,
        CACHE_DIT,
    )
}


def fresh_steps(methods: Methods) -> frozenset[int]:
    """Return the sampler steps in which one of `methods` needs every layer of the denoiser."""
    return frozenset[int]().union(*(METHODS[name].fresh_steps(own) for name, own in methods.items()))


def label(method: str, parameter: str) -> str:
    """Return the name of a parameter in reports; that of an unknown method's parameter as it is."""
    known = METHODS[method].parameters.get(parameter) if method in METHODS else None
    return known.label if known is not None and known.label else parameter
