"""The images of a trial, and what shows that they are none."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch


class InvalidImages(Exception):
    """Some images of a trial are missing, not numbers, black, of one colour, or the scorer has no number for them."""


@dataclass(frozen=True)
class Images:
    """All images of a trial in the order of the prompts: (prompts, 3, height, width), 8 bits, on the CPU."""

    pixels: torch.Tensor

    @property
    def sha256(self) -> str:
        """The hash of every pixel, by which a replay knows whether the images are identical."""
        return hashlib.sha256(self.pixels.contiguous().numpy().tobytes()).hexdigest()

    def same_as(self, other: "Images") -> bool:
        """Say whether every pixel is equal."""
        return torch.equal(self.pixels, other.pixels)

    def save(self, folder: Path) -> None:
        """Write one PNG an image, named by its prompt's number."""
        from PIL import Image

        folder.mkdir(parents=True, exist_ok=True)
        for number, pixels in enumerate(self.pixels):
            Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(folder / f"{number:04}.png")


def join(parts: Sequence[Images]) -> Images:
    """Return all images of `parts`, in their order."""
    return Images(torch.cat([part.pixels for part in parts]))


def collect(batches: Sequence[torch.Tensor], expected: int, first: int = 0) -> Images:
    """Join batches of images in [0, 1], wherever they are; `first` is the number of the first prompt.

    Raises InvalidImages, which says which prompts' images are wrong.
    """
    values = torch.cat([batch.float() for batch in batches]) if batches else torch.empty(0, 3, 1, 1)
    if len(values) != expected:
        raise InvalidImages(f"{len(values)} images for {expected} prompts")
    flat = values.flatten(1)
    lost = ~flat.isfinite().all(dim=1)
    pixels = (values.nan_to_num() * 255).round().clamp(0, 255).to(torch.uint8)
    # By channel, so that a plain red is recognised as well as a plain grey.
    low, high = pixels.flatten(2).amin(dim=2), pixels.flatten(2).amax(dim=2)
    black, plain = (high == 0).all(dim=1), (low == high).all(dim=1)
    faults = {"NaN": lost, "black": ~lost & black, "constant": ~lost & ~black & plain}
    found = [
        f"{kind} for prompt {', '.join(str(first + n) for n in which.nonzero().flatten().tolist())}"
        for kind, which in faults.items()
        if which.any()
    ]
    if found:
        raise InvalidImages(f"images are {'; '.join(found)}")
    return Images(pixels.cpu())
