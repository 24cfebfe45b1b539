"""A Timepix3 on a socket, well-behaved and not: what comes, what is lost, what is said; and its HTTP interface."""

import contextlib
import functools
import http.server
import itertools
import json
import socket
import threading
import time

import numpy as np
import pytest

import crewe.io
from crewe import DeviceError, FormatError
from crewe.io import player
from crewe.io.arrays import ArraySource
from crewe.io.serval import ServalClient
from crewe.io.sources import EVENT, EventSource
from detectors import Detector
from reference.tpx3 import TICK, chunk, hit_word, scan_stream, sorted_events

SCAN = (6, 8)
Timepix = functools.partial(Detector, scheme="tpx3")


def says(*pieces, stay=False, pause=0.0):
    """A script that sends these bytes and hangs up, or stays until the client goes."""

    def script(connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)
        if stay:
            connection.settimeout(10)
            while connection.recv(4096):
                pass

    return script


def table(blocks):
    events = np.concatenate([np.array(block) for block in blocks] or [np.empty(0, EVENT)])
    return sorted_events(events["position"], events["y"], events["x"])


def collected(source):
    """All events as a sorted table, and what was raised after them."""
    blocks, error = [], None
    try:
        blocks.extend(block.copy() for block in source.records())
    except (ConnectionError, FormatError) as raised:
        error = raised
    return table(blocks), error


def cut(stream, n, seed=0):
    places = [0, *np.sort(np.random.default_rng(seed).integers(0, len(stream), n)).tolist(), len(stream)]
    return [stream[a:b] for a, b in itertools.pairwise(places)]


@pytest.fixture
def made():
    return scan_stream(np.random.default_rng(1), SCAN, per_line=2000)


def test_a_scan_in_pieces(made):
    with Timepix(says(*cut(made.stream, 50))) as detector:
        source = crewe.io.listen(detector.url, scan=SCAN, timeout=10)
        assert (source.scan, source.detector) == (SCAN, (512, 512))
        events, error = collected(source)
    assert error is None
    np.testing.assert_array_equal(events, made.events)
    assert source.metadata["received"] == len(made.stream)
    assert source.metadata["lines"] == 6
    assert source.metadata["reconnects"] == source.metadata["skipped"] == source.lost == 0
    assert source.dwell == pytest.approx(6400 * TICK)
    with pytest.raises(ValueError, match="once"):
        list(source.records())


def test_a_detector_that_does_not_hang_up(made):
    with Timepix(says(made.stream, stay=True)) as detector, crewe.io.listen(detector.url, scan=SCAN) as source:
        events, error = collected(source)
    assert error is None
    np.testing.assert_array_equal(events, made.events)


def test_the_beam_stays_on_after_the_scan(made):
    after = chunk(0, hit_word(0, 0, 10**7 + 100 * np.arange(1000)))
    rest = [after] * 5000
    with Timepix(says(made.stream, *rest)) as detector, crewe.io.listen(detector.url, scan=SCAN, timeout=10) as source:
        events, error = collected(source)
    assert error is None
    np.testing.assert_array_equal(events, made.events)
    assert source.metadata["received"] < len(made.stream) + len(after) * 5000, (
        "it ends with the scan, not with the beam"
    )


def test_several_scans_add_up():
    made = scan_stream(np.random.default_rng(2), (12, 8))
    want = made.events % [48, 512, 512]
    with Timepix(says(made.stream)) as detector:
        events, error = collected(crewe.io.listen(detector.url, scan=SCAN, timeout=10, scans=2))
    assert error is None
    np.testing.assert_array_equal(events, sorted_events(*want.T))
    with Timepix(says(made.stream)) as detector:
        events, _ = collected(crewe.io.listen(detector.url, scan=SCAN, timeout=10, scans=0))
    np.testing.assert_array_equal(events, sorted_events(*want.T))


