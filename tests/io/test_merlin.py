"""A Merlin on a socket, well-behaved and not: what comes, what is lost, what is said."""

import queue
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import crewe.io
from crewe import DeviceError, FormatError
from crewe.io.merlin import CommandSocket, Ring, message
from detectors import HEADER, Detector, free_port, listening, received, same, says, some_frames
from reference import mib


@pytest.mark.parametrize(
    ("depth", "raw"), [(1, False), (12, False), (24, False), (1, True), (6, True), (12, True), (24, True)]
)
def test_frames_come_as_they_are(depth, raw):
    images, payloads = some_frames(40, depth, raw)
    with listening(says(mib.acquisition((5, 8), depth=depth), *payloads)) as source:
        assert (source.scan, source.detector, source.dtype, len(source)) == ((5, 8), (16, 256), images.dtype, 40)
        assert source.metadata["gain"] == "HGM"
        same(received(source), images, range(40))
        assert source.lost == 0
        assert list(source) == [], "an acquisition comes once"
        with pytest.raises(TypeError, match="iterate"):
            source[0]


def test_more_than_the_ring_holds():
    images, payloads = some_frames(60, 12, shape=(256, 256))  # 131 kB each, 1 MB of ring
    with listening(says(mib.acquisition((6, 10)), *payloads)) as source:
        same(received(source), images, range(60))


def test_halves_of_24_bit_in_messages_of_their_own():
    images = mib.counts(6, 24)
    halves = [half for image in images for half in (image >> 12, image & 0xFFF)]
    payloads = [mib.header(i + 1, 256, 256, "R64", depth=24) + mib.raw_words(half, 12) for i, half in enumerate(halves)]
    with listening(says(HEADER, *payloads)) as source:
        same(received(source), images, range(6))


def test_a_block_is_a_view_of_the_ring():
    _, payloads = some_frames()
    with listening(says(HEADER, *payloads)) as source:
        for _, frames in source.raw_blocks():
            assert not frames.flags.owndata
            assert frames.dtype == np.dtype(">u2")


def test_we_hang_up_when_all_is_there():
    _, payloads = some_frames()
    with Detector(says(HEADER, *payloads)) as detector:
        source = crewe.io.listen(detector.url, timeout=5)
        received(source)
        detector.thread.join(5)
        assert not detector.thread.is_alive()


def test_lent_blocks_stay_until_they_are_released():
    images, payloads = some_frames(100, 12, shape=(256, 256))  # 16 fit in the ring
    with listening(says(mib.acquisition((10, 10)), *payloads)) as source:
        held, seen = [], 0
        for first, frames, release in source.lent_blocks():
            held.append((first, frames, release))
            while sum(len(frames) for _, frames, _ in held) > 8:
                first, frames, release = held.pop(0)
                assert np.array_equal(frames, images[first : first + len(frames)])
                seen += len(frames)
                release()
        assert all(np.array_equal(frames, images[first : first + len(frames)]) for first, frames, _ in held)
        assert seen + sum(len(frames) for _, frames, _ in held) == 100


def test_a_full_ring_waits():
    images, payloads = some_frames(100, 12, shape=(256, 256))
    with listening(says(mib.acquisition((10, 10)), *payloads)) as source:
        held, got = queue.Queue(), {}

        def sums_later():
            while block := held.get():
                got.update((block[0] + i, frame.copy()) for i, frame in enumerate(block[1]))
                block[2]()

        thread = threading.Thread(target=sums_later, daemon=True)
        thread.start()
        for block in source.lent_blocks():
            held.put(block)
        held.put(None)
        thread.join(10)
        same(got, images, range(100))


