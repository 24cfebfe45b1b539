"""The object from exit waves, without a network: against eqs. 4.4-4.8, and true waves against the true phase."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe import _core, sim
from levels import at_all_levels
from reference import patches as reference


def planes(waves):
    """Complex waves (..., n, n) as real and imaginary parts (..., 2, n, n)."""
    return np.ascontiguousarray(np.stack([waves.real, waves.imag], -3), np.float32)


def focus(n, *, length=None, energy=300e3, semiangle=20.0, aberrations=None):
    """A probe in the middle of n×n pixels, of 0.25 Å if not told otherwise."""
    length = length or n * 0.25
    options = {"energy": energy, "semiangle": semiangle, "aberrations": aberrations}
    return sim.probe(gpts=n, sampling=length / n, positions=(length / 2, length / 2), **options)


def smooth(shape, seed):
    """Waves of low frequencies only: what a detector sees."""
    rng, n = np.random.default_rng(seed), shape[-1]
    spectra = rng.normal(size=(2, *shape)).view(np.float64)
    k = np.abs(np.fft.fftfreq(n, 1 / n))
    return np.fft.ifft2((spectra[0] + 1j * spectra[1]) * (np.maximum(k[:, None], k) < n / 3))


@given(
    st.sampled_from([16, 24, 32]),
    st.floats(0.3, 5),
    st.integers(1, 5),
    st.integers(1, 6),
    st.sampled_from([1, 2, 3]),
    st.sampled_from([0.0, 0.1, 0.9]),
)
def test_is_eq_4_8(n, pitch, lines, columns, oversample, cut):
    probe = focus(n)
    waves = smooth((lines * columns, n, n), n + lines)
    patches = _core.Patches(planes(probe), pitch=pitch, cut=cut)
    reach = patches.reach
    got = np.zeros((lines * oversample, columns * oversample), np.complex64)
    patches.add(planes(waves), got, first=0, columns=columns, oversample=oversample)
    weights = reference.weights(probe, pitch, reach, cut)
    close = np.abs(weights[weights > 0] - cut * (np.abs(probe) ** 2).max()).min() < 1e-5 * weights.max()
    if not close:  # else rounding decides what is above the cut
        np.testing.assert_allclose(patches.weights, weights, atol=2e-5 * weights.max())
    options = {"pitch": pitch, "reach": reach, "cut": cut, "columns": columns, "oversample": oversample}
    want = reference.object_sum(waves, probe, **options)
    # Where a wave nearly vanishes its phase is a matter of rounding: look at all pixels but the worst.
    worst = np.sort(np.abs(got - want).ravel())
    assert np.median(worst) < 1e-4 * patches.weights.max() * patches.weights.size
    assert reach <= (n / 2 - 1) / pitch


def test_vacuum_has_no_phase():
    probe = focus(32, aberrations=sim.Aberrations(C10=-40.0, C12=20.0))
    patches = _core.Patches(planes(probe), pitch=1.3, cut=0.1)
    image = np.zeros((6, 7), np.complex64)
    patches.add(planes(np.repeat(probe[None], 42, 0)), image, first=0, columns=7, oversample=1)
    assert np.abs(np.angle(image)).max() < 1e-5
    assert image.real.min() > 0
    before = image.copy()
    patches.add(np.zeros((3, 2, 32, 32), np.float32), image, first=9, columns=7, oversample=1)
    np.testing.assert_array_equal(image, before, err_msg="waves of zeros add nothing")


def test_a_phase_object_comes_back():
    """A thin object with phases of 0.6 rad: every wave is the probe times it, so the phase is exact."""
    n, length, step, scan = 64, 12.0, 0.25, 12
    k = np.fft.fftfreq(n, length / n)
    rng = np.random.default_rng(1)
    spots = np.zeros((n, n))
    spots[tuple(rng.integers(0, n, (2, 40)))] = rng.uniform(0.3, 1, 40)
    blurred = np.fft.fft2(spots) * np.exp(-2 * (np.pi * 0.6) ** 2 * (k[:, None] ** 2 + k**2))
    phase = np.fft.ifft2(blurred).real
    phase *= 0.6 / phase.max()
    spectrum = np.fft.fft2(np.exp(1j * phase))
    probe = focus(n, length=length)
    offsets = (np.arange(scan) + 3) * step

    def moved(y, x):  # the object seen from a probe at (y, x), the probe at pixel n/2
        ramp = np.exp(2j * np.pi * k * (y - length / 2))[:, None] * np.exp(2j * np.pi * k * (x - length / 2))
        return np.fft.ifft2(spectrum * ramp)

    waves = np.stack([probe * moved(y, x) for y in offsets for x in offsets])
    patches = _core.Patches(planes(probe), pitch=step * n / length, cut=0.1)
    image = np.zeros((scan, scan), np.complex64)
    patches.add(planes(waves), image, first=0, columns=scan, oversample=1)
    fine = np.exp(2j * np.pi * np.outer(offsets, k))
    want = np.angle(fine @ spectrum @ fine.T / n**2)
    assert np.abs(np.angle(image) - want).max() < 2e-3


def test_true_exit_waves_give_the_projected_phase():
    """Multislice of a thin crystal: the waves behind it, through the patches, against σ∫V dz."""
    from ase.build import bulk

    energy, step, n = 300e3, 0.2, 128
    slab = sim.slab(bulk("Si", cubic=True), thickness=5.0, size=10.0)
    potential = sim.Potential(slab, gpts=n)
    length = potential.extent[0]
    y, x = 3.0 + step * np.mgrid[:12, :12]
    options = {"energy": energy, "semiangle": 25.0}
    middle = sim.Aberrations(C10=-float(sum(potential.thickness)) / 2)  # focus in the middle of the specimen
    incoming = sim.probe(
        gpts=n, sampling=length / n, positions=np.stack([y, x], -1).reshape(-1, 2), aberrations=middle, **options
    )
    outgoing = sim.exit_wave(potential, energy=energy, wave=incoming)
    k = np.fft.fftfreq(n, length / n)
    back = np.exp(1j * np.pi * sim.wavelength(energy) * (k[:, None] ** 2 + k**2) * sum(potential.thickness) / 2)
    spectra = np.fft.fft2(outgoing) * back
    for j, (py, px) in enumerate(zip(y.ravel(), x.ravel(), strict=True)):
        spectra[j] *= np.exp(2j * np.pi * (k[:, None] * (py - length / 2) + k * (px - length / 2)))
    kept = np.fft.fftshift(spectra, axes=(1, 2))[:, 32:96, 32:96]  # what the detector sees
    waves = np.fft.ifft2(np.fft.ifftshift(kept, axes=(1, 2)))
    patches = _core.Patches(planes(focus(64, length=length, semiangle=25.0)), pitch=step * 64 / length, cut=0.1)
    image = np.zeros((12, 12), np.complex64)
    patches.add(planes(waves), image, first=0, columns=12, oversample=1)
    phase = sim.interaction(energy) * potential.slices().sum(0, dtype=float)
    ky, kx = (np.exp(2j * np.pi * p[..., None] * k) for p in (y[:, 0], x[0]))
    low = np.fft.fft2(phase) * (np.hypot(k[:, None], k) < 32 / length)
    want = (ky @ low @ kx.T).real / n**2
    got = np.angle(image)
    assert np.corrcoef(got.ravel(), want.ravel())[0, 1] > 0.98
    assert 0.8 < np.polyfit(want.ravel(), got.ravel(), 1)[0] < 1.2


def summed(cuts, threads):
    waves = planes(smooth((60, 32, 32), 5))
    patches = _core.Patches(planes(focus(32)), pitch=0.9, cut=0.05)
    image, first = np.zeros((12, 20), np.complex64), 0
    while first < 60:
        patches.add(waves[first : first + cuts], image, first=first, columns=10, oversample=2, threads=threads)
        first += cuts
    return image


def test_bits_depend_neither_on_cuts_nor_on_threads():
    want = summed(60, 1)
    for cuts, threads in ((60, 0), (60, 3), (7, 2), (1, 1)):
        np.testing.assert_array_equal(summed(cuts, threads), want)


DIGEST = """
import hashlib, numpy as np
from crewe import _core
rng = np.random.default_rng(0)
y, x = np.mgrid[-16:16, -16:16] / 6
probe = np.stack([np.exp(-y * y - x * x), 0 * y]).astype(np.float32)
waves = rng.normal(size=(24, 2, 32, 32)).astype(np.float32)
image = np.zeros((4, 6), np.complex64)
_core.Patches(probe, pitch=1.1, cut=0.1).add(waves, image, first=0, columns=6, oversample=1)
print(hashlib.sha256(image.tobytes()).hexdigest())
"""


def test_bits_do_not_depend_on_the_instruction_set():
    at_all_levels(DIGEST)


def test_wrong_arguments():
    probe = planes(focus(16))
    for wrong, options in (
        (probe[:1], {"pitch": 1.0, "cut": 0.1}),
        (np.ascontiguousarray(probe[:, :15, :15]), {"pitch": 1.0, "cut": 0.1}),
        (0 * probe, {"pitch": 1.0, "cut": 0.1}),
        (probe, {"pitch": 0.0, "cut": 0.1}),
        (probe, {"pitch": 1.0, "cut": 1.0}),
    ):
        with pytest.raises(ValueError, match="wanted"):
            _core.Patches(wrong, **options)
    patches = _core.Patches(probe, pitch=1.0, cut=0.1)
    image, waves = np.zeros((3, 4), np.complex64), np.zeros((5, 2, 16, 16), np.float32)
    with pytest.raises(ValueError, match="waves"):
        patches.add(waves[..., :15], image, first=0, columns=4, oversample=1)
    with pytest.raises(ValueError, match="columns"):
        patches.add(waves, image, first=0, columns=5, oversample=1)
    with pytest.raises(ValueError, match="columns"):
        patches.add(waves, image, first=0, columns=4, oversample=0)
    with pytest.raises(IndexError, match="first"):
        patches.add(waves, image, first=8, columns=4, oversample=1)
    with pytest.raises(TypeError):
        patches.add(waves.astype(np.float64), image, first=0, columns=4, oversample=1)
