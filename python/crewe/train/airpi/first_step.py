"""The first step of a ptychographic reconstruction, in torch, as a part of AIRPI's network: what nine patterns say of
the object directly.

Nine neighbouring probes ψ_j(r) = ψ_0(r − r_j) look at an object that is still empty, O = 1. Each pattern I_j (Σ_k = 1)
takes the place of the probe's own, what changes goes back to where its probe is, and is divided by the dose there::

    ΔO(r) = 0.7·Σ_j ψ_j*(r)·F⁻¹{(√I_j − |Ψ_j|)/(|Ψ_j| + ε)·Ψ_j}(r) / (D(r) + 0.03·max D),   D = Σ_j |ψ_j|²

Its imaginary part is a phase [rad] of the frequencies that the bright disc transmits; exactly 0 in a vacuum. A network
of convolutions takes long to learn a Fourier transform; this way it begins with what a direct method knows.

Transforms are unitary, centred, and products with a matrix E = exp(2πi·kr/64)/8: ONNX has no complex numbers. A complex
image (..., y, x) is real, (..., y, 2x): its real part, then its imaginary part.

Source: one step of Maiden, Rodenburg, Ultramicroscopy 109 (2009) 1256, eqs. 5-7, for all nine probes at a time.
"""

import math

import torch
from torch import Tensor, nn

__all__ = ["FirstStep"]

STEP = 0.7
FLOOR = 0.03  # of the dose, as a fraction of its highest
TINY = 1e-3  # of amplitudes: a disc of 32 pixels' radius has 0.018


class FirstStep(nn.Module):  # type: ignore[misc]
    """Patterns (n, 9, s, s) with a mean sum of 1, probe (m, 2, s, s) amplitude and phase, pitch (m,), the distance of
    probes [pixels of the probe] → ΔO (n, 2, s, s), real and imaginary part; m = n, or 1: all have the same probe."""

    def __init__(self, size: int) -> None:
        super().__init__()
        places = torch.arange(size, dtype=torch.float64) - size // 2
        angle = 2 * math.pi / size * torch.outer(places, places)
        c, s = angle.cos() / math.sqrt(size), angle.sin() / math.sqrt(size)
        for name, sine in (("forward_matrix", -s), ("inverse_matrix", s)):
            matrix = torch.cat([torch.cat([c, sine], dim=1), torch.cat([-sine, c], dim=1)])
            self.register_buffer(name, matrix.float(), persistent=False)
        self.register_buffer("angles", (-2 * math.pi / size * places).float(), persistent=False)
        self.size = size

    def forward(self, patterns: Tensor, probe: Tensor, pitch: Tensor) -> Tensor:
        probe_wave = torch.cat([probe[:, 0] * probe[:, 1].cos(), probe[:, 0] * probe[:, 1].sin()], dim=-1)
        spectrum = self._transform(probe_wave, self.forward_matrix)
        # The transform leaves y and x exchanged: from here on patterns are, too, until the end.
        shifted = self._shifted(spectrum, pitch)
        a, b = self._parts(spectrum)
        amplitude = (a * a + b * b).sqrt()[:, None]
        change = (patterns.transpose(-1, -2).sqrt() - amplitude) / (amplitude + TINY)
        changed = torch.cat([change, change], dim=-1) * shifted
        (a, b), (c, d) = (self._parts(self._transform(each, self.inverse_matrix)) for each in (shifted, changed))
        dose = (a * a + b * b).sum(dim=1)
        dose = dose + FLOOR * dose.amax(dim=(1, 2), keepdim=True)
        real, imaginary = (a * c + b * d).sum(dim=1), (a * d - b * c).sum(dim=1)
        return STEP * torch.stack([real / dose, imaginary / dose], dim=1)

    def _parts(self, wave: Tensor) -> tuple[Tensor, Tensor]:
        return wave[..., : self.size], wave[..., self.size :]

    def _transform(self, wave: Tensor, matrix: Tensor) -> Tensor:
        """Along both axes, which change places."""
        real, imaginary = self._parts(wave @ matrix)
        return torch.cat([real.transpose(-1, -2), imaginary.transpose(-1, -2)], dim=-1) @ matrix

    def _shifted(self, spectrum: Tensor, pitch: Tensor) -> Tensor:
        """The spectra (n, 9, x, 2y) of the probes at the nine places, of one (n, x, 2y)."""
        angle = pitch.reshape(-1, 1, 1) * self.angles * torch.tensor([-1.0, 0.0, 1.0]).reshape(1, 3, 1)
        c, s = angle.cos(), angle.sin()  # (n, 3, size)
        cy, sy = c[:, :, None, None, :], s[:, :, None, None, :]
        cx, sx = c[:, None, :, :, None], s[:, None, :, :, None]
        real, imaginary = cy * cx - sy * sx, cy * sx + sy * cx  # (n, 3, 3, x, y)
        a, b = (part[:, None, None] for part in self._parts(spectrum))
        moved = torch.cat([a * real - b * imaginary, a * imaginary + b * real], dim=-1)
        return moved.reshape(-1, 9, self.size, 2 * self.size)
