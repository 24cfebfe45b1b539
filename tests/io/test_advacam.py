"""Advacam .t3p and .t3pa files against a plain decoder."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import crewe.io
from crewe import FormatError
from crewe._core import T3pScan
from crewe.io.advacam import T3paFile, T3pFile
from reference.tpx3 import TICK, sorted_events

RECORD = np.dtype([("index", "<u4"), ("toa", "<u8"), ("overflow", "u1"), ("ftoa", "u1"), ("tot", "<u2")])
HEADER = "Index\tMatrix Index\tToA\tToT\tFToA\tOverflow"


def made_records(rng, n, *, dwell=6400, positions=48, scans=1):
    """Hits in order of time, and where they belong: (records, position, y, x)."""
    ticks = np.sort(rng.integers(0, dwell * positions * scans, n))
    records = np.zeros(n, RECORD)
    records["index"] = rng.integers(0, 65536, n)
    records["ftoa"] = rng.integers(0, 2, n) * 16 + (-ticks) % 16  # exported with 5 bits
    records["toa"] = (ticks + records["ftoa"]) // 16
    records["tot"] = rng.integers(1, 500, n)
    return records, ticks // dwell, records["index"] // 256, records["index"] % 256


def as_text(records, columns=HEADER, end="\n"):
    names = {"Matrix Index": "index", "ToA": "toa", "ToT": "tot", "FToA": "ftoa", "Overflow": "overflow"}
    lines = [columns]
    for number, record in enumerate(records):
        fields = [str(number if name == "Index" else record[names[name]]) for name in columns.split("\t")]
        lines.append("\t".join(fields))
    return (end.join(lines) + end).encode()


def placed(content, text, step=10**9, *, scan=(6, 8), detector=(256, 256), chips=((0, 0, False, False),), **options):
    """All events as a sorted table, and the decoder."""
    options = {"dwell": 6400 * TICK, **options}
    decoder = T3pScan(text=text, scan=scan, detector=detector, chips=chips, **options)
    blocks = [decoder.feed(content[i : i + step]).copy() for i in range(0, len(content), step)]
    events = np.concatenate([*blocks, decoder.finish()])
    return sorted_events(events["position"], events["y"], events["x"]), decoder


@pytest.mark.parametrize("n", [0, 1, 7, 8, 63, 64, 65, 5000])
@pytest.mark.parametrize("text", [False, True])
def test_records(n, text):
    records, *want = made_records(np.random.default_rng(n), n)
    events, decoder = placed(as_text(records) if text else records.tobytes(), text)
    np.testing.assert_array_equal(events, sorted_events(*want))
    assert decoder.counts["hits"] == decoder.counts["events"] == n
    assert decoder.damage is None


@given(st.integers(0, 2**32 - 1), st.integers(0, 300), st.integers(1, 900), st.booleans(), st.integers(1, 3))
def test_any_pieces(seed, n, step, text, scans):
    records, position, y, x = made_records(np.random.default_rng(seed), n, scans=scans)
    content = as_text(records) if text else records.tobytes()
    events, _ = placed(content, text, step)
    np.testing.assert_array_equal(events, sorted_events(position % 48, y, x))
    events, _ = placed(content, text, step, scans=1)
    first = position < 48
    np.testing.assert_array_equal(events, sorted_events(position[first], y[first], x[first]))


@pytest.mark.parametrize("dwell", [6400, 1234.56, 100_000])
def test_dwell_and_acceptance(dwell):
    rng = np.random.default_rng(1)
    records, *_ = made_records(rng, 4000)
    ticks = 16 * records["toa"].astype(np.int64) - records["ftoa"]
    position = np.floor(ticks / dwell).astype(int)
    early = (position < 48) & (ticks - position * dwell < 0.4 * dwell)
    events, decoder = placed(records.tobytes(), False, dwell=dwell * TICK, acceptance=0.4 * dwell * TICK, scans=1)
    y, x = records["index"] // 256, records["index"] % 256
    np.testing.assert_array_equal(events, sorted_events(position[early], y[early], x[early]))
    assert decoder.counts["unaccepted"] + decoder.counts["stray"] == 4000 - len(events)


@pytest.mark.parametrize("text", [False, True])
def test_gaps_are_no_hits(text):
    records, *want = made_records(np.random.default_rng(2), 100)
    gap = np.zeros(2, RECORD)
    gap["index"], gap["toa"], gap["overflow"] = (0x74, 0x75), (5, 4000), 1
    content = np.concatenate([records[:40], gap, records[40:70], gap, records[70:]])
    events, decoder = placed(as_text(content) if text else content.tobytes(), text)
    np.testing.assert_array_equal(events, sorted_events(*want))
    assert decoder.counts["gaps"] == 4
    assert decoder.counts["gap_ticks"] == 2 * 16 * 4000
    assert decoder.counts["lost"] == 2
    assert decoder.counts["hits"] == 100


def test_several_chips():
    records, position, y, x = made_records(np.random.default_rng(3), 1000)
    chip = np.random.default_rng(4).integers(0, 3, 1000)
    records["index"] |= (chip << 16).astype("<u4")
    records["overflow"] = chip
    chips = [(0, 0, False, False), (0, 256, True, False)]
    events, decoder = placed(records.tobytes(), False, detector=(256, 512), chips=chips)
    y, x = y % 256, x + 256 * (chip == 1)
    y = np.where(chip == 1, 255 - y, y)
    known = chip < 2
    np.testing.assert_array_equal(events, sorted_events(position[known], y[known], x[known]))
    assert decoder.counts["stray"] == np.count_nonzero(~known)


def test_hits_beyond_the_detector_or_all_time():
    records = np.zeros(4, RECORD)
    records["index"] = [0, 255, 255 * 256, 3]
    records["toa"][3] = 1 << 60
    events, decoder = placed(records.tobytes(), False, detector=(200, 256))
    assert events.tolist() == [[0, 0, 0], [0, 0, 255]]
    assert decoder.counts["stray"] == 2


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "columns", [HEADER, "Matrix Index\tToA\tToT\tFToA", "ToT\tToA\tMatrix Index", HEADER + "\tIndex"]
)
def test_columns_in_any_order(columns, end):
    records, *_ = made_records(np.random.default_rng(5), 300)
    if "FToA" not in columns:
        records["ftoa"] = 0
    ticks = 16 * records["toa"].astype(np.int64) - records["ftoa"]
    events, decoder = placed(as_text(records, columns, end), True)
    want = sorted_events(ticks // 6400 % 48, records["index"] // 256, records["index"] % 256)
    np.testing.assert_array_equal(events, want)
    assert decoder.damage is None


@pytest.mark.parametrize("bad", ["a\tb\tc\td\te\tf", "1\t2", "1\t-2\t3\t4\t5\t0", "1\t2\t3\t4\t5\t0\t7 8", "x" * 9000])
def test_lines_that_are_none(bad):
    records, *want = made_records(np.random.default_rng(6), 50)
    lines = as_text(records).split(b"\n")
    content = b"\n".join([*lines[:20], bad.encode(), *lines[20:]])
    for step in (10**9, 100):
        events, decoder = placed(content, True, step)
        np.testing.assert_array_equal(events, sorted_events(*want), err_msg="all other lines count")
        assert decoder.counts["bad_lines"] == 1
        assert decoder.damage[1] == len(b"\n".join(lines[:20])) + 1


# ---------------------------------------------------------------------------------------------------------------- files
def read(source):
    return sorted_events(*(np.concatenate(columns) for columns in zip(*source, strict=True)))


@pytest.mark.parametrize("text", [False, True])
def test_a_file(tmp_path, text):
    records, *want = made_records(np.random.default_rng(7), 30_000)
    path = tmp_path / "anything.bin"
    path.write_bytes(as_text(records) if text else records.tobytes())
    source = crewe.io.open(path, scan=(6, 8), dwell=1e-5)
    assert type(source) is (T3paFile if text else T3pFile)
    assert source.detector == (256, 256)
    assert source.dwell == 1e-5
    for _ in range(2):
        np.testing.assert_array_equal(read(source), sorted_events(*want))
    assert source.metadata["events"] == 30_000
    assert source.metadata["gap_time"] == 0


def test_a_file_that_ends_early(tmp_path):
    records, *want = made_records(np.random.default_rng(8), 100)
    path = tmp_path / "cut.t3p"
    path.write_bytes(records.tobytes()[:-3])
    got = []
    with pytest.raises(FormatError, match="within a record") as caught:
        got.extend(map(len, crewe.io.open(path, scan=(6, 8), dwell=1e-5).records()))
    assert sum(got) == 99
    assert caught.value.offset == 1597
    assert len(want[0]) == 100


def test_the_dwell_time_is_wanted(tmp_path):
    records, *_ = made_records(np.random.default_rng(9), 100)
    (tmp_path / "a.t3p").write_bytes(records.tobytes())
    with pytest.raises(ValueError, match="dwell"):
        crewe.io.open(tmp_path / "a.t3p", scan=(6, 8))
