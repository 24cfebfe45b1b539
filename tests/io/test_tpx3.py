"""Timepix3 words against a plain decoder: fields, times, chunks, damage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import crewe
from crewe import FormatError
from crewe.io import Tpx3Decoder, decode_tpx3
from reference.tpx3 import TURN, chunk, decode, header_word, heartbeat_word, hit_word, tdc_word


def tables(hits, tdc):
    """Hits and triggers as the plain decoder lists them."""
    return (
        [tuple(int(hit[name]) for name in ("toa", "x", "y", "tot", "chip")) for hit in hits],
        [(int(edge["toa"]), int(edge["channel"]), bool(edge["rising"]), int(edge["chip"])) for edge in tdc],
    )


def fed(stream, cuts):
    """Everything from a stream cut at these places, and the decoder."""
    decoder, hits, tdc = Tpx3Decoder(), [], []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        more = decoder.feed(stream[start:stop])
        hits.append(more[0])
        tdc.append(more[1])
    return np.concatenate(hits), np.concatenate(tdc), decoder


times = st.integers(0, TURN - 1)
words = st.one_of(
    st.builds(hit_word, st.integers(0, 255), st.integers(0, 255), times, st.integers(0, 1023)).map(int),
    st.builds(tdc_word, st.integers(0, 2**36 - 1), st.booleans(), st.sampled_from([1, 2]), st.integers(0, 12)),
    st.builds(heartbeat_word, st.integers(0, 2**36 - 1)),
    st.builds(lambda top, low: top << 56 | low, st.sampled_from([0x45, 0x50, 0x71, 0xA3, 0x20, 0xF1]), times),
)
streams = st.lists(st.tuples(st.integers(0, 3), st.lists(words, max_size=150)), max_size=6)


@given(streams, st.data())
def test_any_words_in_any_pieces(chunks, data):
    stream = b"".join(chunk(chip, content) for chip, content in chunks)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    hits, tdc, decoder = fed(stream, cuts)
    decoder.finish()
    assert tables(hits, tdc) == decode(stream)
    assert decoder.counts["hits"] == len(hits)
    assert decoder.counts["tdc"] == len(tdc)
    assert decoder.counts["chunks"] == len(chunks)
    assert sum(decoder.counts.values()) == len(stream) // 8


@given(st.lists(words, min_size=1, max_size=80), st.integers(0, 640))
def test_words_without_chunks_are_of_chip_0(content, cut):
    stream = b"".join(word.to_bytes(8, "little") for word in content)
    hits, tdc, decoder = fed(stream, [min(cut, len(stream))])
    if sum(word >> 60 in (2, 15) for word in content) < 16:
        decoder.finish()
        assert tables(hits, tdc) == decode(stream)


def test_chunks_may_follow_words_without_a_header():
    stream = b"".join(int(hit_word(3, 4, 5000)).to_bytes(8, "little") for _ in range(3)) + chunk(
        2, [hit_word(1, 1, 6000)]
    )
    hits, _ = decode_tpx3(stream)
    assert hits["chip"].tolist() == [0, 0, 0, 2]


def test_fields_of_every_pixel():
    y, x = (axis.ravel() for axis in np.mgrid[:256, :256])
    ticks = np.arange(65536) * 37 + 11
    hits, _ = decode_tpx3(
        b"".join(chunk(1, hit_word(y, x, ticks, tot=y * 4)[i : i + 512]) for i in range(0, 65536, 512))
    )
    for name, want in {"x": x, "y": y, "toa": ticks, "tot": y * 4}.items():
        np.testing.assert_array_equal(hits[name], want, err_msg=name)


@pytest.mark.parametrize(("fine", "tick"), [(0, 0), (1, 0), (6, 0), (7, 1), (12, 1)])
def test_fine_time_of_triggers(fine, tick):
    _, tdc = decode_tpx3(chunk(0, [tdc_word(4_000, fine=fine)]))
    assert tdc["toa"].tolist() == [4_000 + tick]


def test_time_goes_on_and_late_hits_keep_theirs():
    true = np.array(
        [
            TURN - 900,
            TURN - 50,
            TURN + 70,
            TURN - 20,
            TURN + 300,
            3 * TURN // 2,
            2 * TURN - 5,
            2 * TURN + 8,
            2 * TURN - 1,
        ]
    )
    hits, _ = decode_tpx3(chunk(0, hit_word(0, 0, true % TURN)))
    np.testing.assert_array_equal(hits["toa"] - hits["toa"][0], true - true[0])


def test_heartbeats_carry_the_clock_through_silence():
    beats = [heartbeat_word(tick) for tick in range(1000, 3 * TURN, TURN // 4)]
    hits, _ = decode_tpx3(chunk(0, [hit_word(0, 0, 1000), *beats, hit_word(0, 0, 500)]))
    assert hits["toa"].tolist() == [1000, 3 * TURN + 500]


def test_a_wild_time_does_no_harm_to_those_after_it():
    ticks = [5000, 5100, TURN // 2 + 9000, 5200, TURN - 7, 5300]
    hits, _ = decode_tpx3(chunk(0, hit_word(0, 0, np.array(ticks))))
    assert hits["toa"][[0, 1, 3, 5]].tolist() == [5000, 5100, 5200, 5300]


# --------------------------------------------------------------------------------------------------------------- damage
def some_chunks(rng, n=12):
    return [
        chunk(i % 4, hit_word(*rng.integers(0, 256, (2, 50)), 10_000 * i + np.sort(rng.integers(0, 9000, 50))))
        for i in range(n)
    ]


def damaged(stream, step=10**9):
    """What comes of a damaged stream, and the error."""
    hits, _, decoder = fed(stream, range(step, len(stream), step))
    with pytest.raises(FormatError) as caught:
        decoder.finish()
    return hits, caught.value


@pytest.mark.parametrize("step", [10**9, 1000, 13, 8, 1])
@pytest.mark.parametrize("rubbish", [b"x", bytes(8), b"\xff" * 100, b"half a word and more"])
def test_bytes_that_do_not_belong(rubbish, step):
    parts = some_chunks(np.random.default_rng(0))
    whole, _ = decode_tpx3(b"".join(parts))
    hits, error = damaged(b"".join([*parts[:5], rubbish, *parts[5:]]), step)
    np.testing.assert_array_equal(hits, whole, err_msg="nothing else is lost")
    assert error.offset == 5 * len(parts[0])
    assert f"{len(rubbish)} bytes" in str(error)


@pytest.mark.parametrize("step", [10**9, 13, 1])
@pytest.mark.parametrize("rubbish", [b"TPX3", b"TPX3TPX3", b"..TPX3..TPX3.", header_word(2, 80).to_bytes(8, "little")])
def test_what_looks_like_a_header_and_is_none(rubbish, step):
    parts = some_chunks(np.random.default_rng(3))
    whole, _ = decode_tpx3(b"".join(parts))
    hits, error = damaged(b"".join([*parts[:5], rubbish, *parts[5:]]), step)
    np.testing.assert_array_equal(hits, whole, err_msg="nothing else is lost")
    assert 5 * 408 <= error.offset <= 5 * 408 + 16


@pytest.mark.parametrize("step", [10**9, 100, 7])
@pytest.mark.parametrize("size", [0, 8, 399, 401, 408, 800, 4000, 65528])
def test_a_header_that_lies_about_its_size(size, step):
    parts = some_chunks(np.random.default_rng(1))
    whole, _ = decode_tpx3(b"".join(parts))
    lie = header_word(1, size).to_bytes(8, "little") + parts[5][8:]
    hits, error = damaged(b"".join([*parts[:5], lie, *parts[6:]]), step)
    taken = len(hits) - 11 * 50  # of the chunk itself, where its size leaves some
    assert 0 <= taken <= 50
    np.testing.assert_array_equal(np.delete(hits, slice(250, 250 + taken)), np.delete(whole, slice(250, 300)))
    assert 5 * 408 <= error.offset <= 6 * 408


@pytest.mark.parametrize("cut", [1, 8, 9, 400])
def test_a_stream_that_ends_early(cut):
    parts = some_chunks(np.random.default_rng(2))
    stream = b"".join(parts)
    hits, error = damaged(stream[:-cut])
    assert len(hits) == 12 * 50 - -(-cut // 8)
    assert error.offset == len(stream) - cut
    with pytest.raises(FormatError) as caught:
        decode_tpx3(stream[:-cut])
    assert len(caught.value.decoded[0]) == len(hits), "the good part is kept with the error"


@given(st.binary(max_size=4000), st.integers(1, 500))
def test_any_bytes_in_any_pieces(stream, step):
    def outcome(cuts):
        hits, tdc, decoder = fed(stream, list(cuts))
        try:
            decoder.finish()
        except FormatError as error:
            return hits.tobytes(), tdc.tobytes(), str(error), error.offset
        return hits.tobytes(), tdc.tobytes(), "", 0

    assert outcome(range(step, len(stream), step)) == outcome([])


def test_words_of_something_else():
    text = b"GET /measurement/start HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: somebody\r\n\r\n" * 20
    hits, error = damaged(text)
    assert len(hits) == 0
    assert error.offset < 400


def test_nothing_is_no_damage():
    hits, tdc = decode_tpx3(b"")
    assert len(hits) == len(tdc) == 0
    hits, tdc = decode_tpx3(chunk(0, []) + chunk(1, []))
    assert len(hits) == len(tdc) == 0


def test_arguments():
    with pytest.raises(TypeError):
        decode_tpx3("text")
    with pytest.raises(ValueError, match="contiguous"):
        decode_tpx3(np.zeros(64, np.uint8)[::2])
    assert issubclass(crewe.FormatError, ValueError)
