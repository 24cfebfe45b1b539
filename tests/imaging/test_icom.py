import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crewe import imaging
from crewe.imaging import electric_field, icom, idpc, ricom
from crewe.optics import interaction, wavelength
from reference import fields as reference


@pytest.fixture(scope="module", name="icom")
def icom_there(device):
    return device.run(imaging.icom)


def random_com(shape, seed=0):
    return np.random.default_rng(seed).normal(size=(*shape, 2)).astype(np.float32)


def assert_close(got, want, tolerance=1e-5):
    np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * max(np.abs(want).max(), 1e-30))


@example(sy=1, sx=35, high_pass=0.2, seed=0)
@given(sy=st.integers(1, 70), sx=st.integers(1, 70), high_pass=st.floats(0, 0.7), seed=st.integers(0, 99))
def test_against_reference(icom, sy, sx, high_pass, seed):
    com = random_com((sy, sx), seed)
    got = icom(com, high_pass=high_pass)
    assert got.dtype == np.float32
    assert_close(got, reference.icom(com, high_pass=high_pass))


@pytest.mark.parametrize("shape", [(32, 32), (45, 64), (31, 53), (128, 96), (127, 101)])
def test_is_the_inverse_of_the_gradient(icom, shape):
    field = reference.potential(shape, 1)
    com = reference.gradient(field).astype(np.float32)
    assert_close(icom(com), field - field.mean())
    assert_close(icom(com, step=0.2), 0.2 * (field - field.mean()))
    assert abs(icom(com).mean(dtype=np.float64)) < 1e-6 * field.max()


def test_a_curl_leaves_nothing(icom):
    com = reference.gradient(reference.potential((48, 40), 2)).astype(np.float32)
    curl = np.ascontiguousarray(com[..., ::-1]) * np.array([1, -1], np.float32)
    assert np.abs(icom(curl)).max() < 1e-5 * np.abs(icom(com)).max()


def test_high_pass_and_linearity(icom):
    x = np.arange(100)
    slow, fast = (np.tile(np.cos(2 * np.pi * f * x), (60, 1)) for f in (0.02, 0.3))
    com = reference.gradient(slow + fast).astype(np.float32)
    assert_close(icom(com, high_pass=0.1), fast)
    a, b = random_com((30, 33), 3), random_com((30, 33), 4)
    assert_close(icom(2 * a - 3 * b), 2 * icom(a).astype(float) - 3 * icom(b))


def test_threads_and_strides(icom):
    com = random_com((100, 90), 5)
    want = icom(com, threads=1)
    for threads in (2, 3, 0):
        np.testing.assert_array_equal(icom(com, threads=threads), want)
    wide = np.zeros((100, 90, 5), np.float32)
    wide[..., 1:4:2] = com
    np.testing.assert_array_equal(icom(wide[..., 1:4:2]), want)


def test_phase_of_a_phase_object(icom):
    """com in [1/Å] and step in [Å]: the phase is 2π times the result."""
    phase, step = reference.potential((64, 64), 6), 0.1
    com = reference.gradient(phase) / (2 * np.pi * step)  # COM of the exit wave's spectrum is the phase's slope/2π
    assert_close(2 * np.pi * icom(com.astype(np.float32), step=step), phase - phase.mean())


# ---------------------------------------------------------------------------------------------------------------- iDPC
def disc_segments(shifts, n, radius=40.0, size=121, oversample=3):
    """Electrons in n sectors for a uniform disc moved by `shifts` (..., 2) [detector pixels]."""
    grid = (np.arange(size * oversample) + 0.5) / oversample - size / 2
    y, x = grid[:, None], grid
    sector = np.floor(np.arctan2(y, x) / (2 * np.pi / n)).astype(int) % n
    out = np.empty((n, *shifts.shape[:-1]), np.float32)
    for place in np.ndindex(shifts.shape[:-1]):
        dy, dx = shifts[place]
        inside = (y - dy) ** 2 + (x - dx) ** 2 < radius**2
        out[(slice(None), *place)] = np.bincount(sector[inside], minlength=n)
    return out


@pytest.mark.parametrize("n", [3, 4, 8])
def test_idpc_of_a_moving_disc_is_icom(n):
    """With the radius that the docstring gives, the scale is that of iCOM."""
    com = reference.gradient(reference.potential((12, 14), 7, atoms=2)).astype(np.float32)
    com *= np.float32(1.0 / np.abs(com).max())
    angles = (np.arange(n) + 0.5) * 2 * np.pi / n
    radius = 40.0 * (np.pi / n) / np.sin(np.pi / n)
    got, want = idpc(disc_segments(com, n), angles, radius=radius), icom(com)
    assert np.corrcoef(got.ravel(), want.ravel())[0, 1] > 0.995
    assert np.polyfit(want.ravel(), got.ravel(), 1)[0] == pytest.approx(1, abs=0.03)


