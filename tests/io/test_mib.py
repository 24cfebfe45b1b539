"""Merlin files and streams against the definition in reference/mib.py, and what becomes of damaged ones."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import crewe.io
from crewe import FormatError
from crewe.io.mib import acquisition_header, scan_of
from levels import at_all_levels
from reference import mib

KINDS = [(1, False), (6, False), (12, False), (24, False), (1, True), (6, True), (12, True), (24, True)]


def frames_of(source):
    return np.concatenate([frames for _, frames in source])


@pytest.mark.parametrize("quad", [False, True])
@pytest.mark.parametrize(("depth", "raw"), KINDS)
@pytest.mark.parametrize("rows", [256, 10])
def test_every_kind_of_frame(depth, raw, quad, rows):
    shape = (2 * rows, 512) if quad else (rows, 256)
    images = mib.counts(2, depth, shape)
    stream = b"".join(mib.frame(i + 1, image, depth, raw=raw, quad=quad) for i, image in enumerate(images))
    got = crewe.io.decode_mib(stream)
    assert got.dtype == images.dtype
    assert np.array_equal(got, images)
    data = stream[len(stream) // 2 :][768 if quad else 384 :]
    assert np.array_equal(
        mib.decode(data, *shape, depth, raw=raw, quad=quad), images[1]
    )  # the definition's own way back


@pytest.mark.parametrize("depth", [1, 6, 12, 24])
def test_gap_of_a_raw_quad_is_empty(depth):
    image = mib.counts(1, depth, (514, 514))[0]
    image[256:258], image[:, 256:258] = 0, 0
    stream = mib.frame(1, image, depth, raw=True, quad=True, layout="2x2G")
    assert np.array_equal(crewe.io.decode_mib(stream), [image])


@pytest.mark.parametrize("layout", ["2x2G", "4x1", "8x1G", "1x3"])
def test_formatted_frames_of_any_layout(layout):
    shape = {"2x2G": (514, 514), "4x1": (256, 1024), "8x1G": (256, 2069), "1x3": (768, 256)}[layout]
    image = mib.counts(1, 12, shape)[0]
    assert np.array_equal(crewe.io.decode_mib(mib.frame(1, image, 12, layout=layout, chips=8)), [image])


def test_24_bit_raw_in_two_frames():
    """On the socket the halves come one after the other, each with its header, whose width isn't doubled."""
    images = mib.counts(3, 24)
    parts = [half for image in images for half in (image >> 12, image & 0xFFF)]
    stream = b"".join(
        mib.header(i + 1, 256, 256, "R64", depth=24) + mib.raw_words(part, 12) for i, part in enumerate(parts)
    )
    assert np.array_equal(crewe.io.decode_mib(stream), images)


