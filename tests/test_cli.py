"""The command line: what it writes, where, with which exit code; and words, never a traceback, for what goes wrong."""

import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import crewe
from crewe import cli, imaging
from crewe.cli import options, output

SCAN, DETECTOR = (9, 11), (24, 20)
CALIBRATION = ["--energy", "3e5", "--angle", "4", "--semiangle", "15", "--step", "0.2"]
CREWE = [sys.executable, "-m", "crewe"]
#: The package under test, wherever we are.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(crewe.__file__).parents[1])}


def discs(scan=SCAN, detector=DETECTOR, seed=0):
    """A disc that wanders, (sy, sx, ky, kx) uint16."""
    rng = np.random.default_rng(seed)
    y, x = np.ogrid[: detector[0], : detector[1]]
    cy, cx = ((n - 1) / 2 + rng.normal(0, 2, scan) for n in detector)
    inside = (y - cy[..., None, None]) ** 2 + (x - cx[..., None, None]) ** 2 < 36
    return rng.poisson(3.0 * inside).astype(np.uint16)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, with a recorded scan."""
    monkeypatch.chdir(tmp_path)
    np.save("scan.npy", discs())
    return tmp_path


def want_ricom(frames, kernel=61):
    com = imaging.com(frames)
    return imaging.ricom(com - com.mean((0, 1), dtype=np.float64).astype(np.float32), kernel=kernel)


def test_version_and_help(capsys):
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"crewe {crewe.__version__}\n"
    assert cli.run(["--help"]) == 0
    told = capsys.readouterr().out
    for name in ("demo", "image", "live", "replay"):
        assert name in told
        assert cli.run([name, "--help"]) == 0
        assert "Examples:\n" in capsys.readouterr().out


def test_help_is_light():
    code = "import sys; from crewe import cli; cli.run(['image', '--help']); print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert not {"rich", "crewe.live", "crewe.demo"} & set(done.stderr.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Usage"),
        (["nonsense"], "nonsense"),
        (["image"], "FILE"),
        (["image", "scan.npy", "--scan", "3by4"], "256x256"),
        (["image", "scan.npy", "--scan", "0x4"], "256x256"),
        (["image", "scan.npy", "--center", "middle"], "127.5,127.5"),
        (["image", "scan.npy", "--image", "haadf"], "haadf"),
        (["image", "scan.npy", "--image", "adf"], "--inner"),
        (["image", "scan.npy", "--image", "field"], "--energy"),
        (["image", "scan.npy", "--image", "airpi", "--energy", "3e5"], "--step [Å]"),
        (
            ["live", "scan.npy", "-i", "ssb", *CALIBRATION, "--fit-rotation"],
            "--rotation",
        ),
        (["image", "scan.npy", "--output", "x.jpg"], ".npy"),
        (["image", "scan.npy", "--output", "no/such/x.npy"], "no/such"),
        (["image", "scan.npy", "--output", "scan.npy"], "overwrite"),
        (["image", "scan.npy", "--output", "-", "-i", "ricom", "-i", "com"], "one image"),
        (["live", "scan.npy", "--timeout", "-1"], "--timeout"),
        (["image", "scan.tpx3"], "--scan 256x256"),
        (["view", "scan.tpx3", "--no-browser"], "--scan 256x256"),
        (["replay", "scan.tpx3", "tpx3://127.0.0.1:1"], "--scan 256x256"),
        (["replay", "scan.npy"], "URL"),
        (["replay", "scan.npy", "merlin://127.0.0.1:1", "--rate", "0"], "--rate"),
    ],
)
def test_wrong_commands_end_with_2(here, capsys, words, told):
    (here / "scan.tpx3").write_bytes(b"TPX3" + bytes(12))
    assert cli.run(words) == 2
    out, err = capsys.readouterr()
    assert told in " ".join((out + err).split())
    assert sorted(os.listdir(here)) == ["scan.npy", "scan.tpx3"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["image", "gone.mib"], "gone.mib"),
        (["image", "."], "a folder came"),
        (["image", "empty.npy"], "empty.npy"),
        (["image", "text.npy"], "text.npy"),
        (["restore", "empty.npy"], "empty.npy"),
        (["restore", "empty.tif"], "empty.tif"),
        (["image", "scan.npy", "--scan", "3x3"], "90 frames more"),
        (["image", "scan.npy", "--kernel", "4"], "kernel"),
        (["image", "scan.npy", "--low", "0.3", "--high", "0.2"], "low"),
        (["image", "scan.npy", "--dark", "gone.npy"], "gone.npy"),
        (["image", "scan.npy", "--dark", "small.npy"], "dark"),
        (["image", "scan.npy", "--gain", "text.npy"], "text.npy"),
        (["image", "scan.npy", "--skip", "1000"], "nothing is written"),
        (["live", "merlin://127.0.0.1:99999"], "99999"),
        (["live", "nonsense://127.0.0.1:1"], "nonsense"),
        (["replay", "scan.npy", "nonsense://127.0.0.1:1"], "nonsense"),
        (["replay", "gone.npy", "merlin://127.0.0.1:1"], "gone.npy"),
    ],
)
def test_failures_end_with_1_and_words(here, capsys, words, told):
    (here / "empty.npy").write_bytes(b"")
    (here / "empty.tif").write_bytes(b"")
    (here / "text.npy").write_text("no array at all\n" * 100)
    np.save("small.npy", np.zeros((2, 2)))
    before = sorted(os.listdir(here))
    code = cli.run(words)
    out, err = capsys.readouterr()
    assert told in err
    assert "Traceback" not in err
    assert not out
    assert code == 1
    if "--scan" not in words:
        assert sorted(os.listdir(here)) == before, "nothing is written"


def test_image_writes_ricom_beside_where_we_are(here, capsys):
    assert cli.run(["image", "scan.npy"]) == 0
    assert sorted(os.listdir(here)) == [".crewe.jsonl", "scan-ricom.npy", "scan-ricom.png", "scan.npy"]
    np.testing.assert_allclose(np.load("scan-ricom.npy"), want_ricom(discs()), atol=1e-4)
    out, err = capsys.readouterr()
    assert not out
    assert "99 of 99 positions" in err


def test_several_images_and_outputs(here):
    words = ["image", "scan.npy", "-i", "ricom", "-i", "adf", "-i", "sum", "--inner", "5", "--kernel", "9"]
    words += ["--center", "11.5,9.5"]
    assert cli.run([*words, "-o", "a.npy", "-o", "b-{image}.png"]) == 0
    assert sorted(os.listdir(here)) == [
        *("a-adf.npy", "a-ricom.npy", "a-sum.npy", "b-adf.png", "b-ricom.png", "b-sum.png", "scan.npy")
    ]
    frames = discs()
    np.testing.assert_allclose(np.load("a-ricom.npy"), imaging.ricom(imaging.com(frames), kernel=9), atol=1e-4)
    np.testing.assert_array_equal(np.load("a-adf.npy"), imaging.virtual_image(frames, inner=5.0))
    np.testing.assert_array_equal(np.load("a-sum.npy"), frames.sum((0, 1)))


def test_radii_are_about_the_mean_centre_of_mass(here, capsys):
    frames = np.roll(discs(), (4, -3), axis=(2, 3))
    np.save("scan.npy", frames)
    assert cli.run(["image", "scan.npy", "-i", "adf", "--inner", "5", "-o", "x.npy"]) == 0
    y, x = imaging.com(frames, center=(0, 0)).reshape(-1, 2).mean(0, dtype=np.float64)
    told = capsys.readouterr().err.splitlines()[0]
    assert told == f"centre {y:.2f},{x:.2f}"
    np.testing.assert_array_equal(np.load("x.npy"), imaging.virtual_image(frames, inner=5.0, center=(y, x)))


def test_several_files_are_one_scan(here):
    frames = discs((2, 3), (256, 256))
    for part in range(2):
        name = f"{part}.mib"
        (here / name).write_bytes(b"".join(mib(part * 3 + i + 1, frame) for i, frame in enumerate(frames[part])))
    assert cli.run(["image", "0.mib", "1.mib", "--scan", "2x3", "-i", "sum", "-o", "x.npy"]) == 0
    np.testing.assert_array_equal(np.load("x.npy"), frames.sum((0, 1)))


def mib(number, frame):
    """A formatted Merlin frame of 12 bits."""
    words = ["MQ1", f"{number:06d}", "00384", "01", "0256", "0256", "U16", "   1x1", "01", "2026-01-02 03:04:05.678"]
    return ",".join(words).encode().ljust(384, b"\0") + frame.astype(">u2").tobytes()


def test_one_file_for_all_where_the_format_can(here):
    reader = pytest.importorskip("rsciio.hspy").file_reader
    assert cli.run(["image", "scan.npy", "-i", "com", "-i", "icom", "-o", "all.hspy"]) == 0
    titles = {signal["metadata"]["General"]["title"] for signal in reader("all.hspy")}
    assert titles == {"com", "icom"}


def test_corrections_reach_the_session(here):
    frames = discs()
    dead = np.zeros(DETECTOR, bool)
    dead[3, 4] = True
    dark, gain = np.full(DETECTOR, 0.25, np.float32), np.full(DETECTOR, 2.0, np.float32)
    for name, array in {"dead": dead, "dark": dark, "gain": gain}.items():
        np.save(f"{name}.npy", array)
    frames[:, :, 3, 4] = 60000
    np.save("scan.npy", frames)
    words = ["--dead-pixels", "dead.npy", "--dark", "dark.npy", "--gain", "gain.npy", "--center", "11.5,9.5"]
    assert cli.run(["image", "scan.npy", "-i", "com", "-i", "bf", "--inner", "100", "-o", "x.npy", *words]) == 0
    good = (frames - dark) * gain * ~dead
    np.testing.assert_allclose(np.load("x-bf.npy"), good.sum((2, 3)), rtol=1e-5)
    np.testing.assert_allclose(np.load("x-com.npy"), imaging.com(good.astype(np.float32)), atol=1e-4)


def test_fit_rotation_tells_and_turns(here, capsys):
    frames = discs((24, 24), (16, 16))
    np.save("scan.npy", frames)
    assert cli.run(["image", "scan.npy", "-i", "com", "--fit-rotation", "-o", "x.npy"]) == 0
    assert "rad" in capsys.readouterr().err
    com = imaging.com(frames)
    com -= com.mean((0, 1))
    angle, transpose = imaging.fit_rotation(com)
    np.testing.assert_allclose(np.load("x.npy"), imaging.rotate(com, angle, transpose=transpose), atol=1e-3)


def test_phases(here, capsys, monkeypatch):
    """The centre and the rotation are found before."""
    frames = discs((24, 20), (32, 32))
    np.save("scan.npy", frames)
    optics = {"energy": 3e5, "semiangle": 15.0, "step": 0.2, "angle_per_pixel": 4.0}

    class Network:
        info = SimpleNamespace(options={"size": 64, "length": [4.0, 24.0], "fill": [0.1, 0.95]})
        provider = "none"

        def run(self, patterns, probes, *_):
            phase = probes[:, 1] + patterns[:, 4].mean((1, 2))[:, None, None] / 10
            return np.stack([probes[:, 0] * np.cos(phase), probes[:, 0] * np.sin(phase)], 1).astype(np.float32)

    monkeypatch.setattr(crewe.models, "load", lambda *_, **__: Network())
    assert (
        cli.run(
            ["image", "scan.npy", "-i", "ssb", "-i", "airpi", *CALIBRATION, "--fit-rotation", "-o", "x-{image}.npy"]
        )
        == 0
    )
    assert "rotation" in capsys.readouterr().err
    com = imaging.com(frames)
    center = com.mean((0, 1), dtype=np.float64) + 15.5
    angle, transpose = imaging.fit_rotation(com - com.mean((0, 1)))
    geometry = {"center": tuple(center), "rotation": angle, "transpose": transpose}
    for name, function in (("ssb", imaging.ssb), ("airpi", imaging.airpi)):
        want = np.angle(function(frames, **optics, **geometry))
        np.testing.assert_allclose(np.load(f"x-{name}.npy"), want, atol=1e-3 * np.ptp(want))


def test_a_network_that_fails_is_told(here, capsys, monkeypatch):
    class Network:
        info = SimpleNamespace(options={"size": 64, "length": [4.0, 24.0], "fill": [0.1, 0.95]})
        provider = "none"

        def run(self, *_):
            raise RuntimeError("out of order")

    monkeypatch.setattr(crewe.models, "load", lambda *_, **__: Network())
    assert cli.run(["image", "scan.npy", "-i", "ricom", "-i", "airpi", *CALIBRATION, "-o", "x-{image}.npy"]) == 1
    assert "'airpi': the image stays as it is: RuntimeError: out of order" in capsys.readouterr().err
    assert np.load("x-ricom.npy").any()


def test_stdout_takes_data_and_only_data(here):
    command = [*CREWE, "image", "scan.npy", "-o", "-"]
    done = subprocess.run(command, capture_output=True, check=True, env=ENVIRONMENT)
    np.testing.assert_allclose(np.load(io.BytesIO(done.stdout)), want_ricom(discs()), atol=1e-4)
    assert b"99 of 99" in done.stderr


def test_too_many_frames_save_what_fits(here, capsys):
    middle = ["--center", "11.5,9.5"]
    np.save("scan.npy", discs().reshape(99, *DETECTOR))
    assert cli.run(["image", "scan.npy", "--scan", "9x10", "-i", "bf", "--inner", "9", "-o", "x.npy", *middle]) == 1
    want = imaging.virtual_image(discs().reshape(99, *DETECTOR)[:90], outer=9.0).reshape(9, 10)
    np.testing.assert_array_equal(np.load("x.npy"), want)
    assert "9 frames" in capsys.readouterr().err


def test_a_closed_stdout_is_no_crash(here):
    read, written = os.pipe()
    command = [*CREWE, "image", "scan.npy", "-o", "-"]
    process = subprocess.Popen(command, stdout=written, stderr=subprocess.PIPE, env=ENVIRONMENT)
    os.close(read)
    os.close(written)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"Traceback" not in err


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def merlin_scan(scan=(6, 8)):
    frames = discs(scan, (256, 256))
    np.save("merlin.npy", frames)
    return frames


def test_replay_and_live(here, capsys):
    frames, port = merlin_scan(), free_port()
    url = f"merlin://127.0.0.1:{port}"
    player = threading.Thread(target=cli.run, args=(["replay", "merlin.npy", url],))
    player.start()
    assert cli.run(["live", url, "--timeout", "20", "-o", "x.npy", "--preview", "now.png"]) == 0
    player.join(30)
    np.testing.assert_allclose(np.load("x.npy"), want_ricom(frames), atol=1e-3)
    assert "now.png" in os.listdir(here)


def test_live_takes_files_too(here):
    assert cli.run(["live", "scan.npy", "-o", "x.npy"]) == 0
    np.testing.assert_allclose(np.load("x.npy"), want_ricom(discs()), atol=1e-4)


def test_a_port_in_use_is_said(here, capsys):
    merlin_scan()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert cli.run(["replay", "merlin.npy", f"merlin://127.0.0.1:{port}"]) == 1
    assert str(port) in capsys.readouterr().err


def heed_interrupts():
    """A shell's background job, such as a test run, ignores SIGINT and hands that on."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_live_run_saves_what_is_there(here, how):
    frames, port = merlin_scan(), free_port()
    url = f"merlin://127.0.0.1:{port}"
    replay = [*CREWE, "replay", "merlin.npy", url, "--rate", "2"]
    player = subprocess.Popen(replay, stderr=subprocess.PIPE, env=ENVIRONMENT)
    command = [*CREWE, "live", url, "-i", "bf", "--inner", "9", "-o", "x.npy", "--preview", "now.png"]
    live = subprocess.Popen(command, stderr=subprocess.PIPE, env=ENVIRONMENT, preexec_fn=heed_interrupts)
    try:
        deadline = time.monotonic() + 60
        while not (here / "now.png").exists():
            assert time.monotonic() < deadline
            assert live.poll() is None, live.communicate()[1].decode()
            time.sleep(0.05)
        live.send_signal(how)
        err = live.communicate(timeout=60)[1].decode()
    finally:
        player.kill()
        player.communicate()
        live.kill()
    assert live.returncode == 1
    assert "interrupted" in err
    assert "Traceback" not in err
    got, want = np.load("x.npy").ravel(), imaging.virtual_image(frames, outer=9.0).ravel()
    there = int(err.split(" of 48 positions")[0].split()[-1])
    assert 0 < there < 48
    np.testing.assert_array_equal(got[:there], want[:there])
    assert not got[there:].any()


