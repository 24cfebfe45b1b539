"""Restoring images: against the definition, in tiles, on any scale; and nothing where there is nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import crewe
from crewe import models, noise, specimen
from crewe.restore import restore
from crewe.restore.images import restore_into
from reference import restore as reference

pytest.importorskip("onnxruntime")

MODEL = models.load("stem-hr", threads=1)
RADIUS = MODEL.info.options["radius"]
MODES = {name: models.load(name, threads=1) for name in specimen.MODES if name in models.list()}


def lattice(shape=(96, 128), period=18.0):
    """Columns of atoms of σ = 2.3 pixels, 0..1, 10° off the scan's axes."""
    y, x = np.indices(shape)
    v, u = 0.985 * y + 0.174 * x, 0.985 * x - 0.174 * y
    return (np.exp(1.5 * (np.cos(2 * np.pi * v / period) + np.cos(2 * np.pi * u / period) - 2))).astype(np.float32)


def recorded(electrons=2.0, shape=(96, 128), seed=0):
    return noise.stem(
        lattice(shape),
        pixel_size=1.0,
        electrons_per_pixel=electrons,
        seed=seed,
        jitter={"sigma": (0.2, 0.5), "phi": 0.5},
        detector={"width": 0.2},
        fast_scan={"alpha": 2.5, "beta": 0.8, "gamma": 9.0, "theta": 1.2},
    ).image


def psnr(truth, image):
    return 10 * np.log10(truth.max() ** 2 / np.mean((truth - image)[8:-8, 8:-8] ** 2))


@settings(max_examples=12)
@given(st.tuples(st.integers(1, 70), st.integers(1, 70)), st.sampled_from(["u1", ">u2", "i4", "f4", "f8"]))
def test_against_the_definition(shape, dtype):
    image = np.random.default_rng(shape[0]).integers(0, 200, shape).astype(dtype)
    before = image.copy()
    got = restore(image, model=MODEL, refine=False)
    want = reference.restored(image, MODEL.run)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, atol=1e-4 * max(np.ptp(image.astype(float)), 1))
    assert np.array_equal(image, before)


@pytest.mark.parametrize(("gain", "offset"), [(300.0, 0.0), (1 / 255, 0.0), (1.0, 1000.0)])
def test_follows_gain_and_offset(gain, offset):
    image = recorded()
    got = (restore(gain * image + np.float32(offset), model=MODEL) - offset) / gain
    np.testing.assert_allclose(got, restore(image, model=MODEL), atol=2e-3 * image.std())


@pytest.mark.parametrize(("shape", "tile"), [((300, 290), 160), ((201, 77), 190), ((64, 500), 168), ((170, 170), 161)])
def test_tiles_leave_no_trace(shape, tile):
    image = np.random.default_rng(1).poisson(3, shape)
    whole = restore(image, model=MODEL)
    np.testing.assert_allclose(restore(image, model=MODEL, tile=tile), whole, atol=1e-4 * whole.std())


def test_narrow_tiles_leave_hardly_a_trace():
    """Narrower than 4 radii: neighbours are cut short, by what counts least."""
    image = recorded(shape=(150, 180))
    whole, tiled = (restore(image, model=MODEL, tile=tile, refine=False) for tile in (None, 64))
    assert np.abs(tiled - whole).max() < 0.05 * whole.std()


def test_the_radius_is_that_of_the_network():
    x = np.random.default_rng(0).standard_normal((1, 1, 128, 128), dtype=np.float32)
    other = x.copy()
    other[0, 0, 64, 64] += 5
    y, x = np.nonzero(np.abs(MODEL.run(x) - MODEL.run(other))[0, 0] > 1e-5)
    assert max(np.abs(y - 64).max(), np.abs(x - 64).max()) <= RADIUS


def test_a_stack_is_its_images():
    stack = np.stack([recorded(seed=k, electrons=k + 1) for k in range(3)])
    got = restore(stack, threads=2)
    for one, image in zip(got, stack, strict=True):
        np.testing.assert_array_equal(one, restore(image, threads=1))


def test_reads_mapped_files(tmp_path):
    np.save(tmp_path / "a.npy", recorded())
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    np.testing.assert_array_equal(restore(mapped, model=MODEL), restore(np.array(mapped), model=MODEL))


