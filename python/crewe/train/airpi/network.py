"""AIRPI's network, in torch: nine patterns, the probe and the step → the wave behind the specimen.

Patterns (n, 9, 64, 64) in any unit, probe (m, 2, 64, 64) amplitude and phase [rad], step (m,) [Å], and once more as
pitch (m,) [pixels of the probe]; m = n, or 1 where all have the same. Both waves in real space, Σ amplitude² <= 1::

    x = z((ζ_d·I/⟨I⟩)^0.1)          ζ_d = 1/(50·d·step), at most 1: d = 1 for edges, √2 for corners, 1 in the middle
    u, v = asinh(40·ΔO) of `first_step`, real and imaginary part
    stem: 3×3 to w channels; w = 32 (16 in the light one), all 13 channels: x, z(probe's amplitude), z(its phase), u, v
    contraction, 3 times: three 3×3, then 3×3 with stride 2 to twice the channels
    expansion, 3 times: transposed 3×3 with stride 2 to half the channels, the contraction's beside it, three 3×3
    amplitude = (s_a·A(h) + |probe|^0.2)⁵,  phase = s_φ·P(h) + s_v·v + arg(probe),   A, P: 3×3 to one channel

z is the z-score of a sample: of the patterns jointly, of the probe's parts each on its own. Every convolution but the
last ones goes through batch norm and x·sigmoid(x). s_a begins with 0.01 and stays in [1e-6, 1], s_φ with 0.1 in
[−1, 1], s_v with 0.1: at first the network gives nearly the probe and the first step, which is right for a vacuum
(published: ±1e-4, and |s_φ| <= 0.01, with which phases of a radian take long to learn). With w = 32 it has the
published 2,142,884 numbers and 577 for the first step, which is ours: without it the network takes thousands of steps
to learn a Fourier transform. What is done to the patterns is part of the graph: it can't differ between training and
use.

Source: Friedrich, Yu, Verbeeck, Van Aert, Microsc. Microanal. 29 (2023) 395; ζ: eq. 4.10 of the thesis chapter, which
takes the power first; here ζ goes first, so that neighbours count for ζ^0.1.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from crewe.train.airpi.first_step import FirstStep

__all__ = ["CHANNELS", "POWER", "ExitWaves"]

CHANNELS = {"light": 16, "full": 32}
POWER = 0.1
SIZE = 64
GAIN = 40.0  # of ΔO, which is some hundredths
DEPTH = 3
DISTANCES = (2**0.5, 1.0, 2**0.5, 1.0, 0.0, 1.0, 2**0.5, 1.0, 2**0.5)  # of the nine probes, in steps


class _Layer(nn.Module):  # type: ignore[misc]
    def __init__(self, convolution: nn.Module, channels: int) -> None:
        super().__init__()
        self.convolution, self.norm = convolution, nn.BatchNorm2d(channels)
        nn.init.kaiming_normal_(convolution.weight)
        nn.init.zeros_(convolution.bias)

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(self.norm(self.convolution(x)))


def _layer(inputs: int, outputs: int, stride: int = 1) -> _Layer:
    return _Layer(nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1), outputs)


def _three(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(_layer(inputs, outputs), _layer(outputs, outputs), _layer(outputs, outputs))


def _score(x: Tensor) -> Tensor:
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    spread = ((x - mean) ** 2).mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return (x - mean) / (spread + 1e-6)


class ExitWaves(nn.Module):  # type: ignore[misc]
    """The network; `channels` at full size."""

    def __init__(self, channels: int = CHANNELS["full"]) -> None:
        super().__init__()
        widths = [channels << k for k in range(DEPTH + 1)]
        self.first_step = FirstStep(SIZE)
        self.stem = _layer(13, channels)
        self.contract = nn.ModuleList(_three(w, w) for w in widths[:-1])
        self.down = nn.ModuleList(_layer(w, 2 * w, stride=2) for w in widths[:-1])
        self.up = nn.ModuleList(
            _Layer(nn.ConvTranspose2d(2 * w, w, 3, stride=2, padding=1, output_padding=1), w) for w in widths[-2::-1]
        )
        self.expand = nn.ModuleList(_three(2 * w, w) for w in widths[-2::-1])
        self.heads = nn.ModuleList(nn.Conv2d(channels, 1, 3, padding=1) for _ in range(2))
        self.scales = nn.Parameter(torch.tensor([0.01, 0.1, 0.1]))
        self.register_buffer("distances", torch.tensor(DISTANCES).reshape(1, 9, 1, 1), persistent=False)

    def seen(self, patterns: Tensor, probe: Tensor, step: Tensor, pitch: Tensor) -> Tensor:
        """The thirteen channels."""
        zeta = (1 / (50 * self.distances * step.reshape(-1, 1, 1, 1)).clamp(min=1e-6)).clamp(max=1)
        relative = patterns / patterns.mean(dim=(1, 2, 3), keepdim=True).clamp(min=1e-30)
        direct = torch.asinh(GAIN * self.first_step(relative / SIZE**2, probe, pitch))
        known = torch.cat([_score(probe[:, :1]), _score(probe[:, 1:])], dim=1).expand(patterns.shape[0], -1, -1, -1)
        return torch.cat([_score((zeta * relative) ** POWER), known, direct], dim=1)

    def polar(self, seen: Tensor, probe: Tensor) -> tuple[Tensor, Tensor]:
        """Amplitude and phase [rad] of the wave, (n, 64, 64) each."""
        kept, h = [], self.stem(seen)
        for three, down in zip(self.contract, self.down, strict=True):
            h = three(h)
            kept.append(h)
            h = down(h)
        for up, three in zip(self.up, self.expand, strict=True):
            h = three(torch.cat([up(h), kept.pop()], dim=1))
        amplitude, phase = (head(h)[:, 0].float() for head in self.heads)
        # One bound at a time: the exporter of torch 2.13 stumbles over two.
        high, low = self.scales[0].clamp(min=1e-6).clamp(max=1.0), self.scales[1].clamp(min=-1.0).clamp(max=1.0)
        amplitude = (high * amplitude + probe[:, 0] ** 0.2).clamp(min=0.0)
        return amplitude**5, low * phase + self.scales[2] * seen[:, -1] + probe[:, 1]

    def forward(self, patterns: Tensor, probe: Tensor, step: Tensor, pitch: Tensor) -> Tensor:
        """Real and imaginary part of the wave (n, 2, 64, 64)."""
        amplitude, phase = self.polar(self.seen(patterns, probe, step, pitch), probe)
        return torch.stack([amplitude * phase.cos(), amplitude * phase.sin()], dim=1)
