import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe import imaging
from crewe.imaging import com, rotate
from crewe.optics import Aberrations, wavelength
from levels import at_all_levels
from reference import ssb as reference

ENERGY, SEMIANGLE, GRID, SAMPLING = 200e3, 15.0, 64, 0.25
LENS = Aberrations(C10=80.0, C12=30.0, phi12=0.5, C21=3000.0, phi21=1.0)
PIXEL = wavelength(ENERGY) / (GRID * SAMPLING) * 1e3  # [mrad]
OPTICS = {"energy": ENERGY, "semiangle": SEMIANGLE, "angle_per_pixel": PIXEL}


@pytest.fixture(scope="module", name="ssb")
def ssb_there(device):
    return device.run(imaging.ssb)


def weak_phase(seed=0, peaks=14):
    rng = np.random.default_rng(seed)
    field = np.zeros((GRID, GRID))
    field[tuple(rng.integers(0, GRID, (2, peaks)))] = rng.uniform(0.02, 0.05, peaks)
    k = np.fft.fftfreq(GRID)
    spread = np.exp(-2 * (np.pi * 2.4) ** 2 * (k[:, None] ** 2 + k**2))
    return np.fft.ifft2(np.fft.fft2(field) * spread).real * 2 * np.pi * 2.4**2


def scan(shape=(32, 32), step=0.5, angle=0.0):
    places = step * np.moveaxis(np.mgrid[: shape[0], : shape[1]], 0, -1)
    c, s = np.cos(angle), np.sin(angle)
    return places @ np.array([[c, s], [-s, c]])


def patterns(phase, places, **options):
    return reference.weak_patterns(phase, places, sampling=SAMPLING, energy=ENERGY, semiangle=SEMIANGLE, **options)


def likeness(a, b, trim=0):
    inside = (slice(trim, -trim or None),) * 2
    a, b = (np.asarray(v, float)[inside].ravel() for v in (a, b))
    return np.corrcoef(a, b)[0, 1], np.polyfit(b, a, 1)[0]


@settings(max_examples=12)
@given(
    st.tuples(st.integers(1, 14), st.integers(1, 13)), st.integers(10, 20), st.integers(9, 20), st.floats(-3, 3),
    st.sampled_from([None, 0.1, 1.0]), st.booleans(), st.booleans(), st.integers(0, 99),
)  # fmt: skip
def test_against_reference(ssb, shape, ky, kx, rotation, wiener, transpose, lens, seed):
    rng = np.random.default_rng(seed)
    frames = rng.poisson(20, (*shape, ky, kx)).astype(np.uint16)
    options = {
        "energy": 300e3, "semiangle": 20.0, "step": 0.3, "angle_per_pixel": 4.5, "rotation": rotation,
        "transpose": transpose, "wiener": wiener, "center": (ky / 2 - 0.3, kx / 2 - 0.6),
        "aberrations": LENS if lens else None,
    }  # fmt: skip
    want = reference.ssb(frames, **options)
    got = np.angle(ssb(frames, **options))
    np.testing.assert_allclose(got, want, atol=1e-5 + 1e-4 * np.abs(want).max())


@pytest.mark.parametrize("center", [(32.0, 32.0), (31.5, 31.5), (29.0, 34.5)])
@pytest.mark.parametrize("wiener", [None, 0.1])
def test_a_weak_phase_is_found(ssb, center, wiener):
    phase = weak_phase()
    frames = patterns(phase, scan(), center=center)
    wave = ssb(frames, step=0.5, center=center, wiener=wiener, **OPTICS)
    assert np.allclose(np.abs(wave), 1, atol=1e-6)
    like, scale = likeness(np.angle(wave), phase[::2, ::2])
    assert like > 0.99
    assert 0.85 < scale < 1.05