@given(cuts=st.lists(st.integers(0, 4 * (384 + 2 * 64 * 256)), max_size=30), raw=st.booleans())
@settings(max_examples=30)
def test_any_split(cuts, raw):
    images = mib.counts(4, 12, (64, 256))
    stream = b"".join(mib.frame(i + 1, image, 12, raw=raw) for i, image in enumerate(images))
    decoder, cuts = crewe.io.MibDecoder(), sorted(cuts)
    parts = [decoder.feed(stream[a:b]) for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert np.array_equal(np.concatenate([part for part in parts if part.size]), images)
    assert decoder.pending == 0


def test_headers_of_every_size_and_age():
    image = mib.counts(1, 6, (3, 5))[0]
    for options in ({"size": 64 * 7}, {"size": 65536}, {"digits": 9}, {"modern": False}, {"chips": 4}):
        assert np.array_equal(crewe.io.decode_mib(mib.frame(12345678, image, 6, **options)), [image]), options


def test_numbers_grow_beyond_six_digits():
    images = mib.counts(3, 6, (4, 4))
    stream = b"".join(mib.frame(999_998 + i, image, 6) for i, image in enumerate(images))
    assert np.array_equal(crewe.io.decode_mib(stream), images)


def test_depth_of_old_raw_frames(tmp_path):
    images = mib.counts(2, 12)
    stream = b"".join(mib.frame(i + 1, image, 12, raw=True, modern=False) for i, image in enumerate(images))
    assert np.array_equal(crewe.io.decode_mib(stream, depth=12), images)
    with pytest.raises(FormatError, match="depth="):
        crewe.io.decode_mib(stream)
    (tmp_path / "a.mib").write_bytes(stream)
    assert np.array_equal(frames_of(crewe.io.open(tmp_path / "a.mib", depth=12)), images)
    (tmp_path / "a.hdr").write_bytes(mib.acquisition((1, 2), depth=12))
    assert np.array_equal(frames_of(crewe.io.open(tmp_path / "a.mib")), images)


@pytest.mark.parametrize(("depth", "raw"), KINDS)
def test_files(tmp_path, depth, raw):
    images = mib.counts(6, depth)
    path = mib.write(tmp_path / "scan.mib", images, depth, scan=(2, 3), raw=raw)
    with crewe.io.open(path) as source:
        assert (source.scan, source.detector, source.dtype, len(source)) == ((2, 3), (256, 256), images.dtype, 6)
        assert np.array_equal(frames_of(source), images)
        assert np.array_equal(source[-2], images[4])
        assert source[1].dtype.isnative
        with pytest.raises(IndexError):
            source[6]
        assert source.metadata["thresholds"][:2] == [2.5, 511.0]
        assert source.metadata["exposure"] == 0.002
        assert source.metadata["gain"] == "HGM"
        assert source.metadata["depth"] == depth
        assert source.metadata["acquisition"]["Sensor"] == "µA"
        for _, frames in source.raw_blocks():
            if not raw:
                assert not frames.flags.owndata, "formatted frames are looked at where they lie"
                assert frames.dtype == np.dtype(mib.KINDS[depth][1])


def test_scan_of_the_header_beside():
    def entries(**options):
        return acquisition_header(mib.acquisition(**options))

    assert scan_of(entries(scan=(5, 7)), 35) == (5, 7)
    assert scan_of(entries(frames=12, per_trigger=4), 12) == (3, 4)
    assert scan_of(entries(frames=13, per_trigger=4), 13) == (3, 4)
    assert scan_of(entries(frames=12, per_trigger=1), 12) == (1, 12)
    assert scan_of(entries(frames=3, per_trigger=4), 3) == (1, 3)
    assert scan_of({}, 9) == (1, 9)
    assert acquisition_header(b"ENVI\nsamples = 4") == {}


def test_scan_given(tmp_path):
    path = mib.write(tmp_path / "a.mib", mib.counts(6, 6, (4, 4)), 6)
    assert crewe.io.open(path).scan == (1, 6)
    source = crewe.io.open(path, scan=(2, 2), skip=1, flyback=1)
    assert (source.scan, source.skip, source.flyback, len(source)) == ((2, 2), 1, 1, 6)
    for wrong in ((2,), (0, 3), "ab", (1.5, 2)):
        with pytest.raises(ValueError, match="scan"):
            crewe.io.open(path, scan=wrong)
    with pytest.raises(ValueError, match="flyback"):
        crewe.io.open(path, flyback=-1)
    with pytest.raises(TypeError, match=r"dwell.* came"):
        crewe.io.open(path, dwell=1e-6)


def test_a_frame_more_per_line_is_flyback(tmp_path):
    """Line skip 1: the header tells the scan, the file holds a frame more per line."""
    path = mib.write(tmp_path / "a.mib", mib.counts(9 * 11, 6, (2, 2)), 6, scan=(9, 10), beside={"frames": 99})
    source = crewe.io.open(path)
    assert (source.scan, source.flyback, len(source)) == ((9, 10), 1, 99)
    assert crewe.io.open(path, flyback=0).flyback == 0
    assert crewe.io.open(path, scan=(9, 10)).flyback == 0
    assert crewe.io.open(path, skip=9).flyback == 0
    other = mib.write(tmp_path / "b.mib", mib.counts(9 * 11 - 1, 6, (2, 2)), 6, scan=(9, 10))
    assert crewe.io.open(other).flyback == 0


def all_bits():
    """A digest of every kind of frame, decoded."""
    digest = hashlib.sha256()
    for depth, raw in KINDS:
        for quad in (False, True):
            image = mib.counts(1, depth, (12, 512) if quad else (6, 256))[0]
            digest.update(crewe.io.decode_mib(mib.frame(1, image, depth, raw=raw, quad=quad)).tobytes())
    return digest.hexdigest()


def test_levels_give_the_same_bits():
    at_all_levels(f"import runpy; print(runpy.run_path({__file__!r})['all_bits']())")


def test_one_acquisition_in_several_files(tmp_path):
    images = mib.counts(7, 6, (8, 8))
    parts = [mib.write(tmp_path / f"{i}.mib", images[a:b], 6) for i, (a, b) in enumerate([(0, 3), (3, 4), (4, 7)])]
    source = crewe.io.open(parts, scan=(1, 7))
    assert [first for first, _ in source] == [0, 3, 4]
    assert np.array_equal(frames_of(source), images)
    assert np.array_equal([source[i] for i in range(7)], images)
    parts[1].write_bytes(parts[1].read_bytes()[:-1])
    good = []
    with pytest.raises(FormatError, match=r"1\.mib"):
        good.extend(first for first, _ in crewe.io.open(parts))
    assert good == [0]
    with pytest.raises(ValueError, match="at least one"):
        crewe.io.open([])


def test_another_size_in_the_middle(tmp_path):
    small, large = mib.counts(2, 6, (8, 8)), mib.counts(1, 6, (8, 9))
    stream = b"".join(mib.frame(i, image, 6) for i, image in enumerate([*small, *large, *small]))
    with pytest.raises(FormatError, match=r"8 x 9 .*at byte 896") as caught:
        crewe.io.decode_mib(stream)
    assert caught.value.offset == 2 * (384 + 64)
    assert np.array_equal(caught.value.decoded, small)


def test_another_depth_in_the_middle():
    images = mib.counts(3, 6)
    stream = b"".join(mib.frame(i + 1, image, 6, raw=True) for i, image in enumerate(images[:2]))
    stream += mib.header(3, 256, 256, "R64", depth=1) + bytes(256 * 256)
    for depth in (0, 6):
        with pytest.raises(FormatError, match=f"at byte {2 * (384 + 65536)}"):
            crewe.io.decode_mib(stream, depth=depth)


def test_decoder_gives_the_good_part_first():
    images = mib.counts(3, 6, (8, 8))
    stream = bytearray(b"".join(mib.frame(i, image, 6) for i, image in enumerate(images)))
    stream[2 * 448 : 2 * 448 + 3] = b"MQ2"
    decoder = crewe.io.MibDecoder()
    assert np.array_equal(decoder.feed(stream), images[:2])
    for _ in range(2):
        with pytest.raises(FormatError, match="at byte 896"):
            decoder.feed(b"")


@pytest.mark.parametrize(
    "content", [b"", b"MQ1", mib.header(1, 4, 4, "U08", depth=6), mib.frame(1, np.ones((4, 4)), 6)[:-1]]
)
def test_what_is_cut(content):
    with pytest.raises(FormatError, match=f"at byte {len(content)}"):
        crewe.io.decode_mib(content)


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        (1, "x", "number"),
        (2, "99999", "size of the header"),
        (2, "00001", "size of the header"),
        (3, "00", "chips"),
        (4, "9999", "at most"),
        (5, "0000", "height"),
        (5, "-1", "height"),
        (6, "U77", "U77"),
        (6, "U64", "U64"),
        (7, "99x99", "layout"),
        (7, "", "layout"),
    ],
)
def test_headers_that_lie(field, text, message):
    words = mib.header(1, 8, 8, "U08", depth=6).decode().split(",")
    words[field] = text
    with pytest.raises(FormatError, match=message):
        crewe.io.decode_mib(",".join(words).encode() + bytes(100_000))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layout": "4x1", "chips": 4}, "order of the chips"),
        ({"depth": 11}, "11 came"),
        ({"width": 255}, "255 came"),
    ],
)
def test_raw_frames_that_nobody_knows(options, message):
    options = {"depth": 12, "width": 256, **options}
    head = mib.header(1, options.pop("width"), 256, "R64", **options)
    with pytest.raises(FormatError, match=message):
        crewe.io.decode_mib(head + bytes(2 * 256 * 256))


