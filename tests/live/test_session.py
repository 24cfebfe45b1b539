"""Frames into a session: the bits of the batch functions, whatever the way that the data come."""

import itertools
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe import imaging
from crewe.live import ICOM, CenterOfMass, ElectricField, RiCOM, Session, Sum, VirtualDetector
from live.common import CENTER, DETECTOR, SCAN, assert_bits, batch, flat, images, patterns, session_for
from reference import live as reference

pytestmark = pytest.mark.usefixtures("place")


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "f4"])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_in_order_gives_the_bits_of_the_batch(dtype, threads):
    frames = patterns(dtype=dtype)
    want = batch(frames)
    for sizes in [(1,), (7,), (11, 2, 30), (1000,)]:
        with session_for(frames, threads=threads) as session:
            at = 0
            while at < len(flat(frames)):
                size = sizes[at % len(sizes)]
                session.push(flat(frames)[at : at + size])
                at += size
            assert session.done == 99
            assert_bits(session, want, names=("ricom", "band", "ring", "all", "com", "field", "sum"))
        assert_bits(session, want)


@given(seed=st.integers(0, 2**32 - 1))
def test_any_blocks_in_any_order_end_with_the_bits_of_the_batch(seed):
    """Blocks overlap, come again and out of order: at the end only what came last for a position counts."""
    rng = np.random.default_rng(seed)
    frames, noise = patterns(seed=1), patterns(seed=2)
    data = flat(frames)
    cuts = np.unique(np.r_[0, rng.integers(0, 99, rng.integers(1, 12)), 99])
    blocks = [(a, data[a:b]) for a, b in itertools.pairwise(cuts)]
    early = [(int(a), flat(noise)[a : a + 9]) for a in rng.integers(0, 90, 3)]
    with session_for(frames) as session:
        for first, block in early + [blocks[i] for i in rng.permutation(len(blocks))]:
            session.push(block, first=int(first))
    assert session.done == 99
    assert_bits(session, batch(frames), names=("ricom", "band", "ring", "all", "com", "field", "icom"))


def test_what_is_seen_on_the_way_is_eq_3_4():
    frames = patterns()
    model = reference.Session(SCAN, DETECTOR)
    order = np.random.default_rng(3).permutation(99)
    with session_for(frames, images={"ricom": RiCOM(7), "com": CenterOfMass()}) as session:
        for i in order[:60]:
            session.push(flat(frames)[i : i + 1], first=int(i))
            model.push(int(i), flat(frames)[i])
        com = model.com(CENTER)
        assert np.abs(session["com"] - com).max() < 1e-5
        assert np.abs(session["ricom"] - reference.integrate(com, 7)).max() < 1e-5


@pytest.mark.parametrize("rotation", [0.0, 0.4, -2.5])
@pytest.mark.parametrize("transpose", [False, True])
def test_rotation_and_transpose(rotation, transpose):
    frames = patterns(seed=4)
    with session_for(frames, rotation=rotation, transpose=transpose) as session:
        session.push(flat(frames))
    assert_bits(session, batch(frames, rotation=rotation, transpose=transpose))


@pytest.mark.parametrize("step", [1, 5, 99])
def test_center_auto_is_the_mean_and_the_bits_dont_depend_on_blocks(step):
    frames = np.roll(patterns(seed=5), (3, -2), (2, 3))
    with session_for(frames, center="auto") as session:
        for at in range(0, 99, step):
            session.push(flat(frames)[at : at + step])
    raw = imaging.com(frames, center=(0.0, 0.0)).astype(np.float64).reshape(-1, 2).mean(0)
    assert np.abs(session["com"].reshape(-1, 2).mean(0, dtype=np.float64)).max() < 1e-6
    assert np.allclose(session.center, raw, atol=1e-5)
    assert_bits(session, batch(frames, center=session.center), names=("com", "ricom", "band", "field", "icom"))
    assert np.array_equal(session["ring"], imaging.virtual_image(frames, inner=3.0, outer=7.5)), "the array's centre"