def test_rotation_is_that_of_the_centre_of_mass(ssb):
    """`rotate` by the angle of the scan brings the centre of mass into the scan's axes; `ssb` takes the same."""
    phase, angle = weak_phase(), 0.7
    frames = patterns(phase, scan(step=0.4, angle=angle))
    straight = patterns(phase, scan(step=0.4))
    turned = rotate(com(frames, center=(32.0, 32.0)), angle)
    assert np.abs(turned).max() > 0
    found = np.angle(ssb(frames, step=0.4, center=(32.0, 32.0), rotation=angle, **OPTICS))
    wrong = np.angle(ssb(frames, step=0.4, center=(32.0, 32.0), rotation=-angle, **OPTICS))
    assert found.std() > 1.5 * wrong.std()
    exchanged = np.ascontiguousarray(np.swapaxes(straight, 2, 3))
    plain = np.angle(ssb(straight, step=0.4, center=(32.0, 32.0), **OPTICS))
    np.testing.assert_allclose(
        np.angle(ssb(exchanged, step=0.4, center=(32.0, 32.0), transpose=True, **OPTICS)), plain, atol=1e-5
    )


@pytest.mark.parametrize("wiener", [None, 0.1])
def test_aberrations_are_taken_out(ssb, wiener):
    phase = weak_phase()
    frames = patterns(phase, scan(), aberrations=LENS)
    known, unknown = (
        likeness(
            np.angle(ssb(frames, step=0.5, center=(32.0, 32.0), aberrations=lens, wiener=wiener, **OPTICS)),
            phase[::2, ::2],
        )
        for lens in (LENS, None)
    )
    assert known[0] > 0.97
    assert known[0] > unknown[0] + 0.02
    assert known[1] > unknown[1] + 0.1


@pytest.mark.parametrize("center", [None, (16.2, 14.9)])
@pytest.mark.parametrize("wiener", [None, 1.0])
def test_an_empty_beam_gives_nothing(ssb, center, wiener):
    """Whatever the centre, also where the scan isn't finished (half of the positions dark)."""
    y, x = np.mgrid[:32, :32] - np.array(center or (15.5, 15.5))[:, None, None]
    frames = np.zeros((24, 20, 32, 32), np.float32)
    frames[:] = np.hypot(y, x) <= 8.0
    options = {"energy": 300e3, "semiangle": 20.0, "step": 0.3, "angle_per_pixel": 2.5, "center": center}
    assert np.abs(np.angle(ssb(frames, wiener=wiener, **options))).max() < 1e-5
    frames[12:] = 0
    assert np.abs(np.angle(ssb(frames, wiener=wiener, **options))).max() < 1e-5
    noisy = np.random.default_rng(0).poisson(frames * 25).astype(np.uint16)
    assert np.angle(ssb(noisy, wiener=1.0, **options)).std() < 0.02


def test_dose_and_unit_make_no_difference(ssb):
    frames = patterns(weak_phase(), scan((20, 24)))
    once = np.angle(ssb(frames, step=0.5, **OPTICS))
    np.testing.assert_allclose(np.angle(ssb(frames * np.float32(3e4), step=0.5, **OPTICS)), once, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.float32])
def test_dtypes_strides_and_byte_order(ssb, dtype):
    counts = np.random.default_rng(0).poisson(30, (9, 10, 24, 26)).astype(np.uint8)
    options = {"energy": 300e3, "semiangle": 20.0, "step": 0.3, "angle_per_pixel": 2.5}
    want = ssb(counts.astype(np.float32), **options)
    assert np.array_equal(ssb(counts.astype(dtype), **options), want)
    spread = np.zeros((9, 20, 24, 52), dtype)
    spread[:, ::2, :, ::2] = counts
    assert np.array_equal(ssb(spread[:, ::2, :, ::2], **options), want)


def test_threads_give_the_same_bits(ssb):
    frames = np.random.default_rng(0).poisson(30, (33, 40, 24, 24)).astype(np.uint16)
    options = {"energy": 300e3, "semiangle": 20.0, "step": 0.3, "angle_per_pixel": 2.5, "aberrations": LENS}
    assert np.array_equal(ssb(frames, threads=1, **options), ssb(frames, threads=3, **options))


