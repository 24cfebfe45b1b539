import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe import _core, imaging
from crewe.imaging import icom, ricom_kernel, ricom_transfer
from levels import at_all_levels
from reference import fields as reference

BANDS = [{}, {"low": 0.06}, {"high": 0.2}, {"low": 0.06, "high": 0.2}, {"low": 0.0, "high": 0.9}]


def random_com(shape, seed=0):
    return np.random.default_rng(seed).normal(size=(*shape, 2)).astype(np.float32)


@pytest.fixture(scope="module", name="ricom")
def ricom_there(device):
    return device.run(imaging.ricom)


def assert_close(got, want, tolerance=1e-5):
    np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * max(np.abs(want).max(), 1e-30))


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 40), st.integers(0, 99))
def test_is_eq_3_4(ricom, sy, sx, half, seed):
    com = random_com((sy, sx), seed)
    got = ricom(com, kernel=2 * half + 1)
    assert got.dtype == np.float32
    assert_close(got, reference.ricom(com, 2 * half + 1))


@pytest.mark.parametrize(("shape", "kernel"), [((3, 200), 61), ((200, 3), 61), ((130, 140), 61), ((70, 301), 127)])
def test_long_and_wide_scans(ricom, shape, kernel):
    com = random_com(shape)
    assert_close(ricom(com, kernel=kernel), reference.ricom(com, kernel))


def test_strided_maps(ricom):
    com = random_com((40, 36))
    want = ricom(com, kernel=11)
    wide = np.zeros((40, 72, 3), np.float32)
    wide[:, ::2, :2] = com
    np.testing.assert_array_equal(ricom(wide[:, ::2, :2], kernel=11), want)
    np.testing.assert_array_equal(ricom(np.asfortranarray(com), kernel=11), want)


def test_default_kernel_step_and_linearity(ricom):
    a, b = random_com((64, 70), 1), random_com((64, 70), 2)
    assert_close(ricom(a), reference.ricom(a, 61))
    assert_close(ricom(a, kernel=9, step=0.25), 0.25 * reference.ricom(a, 9))
    assert_close(ricom(2 * a - 3 * b, kernel=9), 2 * ricom(a, kernel=9).astype(float) - 3 * ricom(b, kernel=9))


def test_scatter_is_the_adjoint_of_the_gather(ricom):
    """⟨image, scatter(com)⟩ = ⟨gather(image), com⟩, the gather correlating the image with the kernel."""
    rng, n, shape = np.random.default_rng(3), 9, (25, 31)
    image = rng.normal(size=shape)
    kernel = ricom_kernel(n).astype(float)
    com = random_com(shape, 4)
    gathered = np.stack(
        [reference.correlate(np.stack([image, 0 * image], -1), k[None, ::-1, ::-1].repeat(2, 0)) for k in kernel], -1
    )
    left, right = (image * ricom(com, kernel=n)).sum(), (gathered * com).sum()
    assert left == pytest.approx(right, rel=1e-5)


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize(("n", "shape"), [(21, (40, 44)), (21, (17, 50)), (7, (64, 33)), (1, (8, 8)), (3, (1, 5))])
def test_kernel_and_its_filters(ricom, n, shape, band):
    kernel = ricom_kernel(n, shape=shape, **band)
    assert kernel.dtype == np.float32
    assert_close(kernel, reference.ricom_kernel(n, shape=shape, **band), 3e-7)
    com = random_com(shape, 5)
    assert_close(ricom(com, kernel=n, **band), reference.correlate(com, kernel), 1e-5 if n > 1 else 0)


@given(st.integers(0, 15), st.floats(0, 0.6), st.floats(0.01, 0.6), st.integers(1, 70), st.integers(1, 70))
def test_kernel_is_antisymmetric_to_the_bit(half, low, width, sy, sx):
    y, x = ricom_kernel(2 * half + 1, low=low, high=low + width, shape=(sy, sx))
    np.testing.assert_array_equal(y, -y[::-1])
    np.testing.assert_array_equal(y, y[:, ::-1])
    np.testing.assert_array_equal(x, -x[:, ::-1])
    np.testing.assert_array_equal(x, x[::-1])


