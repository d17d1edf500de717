"""LPIPS and FID, which need weights of other networks: measured only where those already are."""

from dataclasses import dataclass
from pathlib import Path

import torch

from accsearch.worker.images import Images

LPIPS_WEIGHTS = "alexnet-owt-*.pth"
FID_WEIGHTS = "weights-inception-2015-12-05-*.pth"
CHUNK = 8


@dataclass(frozen=True)
class Distances:
    """Distances to the baseline's images, None where unmeasured; `absent` says why, metric by metric."""

    lpips: float | None
    fid: float | None
    absent: dict[str, str]


def distances(images: Images, reference: Images, device: torch.device | str = "cpu") -> Distances:
    """Return LPIPS (Zhang et al. 2018, AlexNet) and FID (Heusel et al. 2017) to the reference's images.

    The networks run on `device`.
    """
    absent: dict[str, str] = {}
    fid = None
    if why := lpips_absent():
        absent["lpips"] = why
    if not _found(FID_WEIGHTS):
        absent["fid"] = f"no {FID_WEIGHTS} in {_folder()}"
    elif not _installed():
        absent["fid"] = "the package torch-fidelity is not installed"
    elif len(images.pixels) < 2:
        absent["fid"] = "a single image has no distribution"
    else:
        fid = _fid(images, reference, device)
    return Distances(lpips(images, reference, device), fid, absent)


def lpips_absent() -> str | None:
    """Return why LPIPS cannot be measured here, None where it can."""
    return None if _found(LPIPS_WEIGHTS) else f"no {LPIPS_WEIGHTS} in {_folder()}"


def lpips(images: Images, reference: Images, device: torch.device | str) -> float | None:
    """Return the mean LPIPS (AlexNet) to the reference's images, None without its weights."""
    return None if lpips_absent() else _lpips(images, reference, device)


def _folder() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints"


def _found(pattern: str) -> bool:
    return any(_folder().glob(pattern))


def _installed() -> bool:
    from importlib.util import find_spec

    return find_spec("torch_fidelity") is not None


def _lpips(images: Images, reference: Images, device: torch.device | str) -> float:
    from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

    metric = LearnedPerceptualImagePatchSimilarity(net_type="alex", normalize=True).to(device)
    with torch.inference_mode():
        for start in range(0, len(images.pixels), CHUNK):
            ours, theirs = (each.pixels[start : start + CHUNK].to(device) for each in (images, reference))
            metric.update(ours.float() / 255, theirs.float() / 255)
        return float(metric.compute())


def _fid(images: Images, reference: Images, device: torch.device | str) -> float:
    from torchmetrics.image.fid import FrechetInceptionDistance

    metric = FrechetInceptionDistance().to(device)
    with torch.inference_mode():
        for start in range(0, len(images.pixels), CHUNK):
            metric.update(reference.pixels[start : start + CHUNK].to(device), real=True)
            metric.update(images.pixels[start : start + CHUNK].to(device), real=False)
        return float(metric.compute())
