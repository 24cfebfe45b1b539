"""Losses of AIRPI, in torch. Import this module inside a function.

a, φ: amplitude and phase of the wave that the network gives, ψ = a·exp(iφ); t the true one, p the probe; F the unitary
Fourier transform; ‖·‖² sums over pixels, ⟨·⟩ is the mean over them, both are averaged over samples::

    intensity_k  ‖|Fψ|² − |Ft|²‖²                               intensity_r  the same of ψ and t
    phase_k      3·⟨|e^{i·arg Fψ} − e^{i·arg Ft}|²⟩_|Ft|        phase_r      ⟨|e^{iφ} − e^{i·arg t}|²⟩_|t|
    amplitude    ⟨(a^0.2 − |t|^0.2)²⟩ + the same of |Fψ|, |Ft|
    object       ⟨|e^{i(φ − arg p)} − e^{i·arg(t/p)}|²⟩_p       correlation  (1 − xc)/2 of these two phases (eq. 4.14)
    bounds       relu(‖a‖² − 1) + relu(0.3 − ‖a‖²) + ⟨relu(|φ| − π)⟩

The squared distance of phases on the unit circle is the sum of those of their sines and of their cosines. ⟨·⟩_p and xc
are weighted by |p|²: elsewhere no pattern tells anything of the object, and no patch reads it. The other phases are
weighted by the amplitude that has them (published: not): those of weak beams at high angles, which nothing determines,
would be five sixths of the loss.

Source: Friedrich, Yu, Verbeeck, Van Aert, Microsc. Microanal. 29 (2023) 395, eqs. 4.11-4.14 of the thesis chapter; the
phases in `object` are compared on the circle too, and `amplitude`, `bounds` are those of the published program.
"""

import math

import torch
from torch import Tensor

__all__ = ["exit_waves"]

TINY = 1e-20


def _unit(wave: Tensor) -> Tensor:
    return wave / (wave.abs() + TINY)


def _power(amplitude: Tensor) -> Tensor:
    return (amplitude + 1e-6) ** 0.2  # its slope has no bound at 0


def _apart(a: Tensor, b: Tensor) -> Tensor:
    """Squared distance, real or complex."""
    difference = a - b
    return difference.real**2 + difference.imag**2 if difference.is_complex() else difference**2


def exit_waves(amplitude: Tensor, phase: Tensor, truth: Tensor, probe: Tensor) -> dict[str, Tensor]:
    """All losses; the sum is the loss. `amplitude`, `phase` (n, y, x); `truth`, `probe` (n, y, x) complex."""
    wave = torch.polar(amplitude, phase)
    far, true = (torch.fft.fft2(w, norm="ortho") for w in (wave, truth))
    weight = probe.abs() ** 2
    weight = weight / weight.sum(dim=(1, 2), keepdim=True)
    found, wanted = _unit(wave * probe.conj()), _unit(truth * probe.conj())
    total = (amplitude**2).sum(dim=(1, 2))
    near, distant = (w.abs() / w.abs().sum(dim=(1, 2), keepdim=True) for w in (truth, true))
    return {
        "intensity_k": _apart(far.abs() ** 2, true.abs() ** 2).sum(dim=(1, 2)).mean(),
        "intensity_r": _apart(amplitude**2, truth.abs() ** 2).sum(dim=(1, 2)).mean(),
        "phase_k": 3 * (distant * _apart(_unit(far), _unit(true))).sum(dim=(1, 2)).mean(),
        "phase_r": (near * _apart(_unit(wave), _unit(truth))).sum(dim=(1, 2)).mean(),
        "amplitude": sum(_apart(_power(a.abs()), _power(b.abs())).mean() for a, b in ((wave, truth), (far, true))),
        "object": (weight * _apart(found, wanted)).sum(dim=(1, 2)).mean(),
        "correlation": (1 - correlation(found.angle(), wanted.angle(), weight)).mean() / 2,
        "bounds": (torch.relu(total - 1) + torch.relu(0.3 - total)).mean() + torch.relu(phase.abs() - math.pi).mean(),
    }


def correlation(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    """Normalised cross-correlation (n,) of images (n, y, x), Σ weight = 1; 1 where both are flat."""
    a, b = (x - (weight * x).sum(dim=(1, 2), keepdim=True) for x in (a, b))
    product, squares = (weight * a * b).sum(dim=(1, 2)), [(weight * x * x).sum(dim=(1, 2)) for x in (a, b)]
    flat = 1e-6  # rad²: phases that vary less have nothing to correlate
    return (product + flat) / ((squares[0] + flat) * (squares[1] + flat)).sqrt()
