"""Draw scenes as 64 px images by signed distances, many at once, on any device."""

import math

import torch
from torch import Tensor

from accsearch.demo.scenes import COLOURS, IMAGE_SIZE, Column

RADII = (13.0, 7.5)  # pixels, of SIZES
POSITION_JITTER = 2.0  # pixels
RADIUS_JITTER = 0.05  # share of the radius
COLOUR_JITTER = 0.03  # share of the range
ONE_CENTRES = ((32, 32), (17, 32), (47, 32), (32, 17), (32, 47))  # of PLACES, x and y in pixels
TWO_CENTRES = (  # of RELATIONS, first and second object
    ((16, 32), (48, 32)),
    ((48, 32), (16, 32)),
    ((32, 16), (32, 48)),
    ((32, 48), (32, 16)),
)
COLOUR_VALUES = (
    (220, 35, 35),
    (35, 170, 60),
    (45, 85, 235),
    (250, 220, 45),
    (255, 140, 25),
    (130, 45, 180),
    (60, 215, 230),
    (240, 60, 190),
)
BACKGROUND_VALUES = (
    (15, 15, 18),
    (245, 245, 245),
    (128, 128, 128),
    (95, 58, 35),
    (22, 26, 88),
    (255, 198, 208),
    (208, 180, 140),
    (12, 88, 88),
)


class Renderer:
    """Draws scenes (count, 7) as images (count, 3, 64, 64) in [-1, 1], with a little jitter."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._radii = torch.tensor(RADII, device=device)
        self._one = torch.tensor(ONE_CENTRES, dtype=torch.float32, device=device)
        two = torch.tensor(TWO_CENTRES, dtype=torch.float32, device=device)
        self._first, self._second = two[:, 0].contiguous(), two[:, 1].contiguous()
        self._colours = torch.tensor(COLOUR_VALUES, device=device) / 127.5 - 1
        self._backgrounds = torch.tensor(BACKGROUND_VALUES, device=device) / 127.5 - 1
        axis = torch.arange(IMAGE_SIZE, device=device) + 0.5
        self._grid = torch.stack([axis.expand(IMAGE_SIZE, -1), axis[:, None].expand(-1, IMAGE_SIZE)])

    def render(self, scenes: Tensor) -> Tensor:
        """Draw the scenes; the jitter comes from the device's default generator."""
        is_two = scenes[:, Column.TWO]
        place = scenes[:, Column.PLACE]
        relation = place.clamp(max=len(TWO_CENTRES) - 1)
        first = torch.where(is_two[:, None] == 1, self._first[relation], self._one[place])
        image = self._jittered(self._backgrounds[scenes[:, Column.BACKGROUND]])[:, :, None, None]
        image = self._paint(image, scenes[:, Column.PAIR], scenes[:, Column.SIZE], first, None)
        second = self._second[relation]
        return self._paint(image, scenes[:, Column.PAIR_2], scenes[:, Column.SIZE_2], second, is_two)

    def _paint(
        self, image: Tensor, pair: Tensor, size: Tensor, centre: Tensor, shown: Tensor | None
    ) -> Tensor:
        centre = centre + self._noise(centre) * POSITION_JITTER
        radius = self._radii[size]
        radius = (radius * (1 + self._noise(radius) * RADIUS_JITTER))[:, None, None]
        offset = (self._grid - centre[:, :, None, None]) / radius[:, None]
        distance = _distances(offset[:, 0], offset[:, 1])
        chosen = (pair // len(COLOURS))[:, None, None, None].expand(-1, 1, IMAGE_SIZE, IMAGE_SIZE)
        # Half a pixel on each side of the outline is blended: the antialiased edge.
        cover = (0.5 - distance.gather(1, chosen)[:, 0] * radius).clamp(0, 1)[:, None]
        if shown is not None:
            cover = cover * shown[:, None, None, None]
        colour = self._jittered(self._colours[pair % len(COLOURS)])[:, :, None, None]
        return image + (colour - image) * cover

    def _jittered(self, colour: Tensor) -> Tensor:
        return (colour + self._noise(colour) * 2 * COLOUR_JITTER).clamp(-1, 1)

    def _noise(self, like: Tensor) -> Tensor:
        """Draw uniformly from [-1, 1]."""
        return torch.rand(like.shape, device=self.device) * 2 - 1


def _distances(x: Tensor, y: Tensor) -> Tensor:
    """Return the signed distance of each of SHAPES (count, shapes, height, width) at radius 1."""
    length = torch.sqrt(x * x + y * y + 1e-12)
    across, along = x.abs(), y.abs()
    larger, lesser = torch.maximum(across, along), torch.minimum(across, along)
    triangle = torch.maximum(across * (math.sqrt(3) / 2) - y * 0.5, y) - 0.5
    return torch.stack(
        [
            length - 0.92,
            larger - 0.8,
            triangle,
            _star(x, y, length),
            torch.maximum(lesser - 0.27, larger - 0.92),
            (length - 0.7).abs() - 0.22,
        ],
        dim=1,
    )


def _star(x: Tensor, y: Tensor, length: Tensor) -> Tensor:
    """Return the distance to the edge lines of a five-pointed star with one tip up."""
    sector = math.pi / 5
    inner = 0.42
    angle = torch.atan2(x, -y)
    folded = (torch.remainder(angle + sector, 2 * sector) - sector).abs()
    along, across = length * torch.cos(folded), length * torch.sin(folded)
    edge = (inner * math.cos(sector) - 1.0, inner * math.sin(sector))
    norm = math.hypot(*edge)
    # The outward side of the line from the tip (1, 0) to the inner corner.
    return ((along - 1.0) * edge[1] - across * edge[0]) / norm