def test_events_come_while_the_scan_runs(made):
    half = len(made.stream) // 2
    go_on = threading.Event()

    def script(connection):
        connection.sendall(made.stream[:half])
        assert go_on.wait(10)
        connection.sendall(made.stream[half:])

    with Timepix(script) as detector:
        records = crewe.io.listen(detector.url, scan=SCAN, timeout=10).records()
        first = next(records).copy()
        go_on.set()
        events = table([first, *(block.copy() for block in records)])
    np.testing.assert_array_equal(events, made.events)


def test_a_line_that_drops_is_taken_up_again():
    made = scan_stream(np.random.default_rng(3), (12, 8), noise=False, chips=(0,), silent=(), disorder=0, before=0)
    # Chunks of chip 0 in order of time: cut in the middle of a chunk of row 4, and again taken up within row 7.
    ends = np.cumsum([len(made.stream) // 12] * 12)
    with Timepix(says(made.stream[: int(ends[4]) - 1003]), says(b"", made.stream[int(ends[7]) :])) as detector:
        source = crewe.io.listen(detector.url, scan=(12, 8), timeout=10)
        events, error = collected(source)
    assert error is None
    assert source.metadata["reconnects"] == 1
    rows, want = np.bincount(events[:, 0] // 8, minlength=12), np.bincount(made.events[:, 0] // 8, minlength=12)
    np.testing.assert_array_equal(rows[:4], want[:4])
    np.testing.assert_array_equal(rows[9:], want[9:], err_msg="the rows after the cut are where they belong")
    assert not rows[5:7].any(), "what went by unseen stays empty"


def test_a_detector_that_is_gone_for_good(made):
    lines = scan_stream(np.random.default_rng(4), (20, 8), per_line=2000)
    with Timepix(says(made.stream)) as detector:
        source = crewe.io.listen(detector.url, scan=(20, 8), timeout=1)
        events, error = collected(source)
    assert isinstance(error, ConnectionError)
    assert "6 of 20 lines" in str(error)
    assert str(detector.port) in str(error)
    np.testing.assert_array_equal(events, made.events)
    assert len(lines.events) > len(events)


def test_a_detector_that_falls_silent(made):
    with (
        Timepix(says(made.stream, stay=True)) as detector,
        crewe.io.listen(detector.url, scan=(9, 8), timeout=0.5) as source,
    ):
        events, error = collected(source)
    assert isinstance(error, ConnectionError)
    assert "0.5 s" in str(error)
    assert "6 of 9 lines" in str(error)
    np.testing.assert_array_equal(events, made.events)


def test_by_dwell_time():
    ticks = np.arange(0, 48 * 640, 7)
    stream = b"".join(chunk(0, hit_word(1, 2, ticks[i : i + 100])) for i in range(0, len(ticks), 100))
    with Timepix(says(stream)) as detector:
        events, error = collected(crewe.io.listen(detector.url, scan=SCAN, dwell=640 * TICK, timeout=5))
    assert error is None, "without lines the end of the stream is the end"
    np.testing.assert_array_equal(events[:, 0], ticks // 640)


def test_damage_is_counted_and_nothing_else_is_lost(made):
    at = made.stream.index(b"TPX3", len(made.stream) // 2)
    with Timepix(says(made.stream[:at] + b"rubbish" * 9 + made.stream[at:])) as detector:
        source = crewe.io.listen(detector.url, scan=SCAN, timeout=10)
        events, error = collected(source)
    assert error is None
    assert source.metadata["skipped"] == 63
    np.testing.assert_array_equal(events, made.events)


def test_something_else_speaks():
    with Timepix(says(b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n" * 50)) as detector:
        events, error = collected(crewe.io.listen(detector.url, scan=SCAN, timeout=5))
    assert isinstance(error, FormatError)
    assert len(events) == 0
    assert "at byte" in str(error)


def test_nobody_is_there():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(ConnectionError, match=str(port)):
        crewe.io.listen(f"tpx3://127.0.0.1:{port}", scan=SCAN, timeout=0.2)
    with pytest.raises(ValueError, match="scan"):
        crewe.io.listen(f"tpx3://127.0.0.1:{port}", timeout=0.2)


# ------------------------------------------------------------------------------------------------ SERVAL connects to us
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def connect_and_say(port, *scripts):
    def run():
        for script in scripts:
            with socket.create_connection(("127.0.0.1", port)) as connection, contextlib.suppress(ConnectionError):
                script(connection)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_serval_connects(made):
    port = free_port()
    with crewe.io.listen(f"tpx3+serve://127.0.0.1:{port}", scan=SCAN, timeout=10) as source:
        thread = connect_and_say(port, says(*cut(made.stream, 20)))
        events, error = collected(source)
    thread.join(10)
    assert error is None
    np.testing.assert_array_equal(events, made.events)


def test_others_that_connect_are_sent_away(made):
    port = free_port()
    with crewe.io.listen(f"tpx3+serve://127.0.0.1:{port}", scan=SCAN, timeout=10) as source:
        thread = connect_and_say(port, says(b"GET / HTTP/1.1\r\n" * 100), says(), says(made.stream))
        events, error = collected(source)
    thread.join(10)
    assert error is None
    assert source.metadata["refused"] == 1
    np.testing.assert_array_equal(events, made.events)


def test_nobody_connects():
    with crewe.io.listen(f"tpx3+serve://127.0.0.1:{free_port()}", scan=SCAN, timeout=0.3) as source:
        events, error = collected(source)
    assert isinstance(error, ConnectionError)
    assert len(events) == 0


def test_a_port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=str(port)):
            crewe.io.listen(f"tpx3+serve://127.0.0.1:{port}", scan=SCAN)


# ----------------------------------------------------------------------------------------------------------------- HTTP
class Serval(http.server.ThreadingHTTPServer):
    """Notes what it is asked, and sends its stream to the destination of raw data."""

    def __init__(self, stream=b""):
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked, self.stream, self.thread = [], stream, None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def send_raw(self, base):
        way, _, address = base.removeprefix("tcp://").partition("@")
        host, port = address.split(":")
        if way == "connect":
            self.thread = connect_and_say(int(port), says(self.stream))
        else:
            listener = socket.create_server((host, int(port)))

            def run():
                with listener, listener.accept()[0] as connection:
                    says(self.stream)(connection)

            self.thread = threading.Thread(target=run, daemon=True)
            self.thread.start()


class Answers(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(("PUT", self.path, content))
        if self.path == "/server/destination":
            base = content["Raw"][0]["Base"]
            if base.startswith("tcp://listen"):
                self.server.send_raw(base)
            else:
                self.server.base = base
        self.answer(200, b"Successfully uploaded")

    def do_GET(self):
        self.server.asked.append(("GET", self.path))
        if self.path == "/measurement/start" and hasattr(self.server, "base"):
            self.server.send_raw(self.server.base)
        self.answer(*((503, b"detector not connected") if self.path == "/measurement/stop" else (200, b"ok")))

    def answer(self, code, text):
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("scheme", ["tpx3", "tpx3+serve"])
def test_the_measurement_is_started_by_http(made, scheme):
    port = free_port()
    with Serval(made.stream) as serval:
        options = {"scan": SCAN, "timeout": 10, "command_port": serval.port}
        with crewe.io.listen(f"{scheme}://127.0.0.1:{port}", **options) as source:
            events, error = collected(source)
        serval.thread.join(10)
        serval.shutdown()
    assert error is None
    np.testing.assert_array_equal(events, made.events)
    way = "listen" if scheme == "tpx3" else "connect"
    assert serval.asked == [
        ("PUT", "/server/destination", {"Raw": [{"Base": f"tcp://{way}@127.0.0.1:{port}"}]}),
        ("GET", "/measurement/start"),
        ("GET", "/measurement/stop"),
    ]


def test_http_that_fails():
    with Serval() as serval:
        client = ServalClient(f"http://127.0.0.1:{serval.port}")
        with pytest.raises(DeviceError, match="503 detector not connected"):
            client.stop()
        serval.shutdown()
    with pytest.raises(ConnectionError, match="SERVAL"):
        ServalClient(f"http://127.0.0.1:{free_port()}", timeout=1).start()


# --------------------------------------------------------------------------------------------------------------- replay
class Events(EventSource):
    def __init__(self, events, scan, detector, dwell=0.0):
        self.events, self.scan, self.detector, self.dwell, self.metadata = events, scan, detector, dwell, {}

    def records(self):
        for start in range(0, len(self.events), 777):
            yield self.events[start : start + 777]


def made_events(rng, n, scan, detector):
    events = np.empty(n, EVENT)
    for name, size in (("position", scan[0] * scan[1]), ("y", detector[0]), ("x", detector[1])):
        events[name] = rng.integers(0, size, n)
    return events


def played(source, scan, detector, **options):
    """What a client gets of a source that is played, and the numbers that the player told."""
    port, numbers = free_port(), []
    url = f"tpx3://127.0.0.1:{port}"
    player = threading.Thread(
        target=lambda: crewe.io.replay(source, url, on_sent=numbers.append, **options), daemon=True
    )
    player.start()
    with crewe.io.listen(url, scan=scan, detector=detector, timeout=10) as live:
        events, error = collected(live)
    player.join(10)
    assert not player.is_alive()
    assert error is None
    return events, numbers, live


@pytest.mark.parametrize("detector", [(512, 512), (256, 256), (100, 130)])
@pytest.mark.parametrize("dwell", [0.0, 1e-6])
def test_any_events_are_played(detector, dwell):
    events = made_events(np.random.default_rng(5), 9000, (7, 9), detector)
    got, numbers, live = played(Events(events, (7, 9), detector, dwell), (7, 9), detector)
    np.testing.assert_array_equal(got, table([events]))
    assert numbers == [9 * row for row in range(1, 8)]
    assert live.dwell == pytest.approx(dwell or 1e-5)


def test_rows_without_events_are_played():
    events = made_events(np.random.default_rng(6), 50, (40, 9), (512, 512))
    got, _, live = played(Events(events, (40, 9), (512, 512)), (40, 9), (512, 512))
    np.testing.assert_array_equal(got, table([events]))
    assert live.metadata["lines"] == 40


def test_many_events_in_a_line_are_played():
    events = made_events(np.random.default_rng(7), 100_000, (2, 3), (512, 512))
    got, _, _ = played(Events(events, (2, 3), (512, 512)), (2, 3), (512, 512))
    np.testing.assert_array_equal(got, table([events]))


def test_a_file_is_played_as_it_is(tmp_path, made):
    (tmp_path / "a.tpx3").write_bytes(made.stream)
    source = crewe.io.open(tmp_path / "a.tpx3", scan=SCAN)
    got, numbers, live = played(source, SCAN, (512, 512))
    np.testing.assert_array_equal(got, made.events)
    assert live.metadata["unknown"] == source.metadata.get("unknown", live.metadata["unknown"])
    assert numbers[-1] == 48


def test_replay_keeps_a_rate(monkeypatch):
    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

        def sleep(self, seconds):
            self.now += seconds

    clock = Clock()
    monkeypatch.setattr(player, "time", clock)
    events = made_events(np.random.default_rng(8), 500, (6, 10), (256, 256))
    played(Events(events, (6, 10), (256, 256)), (6, 10), (256, 256), rate=200.0)
    assert clock.now == pytest.approx(0.25), "50 of the 60 positions wait, 5 ms each"


def test_what_can_not_be_played():
    url = f"tpx3://127.0.0.1:{free_port()}"
    with pytest.raises(ValueError, match="events wanted"):
        crewe.io.replay(ArraySource(np.zeros((2, 2, 8, 8), np.uint16)), url)
    with pytest.raises(ValueError, match="rate"):
        crewe.io.replay(Events(np.empty(0, EVENT), (2, 2), (256, 256)), url, rate=-1.0)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="listen"):
        crewe.io.replay(Events(np.empty(0, EVENT), (2, 2), (256, 256)), f"tpx3://127.0.0.1:{taken.getsockname()[1]}")