def test_filters_on_the_kernel_by_default():
    np.testing.assert_array_equal(ricom_kernel(21, low=0.1), ricom_kernel(21, low=0.1, shape=(21, 21)))
    np.testing.assert_array_equal(ricom_kernel(21, low=0.1), ricom_kernel(21, low=0.1, shape=(5, 5)))


def scattered(com, kernel, cuts, bands, order=None):
    """The scan, row after row, cut into calls after `cuts` positions and into bands of output rows."""
    sy, sx = com.shape[:2]
    image = np.zeros((sy, sx), np.float32)
    edges = np.linspace(0, sy, bands + 1).astype(int)
    for row in range(sy):
        start = 0
        while start < sx:
            count = min(cuts[(row + start) % len(cuts)], sx - start)
            for first, last in itertools.pairwise(edges):
                _core.ricom_scatter(
                    kernel, image, row, start, com[row, start : start + count], first=int(first), last=int(last)
                )
            start += count
    return image


@pytest.mark.parametrize(("shape", "n"), [((30, 150), 61), ((24, 40), 21), ((20, 9), 31), ((12, 70), 5), ((5, 66), 1)])
def test_bits_do_not_depend_on_the_cut(ricom, shape, n):
    com, kernel = random_com(shape, 6), _core.RicomKernel(n)
    want = ricom(com, kernel=n)
    for cuts in ([1], [2], [3], [5, 1], [64], [1000], [7, 4, 1, 13]):
        for bands in (1, 3):
            np.testing.assert_array_equal(scattered(com, kernel, cuts, bands), want, err_msg=f"{cuts} {bands}")
    for cut in (1, 6, 64):
        image = np.zeros(shape, np.float32)
        _core.ricom_in_cuts(com, kernel, image, cut)
        np.testing.assert_array_equal(image, want)


@pytest.mark.parametrize("n", [5, 61])
def test_bits_do_not_depend_on_threads(ricom, n):
    com = random_com((150, 131), 7)
    want = ricom(com, kernel=n, threads=1)
    for threads in (0, 2, 3, 7):
        np.testing.assert_array_equal(ricom(com, kernel=n, threads=threads), want)


DIGEST = """
import hashlib, numpy as np
from crewe import _core
from crewe.imaging import icom, ricom
com = np.random.default_rng(8).normal(size=(90, 101, 2)).astype(np.float32)
digest = hashlib.sha256()
for kernel in (1, 5, 21, 61):
    digest.update(ricom(com, kernel=kernel).tobytes())
    digest.update(ricom(com, kernel=kernel, low=0.05, high=0.3).tobytes())
image = np.zeros((90, 101), np.float32)
for x in range(101):
    _core.ricom_scatter(_core.RicomKernel(61), image, 40, x, com[40, x : x + 1])
digest.update(image.tobytes())
for shape in ((90, 101), (64, 96)):
    digest.update(icom(com[: shape[0], : shape[1]]).tobytes())
print(digest.hexdigest())
"""


def test_bits_do_not_depend_on_the_instruction_set():
    at_all_levels(DIGEST)


@given(
    st.integers(1, 30),
    st.integers(1, 150),
    st.integers(0, 35),
    st.integers(0, 10**6),
    st.integers(0, 99),
)
def test_scatter_adds_one_run_of_positions(sy, sx, half, place, seed):
    rng, n = np.random.default_rng(seed), 2 * half + 1
    row, col = place % sy, place // sy % sx
    count = int(rng.integers(0, sx - col + 1))
    first, last = sorted(int(v) for v in rng.integers(0, sy + 1, 2))
    com = random_com((count,), seed)
    before = rng.normal(size=(sy, sx)).astype(np.float32)
    image = before.copy()
    _core.ricom_scatter(_core.RicomKernel(n), image, row, col, com, first=first, last=last)
    touched = np.zeros(sy, bool)
    touched[first:last] = True
    np.testing.assert_array_equal(image[~touched], before[~touched])
    added = reference.scatter((sy, sx), row, col, com, reference.ricom_kernel(n))
    np.testing.assert_allclose(image[touched], (before + added)[touched], rtol=1e-5, atol=1e-5)
    far = np.abs(np.arange(sy) - row) > half
    np.testing.assert_array_equal(image[far], before[far])