DIGEST = """
import hashlib
import numpy as np
from crewe import _core
from crewe.imaging import ssb
from crewe.optics import Aberrations
frames = np.random.default_rng(8).poisson(9, (20, 23, 40, 44)).astype(np.uint16)
digest = hashlib.sha256()
for pixel, lens in ((2.5, None), (2.5, Aberrations(C10=50.0)), (1.1, None)):
    found = ssb(frames, energy=300e3, semiangle=20.0, step=0.3, angle_per_pixel=pixel, aberrations=lens)
    digest.update(found.tobytes())
print(digest.hexdigest())
"""


def test_bits_do_not_depend_on_the_instruction_set():
    at_all_levels(DIGEST)


def test_pixels_of_a_large_disc_are_joined_with_little_loss(ssb):
    phase = weak_phase()
    frames = patterns(phase, scan())
    large = np.repeat(np.repeat(frames, 5, 2), 5, 3) / np.float32(25)
    small = np.angle(ssb(frames, step=0.5, center=(32.0, 32.0), **OPTICS))
    found = np.angle(ssb(large, step=0.5, center=(162.0, 162.0), **(OPTICS | {"angle_per_pixel": PIXEL / 5})))
    like, scale = likeness(found, small)
    assert like > 0.995
    assert abs(scale - 1) < 0.06


def test_pixels_beyond_the_disc_are_not_looked_at(ssb):
    frames = np.random.default_rng(0).poisson(30, (9, 10, 40, 44)).astype(np.float32)
    options = {"energy": 300e3, "semiangle": 20.0, "step": 0.3, "angle_per_pixel": 2.5}
    want = ssb(frames, **options)
    part = np.ascontiguousarray(frames[:, :, 10:30, 12:32])
    assert np.array_equal(ssb(part, center=(9.5, 9.5), **options), want)
    frames[:, :, 0, 0] = np.nan
    assert np.array_equal(ssb(frames, **options), want)
    frames[3, 4, 20, 20] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        ssb(frames, **options)


def test_nothing_to_see(ssb):
    frames = np.zeros((5, 6, 16, 16), np.uint8)
    options = {"energy": 200e3, "semiangle": 15.0, "step": 0.5, "angle_per_pixel": 3.0}
    assert np.array_equal(ssb(frames, **options), np.ones((5, 6)))
    assert np.array_equal(ssb(frames[:1, :1] + np.uint8(1), **options), np.ones((1, 1)))
    one_line = ssb(np.random.default_rng(0).poisson(9, (1, 40, 16, 16)).astype(np.uint8), **options)
    assert np.angle(one_line).std() > 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"energy": 300.0}, "eV"), ({"energy": np.nan}, "energy"), ({"semiangle": 0.0}, "semiangle"),
        ({"step": -1.0}, "step"), ({"angle_per_pixel": np.inf}, "angle_per_pixel"), ({"rotation": np.nan}, "rotation"),
        ({"center": (3.0,)}, "center"), ({"wiener": 0.0}, "wiener"), ({"wiener": -1.0}, "wiener"),
        ({"center": (200.0, 8.0)}, "disc"), ({"semiangle": 0.1}, "disc"),
    ],
)  # fmt: skip
def test_wrong_numbers(ssb, change, words):
    frames = np.ones((4, 4, 16, 16), np.uint16)
    options = {"energy": 200e3, "semiangle": 15.0, "step": 0.5, "angle_per_pixel": 3.0} | change
    with pytest.raises(ValueError, match=words):
        ssb(frames, **options)


def test_wrong_frames_and_lenses(ssb):
    options = {"energy": 200e3, "semiangle": 15.0, "step": 0.5, "angle_per_pixel": 3.0}
    for shape in ((4, 16, 16), (0, 4, 16, 16), (4, 4, 4, 16, 16)):
        with pytest.raises(ValueError, match="shape"):
            ssb(np.ones(shape, np.uint8), **options)
    with pytest.raises(TypeError, match="float64"):
        ssb(np.ones((4, 4, 16, 16)), **options)
    with pytest.raises(TypeError, match="Aberrations"):
        ssb(np.ones((4, 4, 16, 16), np.uint8), aberrations={"C10": 3.0}, **options)
