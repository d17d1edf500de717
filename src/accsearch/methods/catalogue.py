"""Every method that accsearch knows, in the order in which they appear in a trial's id."""

from collections.abc import Mapping
from types import MappingProxyType

from accsearch.methods.channels_last import CHANNELS_LAST
from accsearch.methods.compile import COMPILE
from accsearch.methods.deepcache import DEEPCACHE
from accsearch.methods.fewer_steps import FEWER_STEPS
from accsearch.methods.half import HALF
from accsearch.methods.info import MethodInfo
from accsearch.methods.tgate import TGATE
from accsearch.methods.tome import TOME

METHODS: Mapping[str, MethodInfo] = MappingProxyType(
    {info.name: info for info in (DEEPCACHE, TGATE, TOME, HALF, COMPILE, CHANNELS_LAST, FEWER_STEPS)}
)