def test_scatter_leaves_the_surroundings_alone():
    """Rows of a larger array: nothing left, right, above or below of the image is touched."""
    room = np.full((60, 300), 7.0, np.float32)
    image = room[10:50, 100:180]
    image[:] = 0
    for row in range(40):
        _core.ricom_scatter(_core.RicomKernel(61), image, row, 0, random_com((80,), row))
    assert (room[:10] == 7).all()
    assert (room[50:] == 7).all()
    assert (room[:, :100] == 7).all()
    assert (room[:, 180:] == 7).all()


def test_scatter_refuses_what_lies_outside():
    kernel, image = _core.RicomKernel(5), np.zeros((8, 9), np.float32)
    for row, col, count, first, last in [
        (8, 0, 1, 0, 8),
        (0, 5, 5, 0, 8),
        (0, 10, 0, 0, 8),
        (0, 0, 1, 5, 3),
        (0, 0, 1, 0, 9),
    ]:
        with pytest.raises(IndexError):
            _core.ricom_scatter(kernel, image, row, col, random_com((count,)), first=first, last=last)
    with pytest.raises(ValueError, match="rows"):
        _core.ricom_scatter(kernel, image.T, 0, 0, random_com((1,)))
    assert not image.any()


def test_a_kernel_as_large_as_the_scan_is_icom(ricom):
    """With atoms in the middle of the scan, riCOM is the potential but for a constant."""
    y, x = np.mgrid[-32:32, -32:32]
    field = sum(np.exp(-((y - a) ** 2 + (x - b) ** 2) / 18) for a, b in ((-9, 4), (7, -11), (6, 9)))
    com = reference.gradient(field).astype(np.float32)
    slope, _ = np.polyfit(icom(com).ravel(), ricom(com, kernel=127).ravel(), 1)
    assert slope == pytest.approx(1, abs=0.01)
    assert np.corrcoef(icom(com).ravel(), ricom(com, kernel=127).ravel())[0, 1] > 0.999


def test_noise_adds_up(ricom):
    signal = reference.gradient(reference.potential((64, 64), 1)).astype(np.float32)
    noise = random_com((64, 64), 9) * np.float32(0.1)
    assert_close(ricom(signal + noise), ricom(signal).astype(float) + ricom(noise), 1e-5)


# --------------------------------------------------------------------------------------------------- transfer, fig. 3.2
def test_transfer_is_the_response_to_waves():
    """com = q̂·cos(2πq·r) → weight·sin(2πq·r), in the middle of a large scan."""
    n, size = 41, 200
    weights = ricom_transfer(n, shape=(size, size))
    x = np.arange(size)
    for k in (3, 5, 20, 70):
        responses = []
        for angle in np.linspace(0, np.pi / 2, 8, endpoint=False):
            phase = 2 * np.pi * k / size * (np.sin(angle) * x[:, None] + np.cos(angle) * x)
            com = np.cos(phase)[..., None] * np.array([np.sin(angle), np.cos(angle)])
            image = imaging.ricom(com.astype(np.float32), kernel=n)[60:140, 60:140].ravel()
            inner = phase[60:140, 60:140].ravel()
            waves = np.stack([np.cos(inner), np.sin(inner)], 1)
            responses.append(np.hypot(*np.linalg.lstsq(waves, image, rcond=None)[0]))
        assert weights[k] == pytest.approx(np.mean(responses), rel=0.05, abs=0.05)