def test_a_large_lie_takes_no_memory():
    head = mib.header(1, 258 * 8, 258 * 8, "U32", depth=24, layout="8x8", chips=64)
    decoder = crewe.io.MibDecoder()
    assert decoder.feed(head + b"\0" * 1000).size == 0
    assert decoder.pending == len(head) + 1000


@given(st.data())
@settings(max_examples=100)
def test_no_bytes_do_harm(data):
    stream = bytearray(b"".join(mib.frame(i + 1, np.zeros((2, 8)), 6, size=64 * 6) for i in range(3)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(stream) - 1))
        piece = data.draw(
            st.binary(min_size=1, max_size=12) | st.sampled_from([b",", b"9999", b"MQ1,", b"R64", b"2x2"])
        )
        stream[at : at + len(piece)] = piece
    decoder, offsets = crewe.io.MibDecoder(), []
    try:
        for start in range(0, len(stream), 100):
            decoder.feed(stream[start : start + 100])
    except FormatError as error:
        offsets.append(error.offset)
    assert all(0 <= offset <= len(stream) for offset in offsets)


def test_wrong_types():
    with pytest.raises(TypeError):
        crewe.io.decode_mib("MQ1")
    with pytest.raises(ValueError, match="contiguous"):
        crewe.io.decode_mib(np.zeros(100, np.uint8)[::2])
    frame = mib.frame(1, np.ones((4, 4)), 6)
    for same in (bytearray(frame), memoryview(frame), np.frombuffer(frame, np.uint8)):
        assert crewe.io.decode_mib(same).sum() == 16