@pytest.mark.parametrize("value", [0, 7, -2.5, 1e9])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (33, 20)])
def test_constant_images_stay(value, shape):
    np.testing.assert_array_equal(restore(np.full(shape, value), model=MODEL), np.float32(value))


def test_bad_input():
    image = recorded()
    for value in (np.nan, np.inf):
        broken = image.copy()
        broken[70, 9] = value
        with pytest.raises(ValueError, match=r"\(70, 9\)"):
            restore(broken, model=MODEL)
    for shape in ((8,), (2, 2, 8, 8), (0, 8), (0, 8, 8)):
        with pytest.raises(ValueError, match="shape"):
            restore(np.zeros(shape, np.float32), model=MODEL)
    for wrong in (image.astype(complex), image > 0, image.tolist(), image.astype(str)):
        with pytest.raises(TypeError, match="image"):
            restore(wrong, model=MODEL)
    with pytest.raises(ValueError, match="64"):
        restore(image, model=MODEL, tile=32)
    with pytest.raises(TypeError, match="tile"):
        restore(image, model=MODEL, tile=100.0)
    with pytest.raises(crewe.ModelError, match="nobody"):
        restore(image, model="nobody")


@pytest.mark.parametrize("electrons", [0.5, 2.0, 20.0])
def test_nearer_to_the_truth(electrons):
    """Better than the best Gaussian blur, whose width is chosen with the truth at hand."""
    truth, image = lattice(), recorded(electrons)
    fy, fx = np.fft.fftfreq(96)[:, None], np.fft.rfftfreq(128)
    blurs = (np.exp(-2 * (np.pi * sigma) ** 2 * (fy**2 + fx**2)) for sigma in np.arange(0.25, 4, 0.25))
    best = max(psnr(truth, np.fft.irfft2(np.fft.rfft2(image) * blur, s=image.shape)) for blur in blurs)
    got = psnr(truth, restore(image, model=MODEL))
    assert got > best + 1, f"{got:.1f} dB, the best blur {best:.1f} dB"


# Nothing dreamed. Detectors: the power of a Bragg peak (Hann window, above 8 periods per field) over the noise's mean
# power (11 ± 1 in white noise itself; a lattice at the threshold has an amplitude of a tenth of the noise's spread);
# and maxima of the image blurred with σ = 2 px that stand out from its median by a quarter of the highest one.


def bragg(image, noisy):
    window = np.hanning(len(image))[:, None] * np.hanning(len(image))
    power, level = (np.abs(np.fft.fft2((a - a.mean()) * window)) ** 2 for a in (image.astype(float), noisy))
    k = np.hypot(np.fft.fftfreq(len(image))[:, None], np.fft.fftfreq(len(image))) * len(image)
    return power[k > 8].max() / level.mean()


def spots(image):
    f = np.fft.fftfreq(len(image))
    smooth = np.fft.ifft2(np.fft.fft2(image) * np.exp(-8 * np.pi**2 * (f[:, None] ** 2 + f**2))).real
    high = np.ones(smooth.shape, bool)
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        for sign in (1, -1):
            high &= smooth > np.roll(smooth, (sign * dy, sign * dx), (0, 1))
    relief = smooth - np.median(smooth)
    return np.argwhere(high & (relief > relief.max() / 4))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("mean", [0.05, 0.3, 3.0, 30.0, 300.0])
def test_no_lattice_in_noise(mode, mean):
    image = np.random.default_rng(int(mean * 100)).poisson(mean, (256, 256)).astype(np.float32)
    got = restore(image, model=MODES[mode])
    assert bragg(got, image) < 20
    assert got.std() < 0.5 * image.std()


@pytest.mark.parametrize("mode", MODES)
def test_no_lattice_in_vacuum(mode):
    """In a scan few electrons, the pedestal of the electronics and the smear of the readout; in a camera its noise."""
    flat = np.full((256, 256), 0.1, np.float32)
    if mode.startswith("tem"):
        settings = {"thermal": {"sigma": 2.0}, "reset": {"sigma": 0.2}, "fixed_pattern": {"sigma": 0.01}}
        image = noise.tem(flat, electrons_per_pixel=20.0, seed=1, **settings).image
    else:
        settings = {"detector": {"width": 0.3, "pedestal": 0.1}}
        settings["fast_scan"] = {"alpha": 2.5, "beta": 0.8, "gamma": 9.0, "theta": 1.2}
        image = noise.stem(flat, pixel_size=1.0, electrons_per_pixel=0.02, seed=1, **settings).image
    got = restore(image, model=MODES[mode])
    assert bragg(got, image) < 20
    assert got.std() < 0.5 * image.std()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dose", [20.0, 200.0])