def test_idpc_scales_and_options():
    rng = np.random.default_rng(8)
    segments = rng.integers(0, 200, (4, 20, 24)).astype(np.uint16)
    angles = np.pi / 4 + np.pi / 2 * np.arange(4)
    base = idpc(segments, angles)
    assert_close(idpc(segments, angles, radius=2.0, step=0.5), base)
    assert_close(idpc(segments.astype(np.float32) * 3, angles), base)
    assert_close(idpc(segments[::-1], angles[::-1] + 2 * np.pi), base)
    units = np.stack([np.sin(angles), np.cos(angles)], -1)
    com = np.einsum("nyx,nc->yxc", segments.astype(float), units) / segments.sum(0)[..., None]
    assert_close(base, reference.icom(com))
    assert_close(idpc(segments, angles, high_pass=0.2), reference.icom(com, high_pass=0.2))
    segments[:, 3, 4] = 0
    assert np.isfinite(idpc(segments, angles)).all()


def test_wrong_segments():
    good, angles = np.ones((4, 5, 6), np.float32), np.arange(4.0)
    with pytest.raises(TypeError, match="segments: a NumPy array"):
        idpc(good.astype(np.int32), angles)
    with pytest.raises(TypeError, match="segments: a NumPy array"):
        idpc(good.tolist(), angles)
    for shape in ((2, 5, 6), (4, 5), (4, 0, 6)):
        with pytest.raises(ValueError, match="segments: shape"):
            idpc(np.ones(shape, np.float32), np.arange(float(shape[0])))
    for value in (np.nan, -1.0, np.inf):
        bad = good.copy()
        bad[1, 2, 3] = value
        with pytest.raises(ValueError, match=r"segments: (finite )?numbers"):
            idpc(bad, angles)
    with pytest.raises(ValueError, match="angles: shape"):
        idpc(good, np.arange(3.0))
    with pytest.raises(ValueError, match="angles: finite"):
        idpc(good, [0.0, 1.0, np.nan, 2.0])
    with pytest.raises(ValueError, match="on one line"):
        idpc(good, [0.3, 0.3, 0.3 + np.pi, 0.3])


# ------------------------------------------------------------------------------------------------------- electric field
@pytest.mark.parametrize("energy", [60e3, 200e3, 300e3])
def test_electric_field(energy):
    com = random_com((4, 5), 9)
    rest = 510998.95
    want = -com.astype(float) * 0.5e-3 * energy * (energy + 2 * rest) / (energy + rest)
    assert_close(electric_field(com, energy=energy, angle_per_pixel=0.5), want, 1e-6)
    assert electric_field(com, energy=energy, angle_per_pixel=0.5).dtype == np.float32


def test_the_field_is_the_slope_of_the_potential():
    """com in [1/Å] of a phase σ·V: electric_field gives −∇V."""
    energy, step = 300e3, 0.1
    volts = reference.potential((64, 48), 10) * 50  # projected [V·Å]
    slope = reference.gradient(volts) / step  # [V]
    theta = wavelength(energy) * interaction(energy) * slope / (2 * np.pi)  # [rad]
    pixel = 0.05  # [mrad]
    com = (theta * 1e3 / pixel).astype(np.float32)
    assert_close(electric_field(com, energy=energy, angle_per_pixel=pixel), -slope, 1e-5)


def test_wrong_maps_and_numbers(icom):
    com = np.zeros((8, 8, 2), np.float32)
    bad = com.copy()
    bad[1, 2, 0] = np.inf
    for function in (icom, ricom, lambda c: electric_field(c, energy=3e5, angle_per_pixel=1.0)):
        with pytest.raises(TypeError, match=r"com: .* float32"):
            function(com.astype(np.float64))
        with pytest.raises(ValueError, match="com: shape"):
            function(com[0])
        with pytest.raises(ValueError, match="NaN or infinity"):
            function(bad)
    with pytest.raises(ValueError, match="high_pass"):
        icom(com, high_pass=-0.1)
    with pytest.raises(ValueError, match="step"):
        icom(com, step=np.nan)
    with pytest.raises(ValueError, match="energy"):
        electric_field(com, energy=-3e5, angle_per_pixel=1.0)
    for angle in (0, -1.0, np.nan):
        with pytest.raises(ValueError, match="angle_per_pixel"):
            electric_field(com, energy=3e5, angle_per_pixel=angle)
