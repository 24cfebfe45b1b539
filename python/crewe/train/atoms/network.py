"""AtomID-net, in torch: a U-Net that shows where atomic columns are, with a branch that tells how far they lie apart.

Images x (n, 3, y, x), y and x multiples of 2**depth: the picture and both maps of a Laplacian of Gaussian
(`atoms.views`), first and 99.8th percentile of each in the whole picture at 0 and 1::

    x → [x, (x₀ − m)/√v]                      m, v: local mean and variance of the picture over about 36 pixels
    encoder: depth + 1 blocks of two 3×3 convolutions with batch norm and ReLU, max-pooled 2×2 between them
    decoder: bilinear ×2, 3×3 convolution, the encoder's block of that size beside it, a block
    map: 1×1 convolution, sigmoid             (n, 1, y, x), 1 at a column's centre
    spacing: means of all encoder blocks → 128 → ReLU → 2: ln(s/10 pixels) and the ln of its standard deviation

Widths are base, 2·base, ..., 2^depth·base: 8 for a CPU (0.57 M parameters), 32 for a GPU (8.8 M).
Source: Yan, MPhil thesis (PolyU), ch. 2 (AtomID-net); Ronneberger, Fischer, Brox, MICCAI 2015, p. 234 (U-Net).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["AtomID"]


def _block(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


class AtomID(nn.Module):  # type: ignore[misc]
    """The network; `base` channels at full size, `depth` halvings."""

    def __init__(self, base: int = 8, depth: int = 4) -> None:
        super().__init__()
        widths = [base << k for k in range(depth + 1)]
        self.down = nn.ModuleList(_block(4 if k == 0 else widths[k - 1], widths[k]) for k in range(depth + 1))
        self.up = nn.ModuleList(nn.Conv2d(widths[k + 1], widths[k], 3, padding=1) for k in range(depth))
        self.merge = nn.ModuleList(_block(2 * widths[k], widths[k]) for k in range(depth))
        self.head = nn.Conv2d(base, 1, 1)
        self.scale = nn.Sequential(nn.Linear(sum(widths), 128), nn.ReLU(), nn.Linear(128, 2))
        nn.init.constant_(self.head.bias, -2.0)  # most pixels are none of a column's

    def encode(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """The encoder's blocks, and (ln(s/10), ln of its standard deviation)."""
        x, blocks = _flattened(x), []
        for k, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if k else x)
            blocks.append(x)
        return blocks, self.scale(torch.cat([block.mean(dim=(2, 3)) for block in blocks], dim=1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        blocks, spacing = self.encode(x)
        h = blocks[-1]
        for k in range(len(self.up) - 1, -1, -1):
            h = self.up[k](F.interpolate(h, scale_factor=2.0, mode="bilinear", align_corners=False))
            h = self.merge[k](torch.cat([blocks[k], h], dim=1))
        return torch.sigmoid(self.head(h)), spacing


def _flattened(x: Tensor) -> Tensor:
    """The views, and the image less its local mean over its local spread."""
    image = x[:, :1]
    coarse = F.avg_pool2d(torch.cat([image, image * image], dim=1), 4)
    local = F.avg_pool2d(coarse, 9, stride=1, padding=4, count_include_pad=False)
    local = F.interpolate(local, scale_factor=4.0, mode="bilinear", align_corners=False)
    mean, square = local[:, :1], local[:, 1:]
    spread = torch.sqrt(torch.clamp(square - mean * mean, min=0.0) + 1e-3)
    return torch.cat([x, torch.clamp((image - mean) / spread, -4.0, 6.0) / 2], dim=1)