def test_center_auto_is_refined_on_the_way():
    """A picture with a wrong centre has a bright edge where the scan stands: it must go soon, not at the end only."""
    frames = np.roll(patterns((40, 40), seed=6), (3, -2), (2, 3))
    with session_for(frames, center="auto", images={"ricom": RiCOM(7), "com": CenterOfMass()}) as session:
        for row in range(30):
            session.push(frames[row])
            mean = session["com"][: row + 1].reshape(-1, 2).mean(0)
            assert np.abs(mean).max() < 0.3
        com = np.zeros((40, 40, 2))
        com[:30] = session["com"][:30]
        assert np.abs(session["ricom"] - reference.integrate(com, 7)).max() < 1e-4


def test_incomplete_scan_is_finished_by_close():
    frames = patterns(seed=7)
    with session_for(frames, center="auto") as session:
        for at in (50, 0):
            session.push(flat(frames)[at : at + 30], first=at)
    seen = np.zeros((*SCAN, 2), np.float32)
    seen.reshape(-1, 2)[:30] = imaging.com(flat(frames)[:30], center=session.center)
    seen.reshape(-1, 2)[50:80] = imaging.com(flat(frames)[50:80], center=session.center)
    assert session.done == 60
    assert np.abs(seen.reshape(-1, 2).sum(0)).max() < 1e-4
    assert_bits(
        session, {"com": seen, "ricom": imaging.ricom(seen, kernel=7), "icom": imaging.icom(seen, high_pass=0.05)}
    )


def test_finish_leaves_the_session_open():
    frames = patterns(seed=8)
    with session_for(frames) as session:
        session.push(flat(frames)[:40])
        session.finish()
        session.push(flat(frames)[40:])
    assert_bits(session, batch(frames))
    with pytest.raises(ValueError, match="closed"):
        session.push(flat(frames)[:1], first=0)
    with pytest.raises(ValueError, match="closed"):
        session.push_events(*(np.zeros(1, np.int64),) * 3)


def test_views_are_read_only_never_move_and_outlive_the_session():
    frames = patterns(seed=9)
    session = session_for(frames)
    views = {name: session[name] for name in session}
    places = {name: view.ctypes.data for name, view in views.items()}
    assert set(views) == set(images()) == set(session.images)
    session.push(flat(frames))
    session.configure(ricom=RiCOM(5), rotation=0.3)
    session.next_scan()
    assert not any(view.any() for view in views.values())
    session.configure(ricom=RiCOM(7), rotation=0.0)
    session.push(flat(frames))
    session.close()
    for name, view in views.items():
        assert session[name].ctypes.data == places[name]
        assert not view.flags.writeable
        with pytest.raises(ValueError):
            view[0, 0] = 1
    del session
    for name, want in batch(frames).items():
        assert np.array_equal(views[name], want), name


def test_next_scan_starts_at_zero_and_keeps_the_settings():
    first, second = patterns(seed=10), patterns(seed=11)
    with session_for(first) as session:
        session.push(flat(first)[:70])
        session.next_scan()
        assert session.done == 0
        assert not any(session[name].any() for name in session)
        session.push(flat(second))
        assert session.done == 99
    assert_bits(session, batch(second))


def test_virtual_detectors_follow_the_beam_from_the_second_scan_on():
    frames = np.roll(patterns(seed=12), (2, -1), (2, 3))
    with session_for(frames, center="auto") as session:
        session.push(flat(frames))
        center = session.center
        session.next_scan()
        session.push(flat(frames))
    want = imaging.virtual_image(frames, inner=3.0, outer=7.5, center=center)
    assert np.array_equal(session["ring"], want)


def test_done_and_version_grow_with_what_is_visible():
    frames = patterns(seed=13)
    with session_for(frames) as session:
        seen = [(session.done, session.version)]
        for at in range(0, 99, 9):
            session.push(flat(frames)[at : at + 9])
            seen.append((session.done, session.version))
        session.push(flat(frames)[:9], first=0)
        assert session.done == 99
        assert session.version > seen[-1][1]
    assert [done for done, _ in seen] == list(range(0, 100, 9))
    assert all(a < b for (_, a), (_, b) in itertools.pairwise(seen))