@given(st.data())
def test_the_ring_is_a_queue(data):
    """Bytes come out as they went in; what is handed out isn't touched until it is given back."""
    stride, slots = data.draw(st.integers(1, 9)), data.draw(st.integers(2, 5))
    ring, number, held = Ring(stride, slots), 0, []
    expected = 0
    for _ in range(data.draw(st.integers(1, 60))):
        what = data.draw(st.sampled_from(["receive", "take", "give back", "withdraw"]))
        lent = sum(len(view) for view, _ in held)
        if what == "receive" and lent + ring.waiting < stride * slots:
            space = ring.space()
            assert 1 <= len(space) <= stride * slots - lent - ring.waiting
            count = data.draw(st.integers(1, len(space)))
            space[:count] = np.arange(number, number + count) % 251
            ring.fill(count)
            number += count
        elif what == "take" and len(ring.pending()) >= stride:
            count = data.draw(st.integers(1, len(ring.pending()) // stride))
            view = ring.pending()[: count * stride]
            assert np.array_equal(view, np.arange(expected, expected + len(view)) % 251)
            assert ring.slot == expected // stride % slots
            ring.take(count)
            held.append((view, expected))
            expected += len(view)
        elif what == "give back" and held:
            view, begin = held.pop(0)
            assert np.array_equal(view, np.arange(begin, begin + len(view)) % 251)
            ring.give_back(len(view) // stride)
        elif what == "withdraw":
            assert ring.withdraw() == (np.arange(expected, number) % 251).astype(np.uint8).tobytes()
            number = expected


def test_another_header_at_the_end_of_the_ring():
    """The ring holds 16 messages; the header follows the 15th, what comes after it lies across the ring's end."""
    images, payloads = some_frames(30, 12, shape=(256, 256))
    header = mib.acquisition((5, 6))
    for place in (13, 14, 15, 16):
        first = says(header, *payloads[:4], stay=False)
        with listening(first, says(*payloads[4:place], header, *payloads[place:])) as source:
            same(received(source), images, range(30))


def test_what_the_detector_leaves_out_is_counted():
    images, payloads = some_frames()
    with listening(says(HEADER, *(payloads[i] for i in (0, 3, 5)))) as source:
        same(received(source), images, (0, 3, 5))
        assert source.lost == 3


def test_late_frames_are_not_lost():
    images, payloads = some_frames()
    with listening(says(HEADER, *(payloads[i] for i in (0, 4, 2, 1, 3, 3, 5)))) as source:
        same(received(source), images, range(6))
        assert source.lost == 0


def test_a_cut_line_is_taken_up_again():
    images, payloads = some_frames()
    first = says(HEADER, *payloads[:2], stay=False, tail=message(payloads[2])[:777])
    with listening(first, says(*payloads[4:])) as source:
        same(received(source), images, (0, 1, 4, 5))
        assert source.lost == 2


def test_the_same_header_again_is_the_same_acquisition():
    images, payloads = some_frames()
    with listening(says(HEADER, *payloads[:2], stay=False), says(HEADER, *payloads[2:])) as source:
        same(received(source), images, range(6))


def test_another_header_ends_the_acquisition():
    """Nothing else marks an acquisition that was stopped."""
    images, payloads = some_frames()
    with listening(says(HEADER, *payloads[:2], mib.acquisition((9, 9)), payloads[2])) as source:
        same(received(source), images, (0, 1))
        assert source.lost == 4


def test_acquisitions_that_were_not_triggered_are_passed_over():
    images, payloads = some_frames()
    with listening(says(mib.acquisition((9, 9)), HEADER, *payloads)) as source:
        assert source.scan == (2, 3)
        same(received(source), images, range(6))


def test_numbers_that_go_on_from_the_last_acquisition():
    images = mib.counts(6, 12, (4, 4))
    payloads = [mib.frame(1000 + i, image, 12) for i, image in enumerate(images)]
    with listening(says(HEADER, *payloads)) as source:
        same(received(source), images, range(6))


def test_no_more_than_was_announced():
    images, payloads = some_frames(9)
    with listening(says(HEADER, *payloads)) as source:
        same(received(source), images, range(6))


def test_the_scan_that_was_asked_for():
    images, payloads = some_frames(8)
    endless = mib.acquisition(frames=0)
    with listening(says(endless, *payloads), scan=(2, 3), flyback=1) as source:
        assert (source.scan, len(source), source.flyback) == ((2, 3), 8, 1)
        same(received(source), images, range(8))
    with listening(says(mib.acquisition((2, 4)), *payloads), scan=(2, 3)) as source:  # more than was asked for
        same(received(source), images, range(6))
    with listening(says(HEADER, *payloads), scan=(2, 4)) as source:  # less
        same(received(source), images, range(6))
    with listening(says(mib.acquisition((9, 10), frames=99), payloads[0])) as source:
        assert (source.flyback, len(source)) == (1, 99)
    with listening(says(*payloads), scan=(1, 8)) as source:
        same(received(source), images, range(8))
    with Detector(says(*payloads)) as detector, pytest.raises(ValueError, match="no acquisition header"):
        crewe.io.listen(detector.url)
    with Detector(says(HEADER, *payloads)) as detector, pytest.raises(ValueError, match=r"\(256, 256\) wanted"):
        crewe.io.listen(detector.url, timeout=5, detector=(256, 256))


def test_closing_ends_the_iteration():
    images, payloads = some_frames()
    with listening(says(HEADER, *payloads[:2])) as source:
        got = {}
        for first, frames in source:
            got.update((first + i, frame) for i, frame in enumerate(frames))
            if len(got) == 2:
                threading.Timer(0.1, source.close).start()
        same(got, images, (0, 1))


def test_gone_for_good():
    images, payloads = some_frames()
    with Detector(says(HEADER, *payloads[:2], stay=False)) as detector:
        got, source = {}, crewe.io.listen(detector.url, timeout=0.5)
        with pytest.raises(ConnectionError, match="2 of 6"):
            got.update((first + i, frame) for first, frames in source for i, frame in enumerate(frames))
        same(got, images, (0, 1))


def test_silence():
    _, payloads = some_frames()
    silent = pytest.raises(ConnectionError, match=r"nothing for 0\.3 s.*1 of 6")
    with listening(says(HEADER, payloads[0]), timeout=0.3) as source, silent:
        received(source)
    with Detector(says()) as detector, pytest.raises(ConnectionError, match=r"nothing for 0\.3 s"):
        crewe.io.listen(detector.url, timeout=0.3)
    with Detector(says(HEADER, stay=False)) as detector, pytest.raises(ConnectionError, match="closed"):
        crewe.io.listen(detector.url, timeout=0.3)


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"MPX,00000x0009,MQ1,1234567",
        message(b"nonsense"),
        b"MPX,9999999999,MQ1,000003,00384",
    ],
)
def test_garbage_is_told_with_its_place(garbage):
    images, payloads = some_frames()
    good = 15 + 2048 + 2 * len(message(payloads[0]))
    with Detector(says(HEADER, *payloads[:2], tail=garbage + bytes(10_000))) as detector:
        got, source = {}, crewe.io.listen(detector.url)
        with source, pytest.raises(FormatError) as caught:
            got.update((first + i, frame) for first, frames in source for i, frame in enumerate(frames))
        same(got, images, (0, 1))
        assert caught.value.offset == good
        assert str(good) in str(caught.value)
    with Detector(says(tail=garbage + bytes(10_000))) as detector, pytest.raises(FormatError):
        crewe.io.listen(detector.url)


def test_a_frame_of_another_size_is_damage():
    images, payloads = some_frames()
    other = mib.frame(3, mib.counts(1, 12, (16, 128))[0], 12)
    with Detector(says(HEADER, *payloads[:2], other + bytes(16 * 256), *payloads[3:])) as detector:
        got, source = {}, crewe.io.listen(detector.url)
        with source, pytest.raises(FormatError, match="16 x 128"):
            got.update((first + i, frame) for first, frames in source for i, frame in enumerate(frames))
        same(got, images, (0, 1))


class Commands:
    """A command socket that notes what comes; `lax` counts its replies without the comma, as simulators do."""

    def __init__(self, refuse=None, lax=False):
        self.words, self.refuse, self.lax = [], refuse, lax
        self.started = threading.Event()
        self.detector = Detector(self._serve)
        self.port = self.detector.port

    def _serve(self, connection):
        stream = connection.makefile("rb")
        while prefix := stream.read(15):
            words = stream.read(int(prefix[4:14]) - 1).decode().split(",")
            self.words.append(words)
            if words[1] in ("STARTACQUISITION", "SOFTTRIGGER"):
                self.started.set()
            code = "3" if words[1] == self.refuse else "0"
            reply = ",".join([*words[:2], *(["7"] if words[0] == "GET" else []), code]).encode()
            connection.sendall(b"MPX,%010d," % (len(reply) + (not self.lax)) + reply)


@pytest.mark.parametrize("lax", [False, True])
def test_the_acquisition_is_started_by_us(lax):
    images, payloads = some_frames()
    commands = Commands(lax=lax)

    def waits(connection):
        assert commands.started.wait(5)
        says(HEADER, *payloads)(connection)

    options = {"settings": {"ACQUISITIONTIME": 0.5}, "softtrigger": True, "scan": (2, 3)}
    with listening(waits, timeout=5, command_port=commands.port, **options) as source:
        same(received(source), images, range(6))
    assert commands.words == [
        ["SET", "ACQUISITIONTIME", "0.5"],
        ["SET", "NUMFRAMESTOACQUIRE", "6"],
        ["CMD", "STARTACQUISITION", "0"],
        ["CMD", "SOFTTRIGGER", "0"],
    ]


def test_what_an_earlier_acquisition_left_is_passed_over():
    images, payloads = some_frames()
    commands = Commands()
    script = says(payloads[4], payloads[5], HEADER, *payloads)
    with listening(script, scan=(2, 3), command_port=commands.port) as source:
        same(received(source), images, range(6))


def test_an_acquisition_left_early_is_stopped():
    _, payloads = some_frames()
    commands = Commands()
    with Detector(says(HEADER, *payloads[:2])) as detector:
        crewe.io.listen(detector.url, timeout=5, command_port=commands.port).close()
    commands.detector.thread.join(5)
    assert [words[1] for words in commands.words] == ["STARTACQUISITION", "STOPACQUISITION"]


def test_refused_commands():
    commands = Commands(refuse="HVBIAS")
    merlin = CommandSocket(("127.0.0.1", commands.port))
    assert merlin.get("NUMFRAMESTOACQUIRE") == "7"
    with pytest.raises(DeviceError, match="SET HVBIAS 1000: out of range"):
        merlin.set("HVBIAS", 1000)
    merlin.command("RESET")
    merlin.close()
    with Detector(says(stay=True, tail=b"HTTP/1.1 400 Bad Request\r\n")) as detector:
        stranger = CommandSocket(("127.0.0.1", detector.port))
        with pytest.raises(ConnectionError, match="no Merlin"):
            stranger.command("RESET")
        stranger.close()
    with pytest.raises(ValueError, match="command_port"):
        crewe.io.listen("merlin://127.0.0.1:1", softtrigger=True)


@pytest.mark.parametrize(
    "url", ["merlin://127.0.0.1", "merlin://:1", "nonsense://a:1", "merlin://a:b", "", "merlin://a:99999"]
)
def test_urls(url):
    with pytest.raises(ValueError, match="merlin"):
        crewe.io.listen(url)


def test_the_timeout_is_a_time():
    for wrong in (0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="timeout"):
            crewe.io.listen("merlin://127.0.0.1:1", timeout=wrong)


def test_nobody_there():
    port = free_port()
    with pytest.raises(ConnectionError, match=str(port)):
        crewe.io.listen(f"merlin://127.0.0.1:{port}", timeout=0.2)
