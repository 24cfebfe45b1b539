"""Networks, in torch: the generator and the discriminator of restoration. Import this module inside a function.

Generator (CGRDN: concatenated grouped residual dense network), images (n, 1, y, x) → (n, 1, y, x), y and x even::

    h0 = down(head(x))                       3×3 to f channels, 4×4 with stride 2
    block i: h_i = h_{i-1} + fuse(RDB_1 ∥ ... ∥ RDB_r)      r residual dense blocks, outputs concatenated, 1×1
    out = x + tail(up(h0 + fuse(h_1 ∥ ... ∥ h_b)))          transposed 4×4 with stride 2, 3×3 to 1 channel
    RDB: `layers` 3×3 convolutions of g channels with ReLU, each of all before it, then 1×1 to f, plus its input

f = 64, g = 32, b = 4, r = 4 and 8 layers give the published 7,035,521 parameters.

Source: Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, "Network architecture".
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["FULL", "LIGHT", "Discriminator", "Restorer", "Size"]


@dataclass(frozen=True)
class Size:
    """Numbers that make a generator: channels f, growth g, blocks b, dense blocks r per block, dense layers."""

    features: int
    growth: int
    blocks: int
    dense: int
    layers: int


FULL = Size(64, 32, 4, 4, 8)
LIGHT = Size(32, 24, 2, 2, 4)


class _Dense(nn.Module):  # type: ignore[misc]
    def __init__(self, size: Size) -> None:
        super().__init__()
        f, g = size.features, size.growth
        self.layers = nn.ModuleList(nn.Conv2d(f + k * g, g, 3, padding=1) for k in range(size.layers))
        self.fuse = nn.Conv2d(f + size.layers * g, f, 1)

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for layer in self.layers:
            seen = torch.cat([seen, F.relu(layer(seen))], dim=1)
        fused: Tensor = x + self.fuse(seen)
        return fused


class _Group(nn.Module):  # type: ignore[misc]
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.dense = nn.ModuleList(_Dense(size) for _ in range(size.dense))
        self.fuse = nn.Conv2d(size.features * size.dense, size.features, 1)

    def forward(self, x: Tensor) -> Tensor:
        outputs, h = [], x
        for block in self.dense:
            h = block(h)
            outputs.append(h)
        fused: Tensor = x + self.fuse(torch.cat(outputs, dim=1))
        return fused


class Restorer(nn.Module):  # type: ignore[misc]
    """The generator. Input and output are images of mean 0 and standard deviation 1 or thereabouts."""

    def __init__(self, size: Size = LIGHT) -> None:
        super().__init__()
        f = size.features
        self.size = size
        self.head = nn.Conv2d(1, f, 3, padding=1)
        self.down = nn.Conv2d(f, f, 4, stride=2, padding=1)
        self.groups = nn.ModuleList(_Group(size) for _ in range(size.blocks))
        self.fuse = nn.Conv2d(f * size.blocks, f, 1)
        self.up = nn.ConvTranspose2d(f, f, 4, stride=2, padding=1)
        self.tail = nn.Conv2d(f, 1, 3, padding=1)
        nn.init.zeros_(self.tail.weight)  # begins as the identity
        nn.init.zeros_(self.tail.bias)

    def forward(self, x: Tensor) -> Tensor:
        first = self.down(self.head(x))
        outputs, h = [], first
        for group in self.groups:
            h = group(h)
            outputs.append(h)
        restored: Tensor = x + self.tail(self.up(first + self.fuse(torch.cat(outputs, dim=1))))
        return restored


class Discriminator(nn.Module):  # type: ignore[misc]
    """Patch discriminator: is `image` the truth behind `distorted`? One number for every 8×8 pixels (field 46×46)."""

    def __init__(self, features: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 2
        for k, stride in enumerate((2, 2, 2, 1)):
            layers += [nn.Conv2d(channels, features << min(k, 3), 4, stride=stride, padding=1), nn.LeakyReLU(0.2)]
            channels = features << min(k, 3)
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, distorted: Tensor, image: Tensor) -> Any:
        return self.layers(torch.cat([distorted, image], dim=1))