def test_updates_name_all_rows_and_end_with_the_session():
    frames, seen = patterns(seed=14), {}
    session = session_for(frames)

    def watch():
        for name, first, last in session.updates(hz=200):
            assert 0 <= first <= last < session[name].shape[0]
            seen.setdefault(name, set()).update(range(first, last + 1))

    watchers = [threading.Thread(target=watch) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    for row in range(9):
        session.push(frames[row])
        time.sleep(0.002)
    session.close()
    for watcher in watchers:
        watcher.join(10)
        assert not watcher.is_alive()
    for name in session:
        assert seen[name] == set(range(session[name].shape[0])), name
    assert {name for name, _, _ in session.updates(hz=1000)} == set(session), "a late one sees everything once"


def test_updates_are_about_what_changed():
    frames = patterns((40, 4), seed=15)
    with session_for(frames, images={"ricom": RiCOM(5), "com": CenterOfMass()}) as session:
        since = session.version
        session.push(frames[10], first=0)
        session.push(frames[20], first=80)
        assert session._core.changed_rows("com", since) == [(0, 0), (20, 20)]
        assert session._core.changed_rows("ricom", since) == [(0, 2), (18, 22)]


def test_wrong_blocks_are_refused_whole():
    frames = patterns(seed=16)
    data = flat(frames)
    with session_for(frames) as session:
        session.push(data[:60])
        version = session.version
        for block, first in [
            (data[:3, :-1], None), (data[:3, :, :-1], None), (data[0], None), (frames[:1], None),
            (data[:3], 97), (data[:3], -1), (data[:3], 99), (data[:40], None), (data[:1], 10**12),
        ]:  # fmt: skip
            with pytest.raises(ValueError, match=r"frames|first|scan"):
                session.push(block, first=first)
        for block in (data[:3].astype(np.float64), data[:3].astype(">u2"), data[:3] > 0, data[:3].tolist()):
            with pytest.raises(TypeError, match="frames"):
                session.push(block)
        session.push(data[:0])
        assert session.version == version
        session.push(data[60:])
        with pytest.raises(ValueError, match="next_scan"):
            session.push(data[:1])
    assert_bits(session, batch(frames))


@pytest.mark.parametrize("size", [1, 30, 3000])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_is_refused_with_its_block(size, bad):
    """Also in blocks longer than what is summed at a time."""
    frames = patterns((60, 60), (4, 5), np.float32, seed=17)
    data = flat(frames).copy()
    data[2900, 1, 2] = bad
    with session_for(frames, device="cpu") as session:  # tests/cuda has the same with less to do
        for at in range(0, 3600, size):
            if at <= 2900 < at + size:
                with pytest.raises(ValueError, match=rf"frame {2900 - at} of the block"):
                    session.push(data[at : at + size], first=at)
                assert not session["all"].reshape(-1)[at : at + size].any()
            else:
                session.push(data[at : at + size], first=at)
    assert all(np.isfinite(session[name]).all() for name in session)
    assert session.done == 3600 - len(data[2900 // size * size : (2900 // size + 1) * size])


def test_strided_blocks_are_read_where_they_lie():
    wide = patterns((9, 22), (36, 48), seed=18)
    frames = wide[:, ::2, ::2, ::3]
    with session_for(frames) as session:
        for row in range(9):
            session.push(frames[row])
    assert_bits(session, batch(frames))
    swapped = frames.swapaxes(2, 3)
    with session_for(swapped, center=CENTER[::-1]) as session:
        for row in range(9):
            session.push(swapped[row][::1])
    assert_bits(session, batch(swapped, center=CENTER[::-1]))


def test_big_endian_frames_through_the_door_for_sources():
    frames = patterns(seed=19)
    for dtype in (">u2", ">u4"):
        with session_for(frames) as session:
            session._core.push(flat(frames).astype(dtype), None)
        assert_bits(session, batch(frames))


def test_repeated_scans_without_next_scan_end_exact():
    frames, other = patterns(seed=20), patterns(seed=21)
    with session_for(frames) as session:
        session.push(flat(other))
        for at in range(0, 99, 10):
            session.push(flat(frames)[at : at + 10], first=at)
        assert_bits(session, batch(frames), names=("ricom", "com", "ring"))
        assert np.array_equal(session["sum"], batch(other)["sum"]), "a position counts once in the sum"


def test_icom_is_made_when_asked_for():
    frames = patterns(seed=22)
    with session_for(frames) as session:
        view = session["icom"]
        for row in range(9):
            session.push(frames[row])
            com = np.zeros((*SCAN, 2), np.float32)
            com[: row + 1] = imaging.com(frames[: row + 1], center=CENTER)
            assert np.array_equal(session["icom"], imaging.icom(com, high_pass=0.05))
            assert np.array_equal(view, session["icom"])


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"scan": (3,)}, ValueError), ({"scan": (0, 3)}, ValueError), ({"scan": 5}, ValueError),
        ({"scan": (2.5, 3)}, ValueError), ({"scan": (1 << 20, 1 << 20)}, ValueError),
        ({"detector": (4, 4, 4)}, ValueError), ({"detector": (1 << 20, 4)}, ValueError),
        ({"images": {}}, ValueError), ({"images": {"a": "ricom"}}, TypeError), ({"images": {3: Sum()}}, TypeError),
        ({"images": {"center": Sum()}}, ValueError), ({"images": {"": Sum()}}, ValueError),
        ({"center": "middle"}, ValueError), ({"center": (1,)}, ValueError), ({"center": (np.nan, 1)}, ValueError),
        ({"rotation": np.inf}, ValueError), ({"rotation": "1"}, TypeError), ({"threads": -1}, ValueError),
        ({"device": "tpu"}, ValueError), ({"on_full": "drop"}, ValueError), ({"queue": 0}, ValueError),
        ({"descan": (1, 2)}, ValueError), ({"descan": "auto"}, ValueError),
        ({"dead_pixels": np.zeros((3, 3), bool)}, ValueError), ({"dark": np.zeros((3, 3))}, ValueError),
        ({"gain": np.full(DETECTOR, np.nan)}, ValueError), ({"com_mask": np.zeros(5)}, ValueError),
        ({"com_radii": (5.0, 2.0)}, ValueError), ({"order": "spiral"}, ValueError), ({"order": [0.5]}, ValueError),
        ({"order": [99]}, ValueError), ({"order": [0, 1], "flyback": 1}, ValueError),
        ({"flyback": -1}, ValueError), ({"skip": 1.5}, TypeError),
    ],
)  # fmt: skip
def test_wrong_options_name_themselves(wrong, error):
    options = {"scan": SCAN, "detector": DETECTOR, "images": images(), **wrong}
    with pytest.raises(error, match="|".join([*wrong, "images"])):
        Session(**options)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: RiCOM(4), ValueError), (lambda: RiCOM(-1), ValueError), (lambda: RiCOM(2.5), TypeError),
        (lambda: RiCOM(5, low=0.4, high=0.2), ValueError), (lambda: RiCOM(5, low=np.nan), ValueError),
        (lambda: VirtualDetector(5, 5), ValueError), (lambda: VirtualDetector(-1), ValueError),
        (lambda: VirtualDetector("a"), TypeError), (lambda: ICOM(-0.1), ValueError),
        (lambda: ElectricField(0, 1), ValueError), (lambda: ElectricField(1e5, np.inf), ValueError),
    ],
)  # fmt: skip
def test_wrong_kinds(make, error):
    with pytest.raises(error):
        make()


def test_unknown_names():
    with session_for(patterns()) as session:
        with pytest.raises(KeyError, match="ricom"):
            session["nothing"]
        assert "nothing" not in session
        with pytest.raises(ValueError, match="hz"):
            next(session.updates(hz=0))


def test_readers_and_the_producer_at_the_same_time():
    """Every value that a reader sees is finite, and what `done` counts is there."""
    frames = patterns((40, 30), seed=23)
    wanted = imaging.virtual_image(frames).reshape(-1)
    session, wrong = session_for(frames, threads=2), []

    def read():
        view, ricom = session["all"].reshape(-1), session["ricom"]
        while not session.closed:
            done = session.done
            if not np.array_equal(view[:done], wanted[:done]) or not np.isfinite(ricom).all():
                wrong.append(done)
            session["icom"]

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for at in range(0, 1200, 13):
        session.push(flat(frames)[at : at + 13])
    session.close()
    for reader in readers:
        reader.join(20)
        assert not reader.is_alive()
    assert not wrong
    assert_bits(session, batch(frames))
