"""Timepix3 hits at probe positions: lines by triggers, dwell times, chips apart, against the truth of made-up scans."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import crewe.io
from crewe import FormatError
from crewe._core import Tpx3Scan
from crewe.io.event_files import quad
from crewe.io.tpx3 import Tpx3File
from levels import at_all_levels
from reference.tpx3 import TICK, TURN, chunk, heartbeat_word, hit_word, scan_stream, sorted_events, tdc_word

OPTIONS = {"detector": (512, 512), "chips": quad()}


def scanned(stream, scan, step=10**9, **options):
    """All events of a stream as a sorted table, and the decoder."""
    decoder = Tpx3Scan(scan=scan, **{**OPTIONS, **options})
    blocks = [decoder.feed(stream[i : i + step]).copy() for i in range(0, len(stream), step)]
    events = np.concatenate([*blocks, decoder.finish()])
    return sorted_events(events["position"], events["y"], events["x"]), decoder


VARIANTS = {
    "plain": {},
    "unequal lines": {"lengths": [51200, 40000, 77777, 51201, 30011, 52000]},
    "words in order": {"disorder": 0},
    "no flyback": {"flyback": 0},
    "first line at the turn of the clock": {"start": TURN - 51200},
    "turn of the clock within the scan": {"start": TURN - 150_000},
    "start at 0": {"start": 0},
    "a chip without edges": {"without_tdc": (2,)},
    "edges in one chip only": {"without_tdc": (0, 2, 3)},
    "a chip missing": {"chips": (0, 1, 3)},
    "a chip without hits": {"silent": (1,)},
    "edges in a chip without hits": {"silent": (1,), "without_tdc": (0, 2, 3)},
    "chips whole lines apart": {"lag": (0, 2, 3, 1)},
    "chips apart, one without edges": {"lag": (2, 0, 1, 0), "without_tdc": (1,)},
    "edges a little apart": {"offsets": (0, 7, -20, 100), "before": 0},
    "a rise lost in one chip": {"lost": {(1, 2, True)}},
    "falls lost in one chip": {"lost": {(3, 2, False), (3, 3, False)}},
    "a line of one chip lost": {"lost": {(0, 1, True), (0, 1, False)}},
    "the first line of one chip lost": {"lost": {(0, 0, True), (0, 0, False)}},
    "the last line of one chip lost": {"lost": {(0, 5, True), (0, 5, False)}},
    "a fall lost everywhere": {"lost": {(chip, 3, False) for chip in range(4)}},
    "a rise lost everywhere": {"lost": {(chip, 3, True) for chip in range(4)}},
    "the last fall lost everywhere": {"lost": {(chip, 5, False) for chip in range(4)}},
    "few hits": {"per_line": 12, "disorder": 3},
    "many hits": {"per_line": 20000, "longest": 8000},
    "hits before the scan": {"before": 3000},
    "lines of 6.9 s": {"lengths": 4_416_000_000, "flyback": 16_000_000, "before": 0},
}


@pytest.mark.parametrize("step", [10**9, 1009])
@pytest.mark.parametrize("variant", VARIANTS)
def test_lines_by_triggers(variant, step):
    options = VARIANTS[variant]
    made = scan_stream(np.random.default_rng(1), (6, 8), **options)
    events, decoder = scanned(made.stream, (6, 8), step)
    assert len(events) == len(made.events), f"{len(made.events)} events wanted, {len(events)} came"
    np.testing.assert_array_equal(events, made.events)
    assert decoder.damage is None
    counts = decoder.counts
    assert counts["hits"] == counts["events"] + counts["stray"]
    assert counts["lost"] == counts["unaccepted"] == 0
    assert decoder.lines == 6
    if len(set(np.ravel(options.get("lengths", 1)))) == 1 and not options.get("lost"):
        assert decoder.dwell == pytest.approx(options.get("lengths", 51200) / 8 * TICK, rel=1e-12)


@settings(max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(1, 9), st.integers(1, 40)),
    st.integers(1, 700),
    st.integers(400, 40_000),
    st.integers(2, 5000),
    st.integers(1, 4000),
)
def test_any_scan_in_any_pieces(seed, scan, per_line, dwell, flyback, step):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(dwell // 2 + 1, dwell + 1, scan[0]) * scan[1]
    made = scan_stream(
        rng,
        scan,
        lengths=lengths + 600,
        flyback=flyback,
        per_line=per_line,
        start=int(rng.integers(0, TURN)),
        disorder=int(rng.integers(0, 40)),
        without_tdc=rng.choice(4, rng.integers(0, 4), replace=False).tolist(),
        lag=rng.integers(0, 3, 4),
    )
    events, _ = scanned(made.stream, scan, step)
    np.testing.assert_array_equal(events, made.events)


def test_a_scan_begins_in_the_middle_of_a_line():
    """What came before the first whole line belongs nowhere."""
    made = scan_stream(np.random.default_rng(2), (6, 8), start=0, before=0, noise=False, lag=(0, 0, 0, 0))
    half = chunk(0, [*hit_word(9, 9, np.arange(10, 900, 10)), tdc_word(1000, False)])
    later = scan_stream(np.random.default_rng(2), (6, 8), start=200_000, before=0)
    events, decoder = scanned(half + later.stream, (6, 8))
    np.testing.assert_array_equal(events, later.events)
    assert decoder.counts["stray"] >= 89
    assert len(made.events) == len(later.events)


@pytest.mark.parametrize(("scans", "part"), [(0, 12), (1, 6), (2, 12)])
def test_scans_that_come_again_add_up(scans, part):
    made = scan_stream(np.random.default_rng(3), (12, 8))
    want = made.events[made.events[:, 0] < part * 8].copy()
    want[:, 0] %= 6 * 8
    events, decoder = scanned(made.stream, (6, 8), scans=scans)
    np.testing.assert_array_equal(events, sorted_events(*want.T))
    assert decoder.complete == (scans > 0)


def test_acceptance_by_triggers():
    made = scan_stream(np.random.default_rng(4), (6, 8), lengths=51203, per_line=3000)
    events, decoder = scanned(made.stream, (6, 8), acceptance=51203 / 8 / 4 * TICK)
    truth, inside = made.events, made.inside
    assert len(events) == np.count_nonzero(inside < 0.25)
    assert decoder.counts["unaccepted"] == np.count_nonzero(inside >= 0.25)
    assert {tuple(event) for event in events} <= {tuple(event) for event in truth}


@pytest.mark.parametrize("dwell", [6400, 640.3, 7777.7])
@pytest.mark.parametrize(("scans", "limit"), [(0, 10), (2, 2)])
def test_dwell_time(dwell, scans, limit):
    rng = np.random.default_rng(5)
    ticks = np.sort(rng.integers(0, int(48 * dwell * 3.5), 5000))
    y, x = rng.integers(0, 256, (2, 5000))
    words = hit_word(y, x, ticks % TURN)[np.argsort(np.arange(5000) + rng.uniform(0, 40, 5000))]
    stream = b"".join(chunk(3, words[i : i + 77]) for i in range(0, 5000, 77))
    position = np.floor(ticks / dwell).astype(int)
    taken = position < limit * 48
    want = sorted_events(position[taken] % 48, y[taken], x[taken])
    events, decoder = scanned(stream, (6, 8), dwell=dwell * TICK, scans=scans)
    np.testing.assert_array_equal(events, want)
    assert decoder.dwell == dwell * TICK
    early = taken & (ticks - np.floor(ticks / dwell) * dwell < dwell * 0.3)
    events, _ = scanned(stream, (6, 8), dwell=dwell * TICK, scans=scans, acceptance=dwell * 0.3 * TICK)
    np.testing.assert_array_equal(events, sorted_events(position[early] % 48, y[early], x[early]))


def test_dwell_times_go_on_beyond_the_turn_of_the_clock():
    ticks = np.arange(0, 5 * TURN, TURN // 7)
    stream = chunk(0, hit_word(1, 2, ticks % TURN))
    decoder = Tpx3Scan(scan=(5, 7), **OPTIONS, dwell=TURN // 7 * TICK)
    events = decoder.feed(stream)
    assert events["position"].tolist() == [i % 35 for i in range(len(ticks))]


# ----------------------------------------------------------------------------------------------------------------- live
def line_words(rng, row, n, *, period=60_000, length=51_200):
    """A line of one chip in order of time, its fall at the end."""
    ticks = np.sort(rng.integers(row * period, row * period + length, n))
    return [
        tdc_word(row * period),
        *hit_word(*rng.integers(0, 256, (2, n)), ticks),
        tdc_word(row * period + length, False),
    ]


def test_events_come_soon_after_their_line():
    rng = np.random.default_rng(6)
    decoder = Tpx3Scan(scan=(3, 8), detector=(256, 256), chips=[(0, 0, False, False)])
    assert len(decoder.feed(chunk(0, line_words(rng, 0, 500)))) == 0, "an edge could still come late"
    after = hit_word(0, 0, 51_300 + np.arange(64))
    assert len(decoder.feed(chunk(0, after[:62]))) == 0
    assert len(decoder.feed(chunk(0, after[62:]))) == 500
    assert len(decoder.feed(chunk(0, line_words(rng, 1, 300)))) == 0
    assert len(decoder.flush()) == 300, "after a pause nothing comes late any more"
    assert len(decoder.finish()) == 0
    assert decoder.counts["stray"] == 64


def test_a_chip_that_is_behind_is_waited_for_but_not_for_ever():
    rng, quick, lines = np.random.default_rng(7), 0, 20
    decoder = Tpx3Scan(scan=(lines, 8), **OPTIONS)
    decoder.feed(chunk(1, hit_word(1, 1, np.array([5]))))
    for row in range(lines):
        quick += len(decoder.feed(chunk(0, line_words(rng, row, 100))))
    assert 100 * (lines - 10) <= quick < 100 * lines
    slow = sum(len(decoder.feed(chunk(1, line_words(rng, row, 100)))) for row in range(lines))
    assert quick + slow + len(decoder.finish()) == 2 * 100 * lines + 1


def test_what_waits_is_bounded():
    rng = np.random.default_rng(8)
    words = line_words(rng, 0, 20_000)
    decoder = Tpx3Scan(scan=(2, 8), **OPTIONS, waiting=4096)
    got = sum(len(decoder.feed(chunk(0, words[i : i + 500]))) for i in range(0, len(words), 500))
    got += len(decoder.finish())
    assert got + decoder.counts["lost"] == 20_000
    assert 3000 <= got <= 4096 + 1024


def test_the_rows_that_a_cut_line_hides_stay_empty():
    rng = np.random.default_rng(9)
    decoder = Tpx3Scan(scan=(12, 8), **OPTIONS)
    events = [decoder.feed(chunk(0, line_words(rng, row, 200))).copy() for row in range(4)]
    events.append(decoder.feed(chunk(0, line_words(rng, 4, 200))[:999]).copy())
    decoder.cut()
    events += [decoder.feed(chunk(0, line_words(rng, row, 200))).copy() for row in range(7, 12)]
    events = np.concatenate([*events, decoder.finish()])
    rows = np.bincount(events["position"] // 8, minlength=12)
    assert rows[[0, 1, 2, 3, 7, 8, 9, 10, 11]].tolist() == [200] * 9
    assert rows[4] == 122, "the part of the line that came, by the length of the line before"
    assert not rows[5:7].any()
    assert decoder.lines == 12


def test_blocks_keep_their_memory():
    made = scan_stream(np.random.default_rng(10), (30, 8), per_line=6000, longest=8000)
    decoder = Tpx3Scan(scan=(30, 8), **OPTIONS)
    first = decoder.feed(made.stream[: len(made.stream) // 10])
    size = len(first)
    decoder.feed(made.stream[len(made.stream) // 10 :])  # far more events: they need new memory
    assert int(first["position"].sum()) >= 0
    assert len(first) == size
    with pytest.raises(ValueError, match="read-only"):
        first["x"][0] = 1


# ------------------------------------------------------------------------------------------------------------- geometry
@pytest.mark.parametrize(
    ("detector", "chips", "pixel"),
    [
        ((512, 512), quad(), {0: (3, 266), 1: (508, 501), 2: (508, 245), 3: (3, 10)}),
        ((514, 514), quad(2), {0: (3, 268), 1: (510, 503), 2: (510, 245), 3: (3, 10)}),
        ((256, 512), [(0, 0, False, True), (0, 256, True, False)], {0: (3, 245), 1: (252, 266), 2: None}),
        ((256, 256), [(0, 0, False, False)], {0: (3, 10), 1: None}),
        ((3, 256), [(0, 0, False, False)], {0: None}),
        ((4, 11), [(0, 0, False, False)], {0: (3, 10)}),
    ],
)
def test_where_chips_lie(detector, chips, pixel):
    for chip, place in pixel.items():
        stream = chunk(chip, hit_word(3, 10, np.arange(20) * 10))
        decoder = Tpx3Scan(scan=(1, 1), detector=detector, chips=chips, dwell=1.0)
        events = decoder.feed(stream)
        want = [] if place is None else [place] * 20
        assert list(zip(events["y"].tolist(), events["x"].tolist(), strict=True)) == want
        assert decoder.counts["stray"] == 20 - len(want)


def test_levels_give_the_same_bytes():
    code = """
