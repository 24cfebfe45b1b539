"""Losses of restoration, in torch. Import this module inside a function.

Images (n, 1, y, x), normalised by mean and standard deviation of the distorted one; y the truth, g the restored image.
The pixel loss is logarithmic, so that a decibel counts the same at every dose; the others are weighted image by image
with w = 1/√(mean (g − y)² + ε), ε = 0.02², taken as a constant::

    pixel     ½·log(mean (g − y)² + ε)
    whitening w·|ĝ − ŷ| over windows of 2, 4, 8 and 16 pixels with weights 1, 1.33, 1.66, 2 (normalised);
              ŷ = (y − m)/max(s, 0.1), m and s the local moments of the truth, for both images
    fourier   2·256^−γ·mean |w·F(g − y)|^γ, γ = 1/8, F the real FFT
    mean, std w·|mean(g) − mean(y)|, w·|std(g) − std(y)| of every image
    adversarial  relativistic average (both ways), labels smoothed by 0.05

Source: Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 3-15; the logarithm and w are ours.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["WEIGHTS", "fooled", "restoration", "told_apart"]

FLOOR = 0.1
ENOUGH = 0.02**2  # ε: an error of 2 % of the spread, some 45 dB
#: What the losses count for. Whitening, Fourier and std ask for contrast that noise has taken: they guide, the mean
#: square decides. Fourier with γ = 1/8 has steep gradients near zero.
WEIGHTS = {"pixel": 1.0, "whitening": 0.02, "fourier": 0.01, "mean": 0.1, "std": 0.02}


def _pixel(g: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    return 0.5 * torch.log(((g - y) ** 2).mean(dim=(1, 2, 3)) + ENOUGH).mean()


def _whitening(g: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    parts = []
    for window, share in ((2, 1.0), (4, 1.33), (8, 1.66), (16, 2.0)):
        mean = F.avg_pool2d(y, window)
        spread = (F.avg_pool2d(y**2, window) - mean**2).clamp(min=0).sqrt().clamp(min=FLOOR)
        scale = F.interpolate(1 / spread, scale_factor=window)
        ny, nx = scale.shape[-2:]
        # The local mean is the truth's for both images: it drops out of their difference.
        parts.append(share / 5.99 * ((weight * (g - y))[..., :ny, :nx] * scale).abs().mean())
    return torch.stack(parts).sum()


def _fourier(g: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    # |t|^γ with γ = 1/8 has no finite gradient at t = 0: 1e-3 is a thousandth of an image's error.
    power = torch.view_as_real(torch.fft.rfft2((g - y) * weight)).square().sum(-1)
    return 2 * 256**-0.125 * ((power + 1e-6) ** (0.125 / 2)).mean()


def _mean(g: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    return ((g - y) * weight).mean(dim=(1, 2, 3)).abs().mean()


def _std(g: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    return ((g.std(dim=(1, 2, 3)) - y.std(dim=(1, 2, 3))) * weight.flatten()).abs().mean()


_LOSSES = {"pixel": _pixel, "whitening": _whitening, "fourier": _fourier, "mean": _mean, "std": _std}


def restoration(g: Tensor, y: Tensor, weights: Mapping[str, float] = WEIGHTS) -> dict[str, Tensor]:
    """All losses but the adversarial one, weighted; the sum is the loss."""
    weight = 1 / (((g - y).detach() ** 2).mean(dim=(1, 2, 3), keepdim=True) + ENOUGH).sqrt()
    return {name: share * _LOSSES[name](g, y, weight) for name, share in weights.items() if share}


def _relativistic(better: Tensor, worse: Tensor) -> Tensor:
    high, low = torch.full_like(better, 0.95), torch.full_like(worse, 0.05)
    first = F.binary_cross_entropy_with_logits(better - worse.mean(), high)
    return (first + F.binary_cross_entropy_with_logits(worse - better.mean(), low)) / 2


def told_apart(real: Tensor, made: Tensor) -> Tensor:
    """The discriminator's loss, from its outputs for truths and for restored images."""
    return _relativistic(real, made)


def fooled(real: Tensor, made: Tensor) -> Tensor:
    """The generator's adversarial loss, from the same."""
    return _relativistic(made, real)
