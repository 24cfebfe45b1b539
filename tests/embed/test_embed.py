"""Acquisition programs in C, C++ and Python push from their own buffers; the compiled ones use an *installed* crewe."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from crewe import imaging
from crewe.optics import Aberrations

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCAN, DETECTOR = (13, 17), (24, 20)


def command(*words, **options):
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=900, **options)
    assert done.returncode == 0, f"{' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The folder with acquire_c and acquire_cpp, linked to the shared library of a prefix of its own."""
    if shutil.which("cmake") is None or all(shutil.which(name) is None for name in ("c++", "g++", "clang++")):
        pytest.skip("cmake and a C++ compiler wanted")
    folder = tmp_path_factory.mktemp("embed")
    prefix, build, programs = folder / "prefix", folder / "build", folder / "programs"
    options = ["-DBUILD_SHARED_LIBS=ON", "-DCREWE_PYTHON=OFF", f"-DCMAKE_INSTALL_PREFIX={prefix}"]
    if shutil.which("ninja"):
        options += ["-G", "Ninja"]
    if shutil.which("ccache"):
        options += ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"]
    command("cmake", "-S", ROOT, "-B", build, *options)
    command("cmake", "--build", build, "--parallel", os.cpu_count() or 1)
    command("cmake", "--install", build)
    command("cmake", "-S", HERE, "-B", programs, f"-DCMAKE_PREFIX_PATH={prefix}")
    command("cmake", "--build", programs)
    return programs


def acquire(tmp_path, *program):
    """Run it on made frames; its images are the batch's: to the bit, the phase to rounding."""
    rng = np.random.default_rng(0)
    y, x = np.ogrid[: DETECTOR[0], : DETECTOR[1]]
    cy, cx = (rng.normal((k - 1) / 2, 2, (*SCAN, 1, 1)) for k in DETECTOR)
    frames = rng.poisson(9.0 * ((y - cy) ** 2 + (x - cx) ** 2 < 36) + 0.1).astype(np.uint16)
    frames.tofile(tmp_path / "camera.raw")
    command(*program, tmp_path / "camera.raw", *SCAN, *DETECTOR, tmp_path / "out.raw")
    out = np.fromfile(tmp_path / "out.raw", np.float32)
    n = SCAN[0] * SCAN[1]
    com = imaging.com(frames)
    assert np.array_equal(out[:n].reshape(SCAN), imaging.ricom(com, kernel=9))
    assert np.array_equal(out[n : 2 * n].reshape(SCAN), imaging.virtual_image(frames, inner=3.0, outer=8.0))
    assert np.array_equal(out[2 * n : 4 * n].reshape(*SCAN, 2), com)
    lens = Aberrations(C10=50.0, C12=20.0, phi12=0.3)
    wave = imaging.ssb(frames, energy=200e3, semiangle=15.0, step=0.5, angle_per_pixel=2.5, aberrations=lens)
    np.testing.assert_allclose(np.exp(1j * out[4 * n :].reshape(SCAN)), wave, atol=1e-5)


@pytest.mark.parametrize("name", ["acquire_c", "acquire_cpp"])
def test_compiled_program(programs, tmp_path, name):
    acquire(tmp_path, programs / name)


def test_the_program_of_the_readme(programs):
    done = subprocess.run([programs / "readme_c"], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("1024 positions, first pixel ")


def test_python_program(tmp_path):
    acquire(tmp_path, sys.executable, HERE / "python" / "acquire.py")