@pytest.mark.parametrize(("n", "shape"), [(41, (500, 500)), (101, (500, 500)), (21, (256, 256)), (61, (128, 200))])
def test_transfer_against_the_definition(n, shape):
    kernel = reference.ricom_kernel(n)
    half = n // 2
    d = np.arange(-half, half + 1)
    sy, sx = shape
    ky, kx = np.fft.fftfreq(sy), np.fft.fftfreq(sx)
    spectrum = np.exp(2j * np.pi * ky[:, None] * d) @ kernel @ np.exp(2j * np.pi * d[:, None] * kx)
    length = np.hypot(ky[:, None], kx)
    along = np.abs(ky[:, None] * spectrum[0] + kx * spectrum[1]) / np.where(length == 0, 1, length)
    ring = np.round(length * max(shape))
    want = [along[ring == k].mean() for k in range(max(shape) // 2 + 1)]
    assert_close(ricom_transfer(n, shape=shape), np.array(want), 1e-5)


def test_figure_3_2():
    """N = 500: the smaller kernel passes higher frequencies; filters cut where they should, with a slope."""
    large, small = (ricom_transfer(n, shape=(500, 500)) for n in (101, 41))
    assert small.argmax() > large.argmax()
    assert large[2] > small[2]
    for weights, n in ((large, 101), (small, 41)):
        line = reference.line_transfer(n, 500)
        assert 0.2 < np.linalg.norm(weights[1:126] - line[:125]) / np.linalg.norm(line[:125]) < 0.45
        assert abs(weights.argmax() - (line.argmax() + 1)) <= 1
    cut = 12.19 / 500
    high = ricom_transfer(101, shape=(500, 500), low=cut / 2)
    low = ricom_transfer(101, shape=(500, 500), high=cut)
    assert high[2] < 0.7 * large[2]
    assert high[40:200].sum() == pytest.approx(large[40:200].sum(), rel=0.05)
    assert low[60:].max() < 0.1 * large.max()
    assert low[4] == pytest.approx(large[4], rel=0.25)
    band = ricom_transfer(61, shape=(500, 500), low=18 / 500, high=60 / 500)
    plain = ricom_transfer(61, shape=(500, 500))
    assert 18 <= band.argmax() <= 60 or band[18:60].mean() > 0.7 * plain[18:60].mean()
    assert band[:6].max() < 0.35 * plain[:6].max()
    assert band[90:].max() < 0.35 * plain[90:].max()


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (8, 1), (2, 3)])
def test_transfer_of_tiny_scans(shape):
    assert ricom_transfer(5, shape=shape).shape == (max(shape) // 2 + 1,)


# --------------------------------------------------------------------------------------------------------- wrong input
@pytest.mark.parametrize(
    "function", [lambda k, **o: imaging.ricom(np.zeros((8, 8, 2), np.float32), kernel=k, **o), ricom_kernel]
)
def test_wrong_kernels_and_bands(function):
    for kernel in (0, 4, -3):
        with pytest.raises(ValueError, match="kernel: an odd number"):
            function(kernel)
    for kernel in (5.0, "5", None, True):
        with pytest.raises(TypeError, match="kernel: an int"):
            function(kernel)
    for low, high in [(0.3, 0.2), (0.2, 0.2), (-0.1, 0.2), (np.nan, 0.2), (0.1, np.nan), (0.1, -np.inf)]:
        with pytest.raises(ValueError, match=r"low|high"):
            function(5, low=low, high=high)


def test_wrong_maps(ricom):
    for wrong in (np.zeros((8, 8, 2)), np.zeros((8, 8, 2), np.int32), np.zeros((8, 8, 2), ">f4"), [[[1.0, 2.0]]]):
        with pytest.raises(TypeError, match=r"com: .* float32"):
            ricom(wrong)
    for shape in ((8, 8), (8, 8, 3), (8, 0, 2), (2, 8, 8, 2)):
        with pytest.raises(ValueError, match="com: shape"):
            ricom(np.zeros(shape, np.float32))
    com = np.zeros((8, 8, 2), np.float32)
    com[3, 4, 1] = np.nan
    with pytest.raises(ValueError, match=r"NaN or infinity came at \[3, 4, 1\]"):
        ricom(com)
    with pytest.raises(ValueError, match="step: a finite number"):
        ricom(np.zeros((8, 8, 2), np.float32), step=np.inf)


def test_wrong_shapes():
    for shape in ((0, 5), (5,), (5, 5, 5), (5.0, 5), 5, "ab"):
        with pytest.raises(ValueError, match="shape: two whole numbers"):
            ricom_kernel(5, low=0.1, shape=shape)
        with pytest.raises(ValueError, match="shape: two whole numbers"):
            ricom_transfer(5, shape=shape)