import sys, numpy as np
from crewe._core import Tpx3Scan
from crewe.io.event_files import quad
stream = sys.stdin.buffer.read()
for options in ({}, {"acceptance": 2e-6}, {"dwell": 1.1e-5}):
    decoder = Tpx3Scan(scan=(6, 8), detector=(512, 512), chips=quad(), **options)
    for i in range(0, len(stream), 5000):
        sys.stdout.buffer.write(decoder.feed(stream[i : i + 5000]).tobytes())
    sys.stdout.buffer.write(decoder.finish().tobytes())
"""
    stream = scan_stream(np.random.default_rng(11), (6, 8), per_line=9000, longest=3000).stream
    assert len(at_all_levels(code, stream)) > 8 * 100_000


# ---------------------------------------------------------------------------------------------------------------- files
def read(source):
    return sorted_events(*(np.concatenate(columns) for columns in zip(*source, strict=True)))


def test_a_file(tmp_path):
    made = scan_stream(np.random.default_rng(12), (6, 8), per_line=30_000, longest=8000)
    (tmp_path / "anything.bin").write_bytes(made.stream)
    source = crewe.io.open(tmp_path / "anything.bin", scan=(6, 8))
    assert isinstance(source, Tpx3File)
    assert (source.scan, source.detector) == ((6, 8), (512, 512))
    assert source.dwell == pytest.approx(1e-5), "known before the events are read"
    for _ in range(2):
        np.testing.assert_array_equal(read(source), made.events)
    assert source.metadata["events"] == len(made.events)
    assert source.metadata["lines"] == 6
    assert source.metadata["tdc"] == 48
    assert sum(source.metadata["chips"]) == source.metadata["hits"]
    assert source.lost == 0


def test_a_file_that_ends_early(tmp_path):
    made = scan_stream(np.random.default_rng(13), (6, 8), noise=False)
    (tmp_path / "cut.tpx3").write_bytes(made.stream[:-5])
    got = []
    with pytest.raises(FormatError, match=r"cut\.tpx3.*ends within a chunk") as caught:
        got.extend(map(len, crewe.io.open(tmp_path / "cut.tpx3", scan=(6, 8)).records()))
    assert caught.value.offset == len(made.stream) - 5
    assert sum(got) >= len(made.events) - 1, "all that is whole comes before the error"


def test_a_file_without_lines(tmp_path):
    path = tmp_path / "free.tpx3"
    path.write_bytes(chunk(0, hit_word(0, 0, np.arange(100))))
    with pytest.raises(FormatError, match="dwell"):
        list(crewe.io.open(path, scan=(2, 2)))
    assert sum(len(block[0]) for block in crewe.io.open(path, scan=(2, 2), dwell=1.0)) == 100
    path.write_bytes(chunk(0, [heartbeat_word(1000)]))
    assert list(crewe.io.open(path, scan=(2, 2))) == [], "no hits, nothing lost"


def test_a_file_of_bare_words(tmp_path):
    path = tmp_path / "words.raw"
    path.write_bytes(hit_word(5, 6, np.arange(100)).astype("<u8").tobytes())
    source = crewe.io.open(path, scan=(2, 2), detector=(256, 256), dwell=1.0)
    assert sum(len(block[0]) for block in source) == 100


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({}, "scan"),
        ({"scan": (2, 0)}, "scan"),
        ({"scan": (2, 2), "detector": (0, 5)}, "detector"),
        ({"scan": (2, 2), "detector": (300, 512)}, "chips"),
        ({"scan": (2, 2), "chips": [(600, 0, False, False)]}, "chips"),
        ({"scan": (2, 2), "chips": []}, "chips"),
        ({"scan": (2, 2), "dwell": 0}, "dwell"),
        ({"scan": (2, 2), "dwell": float("nan")}, "dwell"),
        ({"scan": (2, 2), "acceptance": -1.0}, "acceptance"),
        ({"scan": (2, 2), "scans": -1}, "scans"),
        ({"scan": (1 << 20, 1 << 13)}, "scan"),
    ],
)
def test_wrong_options_say_what_is_wanted(tmp_path, options, what):
    (tmp_path / "a.tpx3").write_bytes(chunk(0, []))
    with pytest.raises(ValueError, match=what):
        list(crewe.io.open(tmp_path / "a.tpx3", **options))
