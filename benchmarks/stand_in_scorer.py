"""A stand-in for a scorer where weights are random: its loss grows with what a configuration leaves out.

For `quality.command`. Random weights have no quality to lose, so a search of them has nothing to decide. This program
takes the first image that it sees for a prompt, which is the un-accelerated pipeline's, as what is wanted, and answers

    30 * (1 - SCALE * d / D),

d being the root mean square difference from that image, and D that between the first images of two different prompts. A
configuration that changes images half as much as another prompt would loses SCALE / 2. The figure says nothing about
any pipeline's quality.
"""

import json
import sys
from typing import Any

import numpy as np
from PIL import Image

SCALE = 0.05


def main() -> None:
    first: dict[str, Any] = {}
    apart: float | None = None
    for line in sys.stdin:
        asked = json.loads(line)
        pixels = np.asarray(Image.open(asked["image"]), dtype=np.float32)
        others = [image for prompt, image in first.items() if prompt != asked["prompt"]]
        wanted = first.setdefault(asked["prompt"], pixels)
        if apart is None and others:
            apart = max(_difference(others[0], pixels), 1.0)
        lost = SCALE * _difference(wanted, pixels) / apart if apart else 0.0
        print(json.dumps({"score": 30 * (1 - lost)}), flush=True)


def _difference(one: Any, other: Any) -> float:
    return float(np.sqrt(np.mean((one - other) ** 2)))


if __name__ == "__main__":
    main()
