"""`crewe view`: the page, what it shows, what its knobs do, and whom it refuses."""

import contextlib
import http.client
import json
import queue
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import numpy as np
import pytest

from crewe import cli, live
from crewe.cli.page import Page, binned
from crewe.cli.view import Pictures, Scan
from crewe.io.arrays import ArraySource
from test_cli import ENVIRONMENT, discs, heed_interrupts

PNG = b"\x89PNG\r\n\x1a\n"


def ask(url, *, body=None, **headers):
    """(status, content) of an answer."""
    data = None if body is None else json.dumps(body).encode()
    if data is not None:
        headers = {"Content-Type": "application/json"} | headers
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.fixture
def scan():
    """The address of a page that shows a finished scan."""
    frames = discs()
    options = {"kernel": 61, "low": None, "high": None, "inner": 5.0, "outer": None}
    options |= {"center": "auto", "rotation": 0.0, "transpose": False}
    source = ArraySource(frames)
    kinds = {"ricom": live.RiCOM(), "adf": live.VirtualDetector(inner=5.0)}
    with live.Session(scan=source.scan, detector=source.detector, images=kinds, keep_profile=True) as session:
        shown = Scan(source, session, tuple(kinds), options, "scan.npy")
        shown.run()
        with Page(shown) as page:
            yield page.url


def test_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("scan.npy", discs())
    command = [sys.executable, "-m", "crewe", "view", "scan.npy", "--no-browser"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, preexec_fn=heed_interrupts
    ) as process:
        url = process.stderr.readline().split()[0]
        try:
            while "done" not in json.loads(ask(url + "state")[1])["status"]:
                pass
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr.read().strip() == ""


def test_an_interrupt_amid_requests_ends_well(tmp_path, monkeypatch):
    """Threads that turn knobs and draw pictures are in the core when Ctrl-C comes: cut off there they would abort."""
    monkeypatch.chdir(tmp_path)
    np.save("scan.npy", discs((128, 128), (8, 8)).astype(np.uint8))
    command = [sys.executable, "-m", "crewe", "view", "scan.npy", "--no-browser"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, preexec_fn=heed_interrupts
    ) as process:
        url = process.stderr.readline().split()[0]
        answers = queue.SimpleQueue()
        try:
            while "done" not in json.loads(ask(url + "state")[1])["status"]:
                pass
            clients = [threading.Thread(target=keep_asking, args=(url, 61 + 2 * k, answers)) for k in range(4)]
            for client in clients:
                client.start()
            for _ in clients:
                answers.get(timeout=60)
        finally:
            process.send_signal(signal.SIGINT)
        told = process.stderr.read()
        assert (process.wait(60), told.strip()) == (0, "")
    for client in clients:
        client.join(60)
        assert not client.is_alive()


def test_closing_waits_for_answers_that_are_being_made():
    begun, go_on, made = threading.Event(), threading.Event(), []

    class Slow(Pictures):
        def turn(self, changes):
            begun.set()
            go_on.wait(60)
            made.append(changes)

    with Page(Slow({"a": np.eye(4)})) as page:
        client = threading.Thread(target=ask, args=(page.url + "settings",), kwargs={"body": {"kernel": 3}})
        client.start()
        assert begun.wait(60)
        threading.Timer(0.3, go_on.set).start()
    assert made == [{"kernel": 3}]
    client.join(60)