@pytest.mark.parametrize("module", ["crewe.cli", "click", "numpy", "crewe.live"])
def test_an_interrupt_during_the_imports_is_no_fault(here, module):
    code = f"""
import sys
class Interrupt:
    def find_spec(name, *_):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt)
sys.argv = ["crewe", "image", "scan.npy"]
from crewe.__main__ import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (1, "", "crewe: interrupted")


def test_faults_of_crewe_are_said_to_be_so(monkeypatch, capsys, here):
    def broken(*_, **__):
        raise KeyError("oh")

    monkeypatch.setattr("crewe.io.open", broken)
    assert cli.run(["image", "scan.npy"]) == 1
    assert "fault of crewe" in capsys.readouterr().err
    monkeypatch.setenv("CREWE_DEBUG", "1")
    with pytest.raises(KeyError):
        cli.run(["image", "scan.npy"])


def test_an_output_that_cannot_be_written_keeps_no_other_from_it(here, capsys):
    (here / "x-ricom.png").mkdir()
    assert cli.run(["image", "scan.npy", "-o", "x-{image}.png", "-o", "x.npy"]) == 1
    assert "x-ricom.png" in capsys.readouterr().err
    assert (here / "x.npy").exists()


def test_outputs_are_planned_before_the_scan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    part = output.plan_output("a.hspy", ["ricom", "adf"])
    assert [(str(p.path), p.names) for p in part] == [("a.hspy", ["ricom", "adf"])]
    parts = output.plan_output("{image}-a.npy", ["ricom", "adf"])
    assert [str(p.path) for p in parts] == ["ricom-a.npy", "adf-a.npy"]
    monkeypatch.setattr(output.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Exception, match=r"crewe\[io\]"):
        output.plan_output("a.hspy", ["ricom"])


def test_sizes_and_pairs():
    assert options.SIZE.convert("256x128", None, None) == (256, 128)
    assert options.SIZE.convert("256×128", None, None) == (256, 128)
    assert options.CENTER.convert("auto", None, None) == "auto"
    assert options.CENTER.convert("127.5,-3", None, None) == (127.5, -3.0)
