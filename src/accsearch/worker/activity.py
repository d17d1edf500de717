"""Whether the approximate methods of a trial changed its images."""

from collections.abc import Mapping

from accsearch.methods.catalogue import METHODS
from accsearch.methods.combinations import trial_id
from accsearch.task import Methods
from accsearch.worker.images import Images

ROUNDING_PSNR = 48.0
"""Decibel above which two images may differ by rounding alone.

Another memory layout leaves the demo's images at 86 dB and more in float32 and at 53 in bfloat16, bfloat16 instead of
float32 at 52; DeepCache of interval 2 leaves 42. ToMe of a tenth of the tokens, with 53, does not stand out
(`benchmarks/margins.py`).
"""


def is_active(methods: Methods, images: Images, psnr: float | None, seen: Mapping[str, str]) -> bool | None:
    """Say whether the approximate ones of `methods` change the images; None where all are exact.

    `psnr` is that against the baseline's images, None if they are identical; `seen` are the hashes of the images of
    exact trials, by id. Exact methods round otherwise and so change some pixels themselves; beside them the images must
    differ from those of the exact methods alone, or, where these were not seen, from the baseline's by more than
    rounding does.
    """
    exact = exact_of(methods)
    if exact == methods:
        return None
    if not exact:
        return psnr is not None
    alone = seen.get(trial_id(exact))
    return psnr is not None and psnr < ROUNDING_PSNR if alone is None else images.sha256 != alone


def exact_of(methods: Methods) -> Methods:
    """Return those of `methods` that compute what the baseline computes, up to rounding."""
    return {name: parameters for name, parameters in methods.items() if METHODS[name].exact}