def keep_asking(url, kernel, answers):
    """Turn a knob and look, again and again, until nobody answers any more."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        while True:
            for change in (kernel, kernel + 20):
                ask(url + "settings", body={"kernel": change})
                ask(url + "image/ricom")
            answers.put(kernel)


def test_a_scan_and_its_knobs(scan):
    status, page = ask(scan)
    assert status == 200
    assert b"<main>" in page
    before = json.loads(ask(scan + "state")[1])
    assert before["images"] == ["ricom", "adf"]
    assert list(before["settings"]) == [
        *("kernel", "low", "high", "inner", "outer", "center", "rotation", "transpose"),
    ]
    picture = ask(scan + "image/ricom")[1]
    assert picture.startswith(PNG)
    status, answer = ask(scan + "settings", body={"kernel": "7", "rotation": "0.5", "outer": "8", "transpose": True})
    assert status == 200, answer
    after = json.loads(answer)
    assert after["version"] > before["version"]
    assert (after["settings"]["kernel"], after["settings"]["transpose"]) == (7, True)
    assert ask(scan + "image/ricom")[1] != picture


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kernel": "8"}, "an odd number"),
        ({"kernel": "many"}, "kernel: a number wanted"),
        ({"center": "here"}, "center: two numbers wanted"),
        ({"transpose": "yes"}, "transpose"),
        ({"inner": "-3"}, "inner"),
        ({"colour": "red"}, "no such setting: colour"),
        (["kernel"], "object"),
    ],
)
def test_wrong_settings_are_said_on_the_page(scan, changes, words):
    status, answer = ask(scan + "settings", body=changes)
    assert status == 400
    assert words in json.loads(answer)["error"]


def test_only_the_page_itself_is_answered(scan):
    assert ask(scan + "state", Host="elsewhere.example")[0] == 403
    assert ask(scan + "settings", body={"kernel": 7}, Host="elsewhere.example")[0] == 403
    assert ask(scan + "settings", body={"kernel": 7}, **{"Content-Type": "text/plain"})[0] == 403
    assert ask(scan + "image/../../state")[0] == 404
    assert ask(scan + "image/haadf")[0] == 404
    assert json.loads(ask(scan + "state")[1])["settings"]["kernel"] == 61


def test_images_of_files():
    images = {"a b.tif": np.eye(20, dtype=np.float32), "com.npy": np.ones((20, 20, 2))}
    with Page(Pictures(images)) as page:
        state = json.loads(ask(page.url + "state")[1])
        assert state["images"] == ["a b.tif", "com.npy"]
        assert state["status"] == "20 × 20 pixels"
        assert ask(page.url + "image/a%20b.tif?0")[1].startswith(PNG)
        assert ask(page.url + "settings", body={"kernel": 3})[0] == 400


def test_which_files_hold_images(tmp_path, monkeypatch):
    from crewe.cli.view import _pictures

    monkeypatch.chdir(tmp_path)
    np.save("image.npy", np.ones((5, 6)))
    np.save("com.npy", np.ones((5, 6, 2)))
    np.save("series.npy", np.ones((3, 5, 6)))
    np.save("scan.npy", discs())
    assert list(_pictures(("image.npy", "com.npy"), None)) == ["image.npy", "com.npy"]
    assert list(_pictures(("series.npy",), None)) == [f"series.npy {k}" for k in range(3)]
    (tmp_path / "folder").mkdir()
    np.save("folder/b.npy", np.ones((5, 6)))
    np.save("folder/a.npy", np.ones((5, 6)))
    assert list(_pictures(("folder", "com.npy"), None)) == ["a.npy", "b.npy", "com.npy"]
    np.save("a.npy", np.ones((5, 6)))
    assert list(_pictures(("a.npy", "folder/a.npy"), None)) == ["a.npy", "folder/a.npy"]
    assert _pictures(("scan.npy",), None) == {}
    assert _pictures(("series.npy",), (1, 3)) == {}


def test_large_images_are_binned():
    image = np.arange(2050.0 * 1030).reshape(2050, 1030)
    small = binned(image)
    assert small.shape == (683, 343)
    assert small[5, 7] == image[15:18, 21:24].mean()
    assert binned(image[:1000, :900]).shape == (1000, 900)
    assert binned(np.ones((1, 5000))).shape == (1, 5000)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["view"], 2, "FILE"),
        (["view", "gone.npy"], 1, "gone.npy"),
        (["view", "gone.npy", "--port", "99999"], 2, "--port"),
        (["view", "nonsense://127.0.0.1:1"], 1, "nonsense"),
    ],
)
def test_what_goes_wrong_is_said_in_words(tmp_path, monkeypatch, capsys, words, code, told):
    monkeypatch.chdir(tmp_path)
    assert cli.run(words) == code
    assert told in capsys.readouterr().err


def test_the_knobs_of_radii_change_the_past(scan):
    picture = ask(scan + "image/adf")[1]
    assert ask(scan + "settings", body={"inner": 9})[0] == 200
    assert ask(scan + "image/adf")[1] != picture