def test_a_single_atom_stays_single(mode, dose):
    """An atom of `dose` electrons in its brightest pixel on a ground of 2 % of that; in a TEM a dark one on a bright
    ground."""
    y, x = np.indices((128, 128))
    spot = np.exp(-((y - 61.0) ** 2 + (x - 70.0) ** 2) / (2 * 3.0**2))
    truth = (dose * (1 - 0.5 * spot if mode.startswith("tem") else 0.02 + spot)).astype(np.float32)
    image = noise.shot(truth, seed=4)
    if not mode.startswith("tem"):
        image = noise.pmt(image, width=0.2, pedestal=0.05, seed=4)
    got = restore(image, model=MODES[mode])
    found = spots(-got if mode.startswith("tem") else got)
    assert len(found) == 1, found.tolist()
    assert np.abs(found[0] - (61, 70)).max() <= 1


@pytest.mark.parametrize("electrons", [0.3, 3.0, 300.0])
def test_electrons_stay_where_they_were_counted(electrons):
    """Without jitter, squares of 24 pixels hold within 3 % (and the noise) what they held before."""
    image = noise.shot(electrons * lattice((120, 144)), seed=1)
    sums = [a.reshape(5, 24, 6, 24).sum(axis=(1, 3))[1:-1, 1:-1] for a in (image, restore(image, model=MODEL))]
    assert (np.abs(sums[1] / sums[0] - 1) < 0.03 + 1 / np.sqrt(sums[0])).all()


def test_lines_are_put_back_where_they_can_be_found():
    """A second time through the network at high doses; at low ones the lines stay where they are."""
    truth = lattice((128, 160))
    for electrons, better in ((0.3, None), (200.0, 1.0)):
        image = recorded(electrons, (128, 160))
        once, twice = (restore(image, model=MODEL, refine=refine) for refine in (False, True))
        if better is None:
            assert psnr(truth, twice) > psnr(truth, once) - 0.5
        else:
            assert psnr(truth, twice) > psnr(truth, once) + better


def test_slow_differences_of_a_tem_are_put_back():
    image = np.random.default_rng(0).poisson(4 + 3 * lattice((64, 80))).astype(np.float32)
    once, whole = (restore(image, model=MODES["tem-hr"], refine=refine) for refine in (False, True))
    blurred = noise.gaussian_blur(image - once, sigma=12.0)
    np.testing.assert_allclose(whole, once + blurred, atol=1e-4)


@pytest.mark.parametrize("mode", sorted(set(MODES) - {"stem-hr", "tem-hr"}))
def test_other_modes_are_the_network_alone(mode):
    image = np.random.default_rng(0).poisson(4 + 3 * lattice((64, 80))).astype(np.float32)
    once, whole = (restore(image, model=MODES[mode], refine=refine) for refine in (False, True))
    np.testing.assert_array_equal(whole, once)


def test_every_pixel_is_told_once_and_a_bar_changes_nothing():
    image, counts = recorded(shape=(100, 150)), []
    out = np.empty_like(image)
    restore_into(out, image, MODEL, tile=64, passed=counts.append)
    assert sum(counts) == image.size
    assert len(counts) > counts.count(0) > 0
    np.testing.assert_array_equal(restore(image, model=MODEL, tile=64, progress=True), out)


def test_a_stack_ends_with_the_tiles_under_way(monkeypatch):
    """As Ctrl-C does: what one image raises ends the others too."""
    begun = []

    def broken(self, *batches):
        begun.append(len(batches))
        raise KeyboardInterrupt

    monkeypatch.setattr(models.Model, "run", broken)
    with pytest.raises(KeyboardInterrupt):
        restore(np.stack([recorded(shape=(70, 70))] * 6), model=MODEL, threads=2)
    assert len(begun) <= 4
