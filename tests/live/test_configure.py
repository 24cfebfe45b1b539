"""Changes during the scan take effect for what is already scanned; wrong ones change nothing."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe import imaging
from crewe.io.sources import EVENT
from crewe.live import ICOM, CenterOfMass, ElectricField, RiCOM, Session, Sum, VirtualDetector
from live.common import (
    CENTER,
    DETECTOR,
    SCAN,
    assert_bits,
    assert_close,
    batch,
    events_of,
    flat,
    images,
    of_com,
    patterns,
    session_for,
)
from reference import live as reference

pytestmark = pytest.mark.usefixtures("place")

CHANGES = [
    {"center": (7.0, 9.5)},
    {"rotation": 0.6},
    {"rotation": -1.0, "transpose": True},
    {"transpose": True},
    {"center": (3.0, 3.0), "rotation": 2.0},
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("when", [1, 60, 99])
def test_as_if_it_had_held_from_the_start(change, when):
    frames = patterns()
    with session_for(frames) as session:
        session.push(flat(frames)[:when])
        session.configure(**change)
        seen = flat(frames).copy()
        seen[when:] = 0
        names = ("com", "ricom", "band", "field", "icom")
        assert_bits(session, batch(seen.reshape(frames.shape), **change), names=names)
        session.push(flat(frames)[when:])
    assert_bits(session, batch(frames, **change), names=names)


@pytest.mark.parametrize("widths", [(15, 3), (3, 15)])
def test_a_kernel_leaves_nothing_of_the_one_before(widths):
    frames, seen = patterns(seed=7), patterns(seed=7)
    flat(seen)[35:] = 0
    with session_for(frames, images={"ricom": RiCOM(widths[0]), "other": RiCOM(5)}) as session:
        session.push(flat(frames)[:35])
        session.configure(ricom=RiCOM(widths[1]))
        assert np.array_equal(session["ricom"], imaging.ricom(imaging.com(seen, center=CENTER), kernel=widths[1]))
        session.push(flat(frames)[35:])
    com = imaging.com(frames, center=CENTER)
    assert np.array_equal(session["ricom"], imaging.ricom(com, kernel=widths[1]))
    assert np.array_equal(session["other"], imaging.ricom(com, kernel=5))


def test_a_kernel_changes_while_electrons_are_awaited():
    frames = patterns(seed=8)
    events = np.zeros(int(frames.sum()), EVENT)
    events["position"], events["y"], events["x"] = events_of(frames, seed=None)
    with session_for(frames, images={"ricom": RiCOM(15), "other": RiCOM(5)}) as session:
        for k, piece in enumerate(np.array_split(events, 20)):
            session._core.push_records(piece, True)  # more of the last positions may come
            if k % 3 == 1:
                session.configure(ricom=RiCOM(3 if k % 2 else 15))
    com = imaging.com(frames, center=CENTER)
    kernel = session.images["ricom"].kernel
    assert_close(session, {"ricom": imaging.ricom(com, kernel=kernel), "other": imaging.ricom(com, kernel=5)})


def test_kinds():
    frames = patterns(seed=1)
    com = imaging.com(frames, center=CENTER)
    with session_for(frames) as session:
        session.push(flat(frames))
        session.configure(
            ricom=RiCOM(15, low=0.02), band=RiCOM(3), icom=ICOM(high_pass=0.2), field=ElectricField(80e3, 1.0)
        )
        want = {
            "ricom": imaging.ricom(com, kernel=15, low=0.02),
            "band": imaging.ricom(com, kernel=3),
            "icom": imaging.icom(com, high_pass=0.2),
            "field": imaging.electric_field(com, energy=80e3, angle_per_pixel=1.0),
        }
        assert_bits(session, want)
        assert session.images["ricom"] == RiCOM(15, low=0.02)
        session.configure(ricom=ICOM(), band=VirtualDetector(), com=ElectricField(80e3, 1.0), field=CenterOfMass())
        assert_bits(session, {"ricom": imaging.icom(com), "com": want["field"], "field": com})
        assert not session["band"].any(), "without a profile a virtual detector starts with the next frame"
        session.push(flat(frames)[:9], first=0)
        assert np.array_equal(session["band"].reshape(-1)[:9], imaging.virtual_image(flat(frames)[:9]))


def test_center_auto_and_back():
    frames = patterns(seed=2)
    with session_for(frames) as session:
        session.push(flat(frames)[:70])
        session.configure(center="auto")
        assert np.abs(session["com"].reshape(-1, 2)[:70].mean(0)).max() < 1e-5
        session.configure(center=CENTER)
        assert session.center == CENTER
        session.push(flat(frames)[70:])
    assert_bits(session, batch(frames))


def test_detector_center_moves_for_what_comes():
    frames = patterns(seed=3)
    with session_for(frames) as session:
        session.push(flat(frames)[:40])
        session.configure(center=(5.0, 6.0), ring=VirtualDetector(1.0, 4.0))
        session.push(flat(frames)[40:])
    want = imaging.virtual_image(frames, inner=3.0, outer=7.5, center=CENTER)
    want.reshape(-1)[40:] = imaging.virtual_image(flat(frames)[40:], inner=1.0, outer=4.0, center=(5.0, 6.0))
    assert np.array_equal(session["ring"], want)


@pytest.mark.parametrize("detector", [(18, 16), (100, 140)])
@pytest.mark.parametrize("events", [False, True])
def test_radii_for_the_past_from_the_profile(detector, events):
    frames = patterns((4, 5), detector, seed=4)
    center = (detector[0] / 2 - 0.7, detector[1] / 2 + 0.2)
    with session_for(frames, images={"ring": VirtualDetector(2.0, 5.0)}, center=center, keep_profile=True) as session:
        if events:
            counts = flat(frames)
            where = np.repeat(np.argwhere(counts), counts[counts > 0].astype(np.int64), axis=0)
            session.push_events(*where.T)
        else:
            session.push(flat(frames))
        assert np.array_equal(session["ring"], imaging.virtual_image(frames, inner=2.0, outer=5.0, center=center))
        w = session.ring_width
        assert w == (1.0 if detector == (18, 16) else 2.0)
        for inner, outer in [(0.0, 3 * w), (2 * w, 6 * w), (w, None)]:
            session.configure(ring=VirtualDetector(inner, outer))
            want = imaging.virtual_image(frames, inner=inner, outer=outer, center=center)
            assert np.array_equal(session["ring"], want), (inner, outer)
        session.configure(ring=VirtualDetector(1.3 * w, 4.6 * w))
        least = imaging.virtual_image(frames, inner=2 * w, outer=4 * w, center=center)
        most = imaging.virtual_image(frames, inner=1 * w, outer=5 * w, center=center)
        assert (session["ring"] >= least).all()
        assert (session["ring"] <= most).all()
        if events:
            session.push_events(np.array([3]), np.array([int(center[0]) + int(3 * w)]), np.array([int(center[1])]))
            want = most.copy()
            assert session["ring"].reshape(-1)[3] > 0


def test_rings_move_with_the_centre_from_scan_to_scan():
    frames = patterns((4, 5), (40, 30), seed=6)
    with session_for(frames, images={"ring": VirtualDetector(1.0, 3.0)}, center="auto", keep_profile=True) as session:
        session.push(flat(frames))
        session.finish()
        center = session.center
        session.next_scan()
        session.push(flat(frames)[:9])
        session.configure(ring=VirtualDetector(2.0, 6.0))
        session.push(flat(frames)[9:])
        want = imaging.virtual_image(frames, inner=2.0, outer=6.0, center=center)
        assert np.array_equal(session["ring"], want)
        session.next_scan()
        session.configure(center=(11.0, 22.0))
        session.next_scan()
        session.push(flat(frames))
        session.configure(ring=VirtualDetector(0.0, 7.0))
        assert np.array_equal(session["ring"], imaging.virtual_image(frames, outer=7.0, center=(11.0, 22.0)))


def test_profile_without_the_past_is_zero():
    with session_for(patterns(), images={"a": VirtualDetector()}) as session:
        assert session.ring_width == 0


def test_wrong_changes_change_nothing():
    frames = patterns(seed=5)
    wrong = [
        ({"nonsense": 1}, ValueError), ({"nonsense": Sum()}, ValueError), ({"rotation": np.nan}, ValueError),
        ({"rotation": "a"}, TypeError), ({"center": (1, 2, 3)}, ValueError), ({"center": "here"}, ValueError),
        ({"ricom": "big"}, TypeError), ({"ricom": CenterOfMass()}, ValueError), ({"com": RiCOM()}, ValueError),
        ({"sum": RiCOM()}, ValueError), ({"descan": 3}, ValueError), ({"threads": 2}, ValueError),
        ({"rotation": 1.0, "ricom": CenterOfMass()}, ValueError),
        ({"rotation": 1.0, "center": (0, np.inf)}, ValueError),
        ({"ricom": RiCOM(5), "band": Sum()}, ValueError),
        ({"ricom": RiCOM(5), "descan": [[1, 2], [3, np.nan]]}, ValueError),
    ]  # fmt: skip
    with session_for(frames) as session:
        session.push(flat(frames)[:50])
        version = session.version
        for change, error in wrong:
            with pytest.raises(error):
                session.configure(**change)
            assert session.version == version, change
        assert session.images == images()
        session.configure()
        session.push(flat(frames)[50:])
    assert_bits(session, batch(frames))


def test_after_the_end():
    frames = patterns(seed=6)
    with session_for(frames) as session:
        session.push(flat(frames))
    session.configure(rotation=0.3, ricom=RiCOM(7))
    assert_bits(session, batch(frames, rotation=0.3), names=("ricom", "com"))


def test_from_another_thread_while_the_producer_is_busy():
    """The producer lets changes in between blocks; the end is what the last change says."""
    frames = patterns((60, 60), (8, 8), seed=7)
    kinds = {"ricom": RiCOM(7), "com": CenterOfMass()}
    session = Session(scan=(60, 60), detector=(8, 8), images=kinds, center=(3.5, 3.5), threads=2)
    stop, calls = threading.Event(), []

    def turn():
        rng = np.random.default_rng(0)
        while not stop.is_set():
            session.configure(rotation=rng.uniform(-3, 3), ricom=RiCOM(int(rng.choice([3, 5, 9]))))
            calls.append(1)

    other = threading.Thread(target=turn)
    other.start()
    try:
        for _ in range(8):
            for at in range(0, 3600, 20):
                session.push(flat(frames)[at : at + 20], first=at)
    finally:
        stop.set()
        other.join(60)
    session.configure(rotation=0.2, ricom=RiCOM(7))
    session.close()
    assert calls
    com = imaging.rotate(imaging.com(frames, center=(3.5, 3.5)), 0.2)
    assert np.array_equal(session["com"], com)
    assert np.array_equal(session["ricom"], imaging.ricom(com, kernel=7))


@given(seed=st.integers(0, 2**32 - 1))
def test_descan_given_and_fitted(seed):
    rng = np.random.default_rng(seed)
    frames = patterns(seed=seed % 1000)
    slopes = rng.normal(0, 0.2, (2, 2))
    model = reference.Session(SCAN, DETECTOR)
    for i, frame in enumerate(flat(frames)):
        model.push(i, frame)
    with session_for(frames, descan=slopes) as session:
        session.push(flat(frames))
    assert np.abs(session["com"] - model.com(CENTER, slopes)).max() < 1e-5
    assert np.array_equal(session["ricom"], imaging.ricom(np.array(session["com"]), kernel=7))
    for center in ("auto", CENTER):
        with session_for(frames, center=center, descan="fit") as session:
            for at in range(0, 99, 10):
                session.push(flat(frames)[at : at + 10])
        want = model.com(center, "fit")
        assert np.abs(session["com"] - want).max() < 1e-5
        assert_bits(session, of_com(np.array(session["com"])))
        if center == "auto":
            assert np.abs(session["com"].reshape(-1, 2).mean(0)).max() < 1e-6
        session.configure(descan=None, center=CENTER)
        assert_bits(session, batch(frames), names=("com", "ricom"))


def test_descan_of_a_wandering_beam_is_found():
    """A plane that is put into the frames comes out, and leaves an image without it."""
    rng = np.random.default_rng(8)
    plane = np.array([[0.15, -0.05], [0.1, 0.2]])
    v, u = np.arange(20)[:, None] - 9.5, np.arange(30) - 14.5
    cy, cx = (19.5 + a * v + b * u + rng.normal(0, 0.3, (20, 30)) for a, b in plane)
    y, x = np.ogrid[:40, :40]
    frames = ((y - cy[..., None, None]) ** 2 + (x - cx[..., None, None]) ** 2 < 64).astype(np.uint8)
    with session_for(frames, images={"com": CenterOfMass()}, center="auto", descan="fit") as session:
        session.push(flat(frames))
    assert np.abs(session.descan - plane).max() < 0.01
    assert np.abs(session["com"]).max() < 1.5
