"""Acquisition programs in C, C++ and Python push from their own buffers; the compiled ones use an *installed* crewe."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import crewe
from crewe import imaging
from crewe.optics import Aberrations

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
VERSION = crewe.__version__
SCAN, DETECTOR = (13, 17), (24, 20)


def command(*words, **options):
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=900, **options)
    assert done.returncode == 0, f"{' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Library:
    """The shared library, built from a copy of the sources, and programs that were linked to it."""

    def __init__(self, folder):
        self.source, self.build, self.programs = folder / "source", folder / "build", folder / "programs"
        shutil.copytree(ROOT / "cpp", self.source / "cpp", ignore=shutil.ignore_patterns("bindings"))
        shutil.copy(ROOT / "CMakeLists.txt", self.source)
        options = ["-DBUILD_SHARED_LIBS=ON", "-DCREWE_PYTHON=OFF"]
        if shutil.which("ninja"):
            options += ["-G", "Ninja"]
        if shutil.which("ccache"):
            options += ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"]
        command("cmake", "-S", self.source, "-B", self.build, *options)
        self.prefix = self.install(folder / "prefix")
        command("cmake", "-S", HERE, "-B", self.programs, f"-DCMAKE_PREFIX_PATH={self.prefix}")
        command("cmake", "--build", self.programs)

    def install(self, prefix):
        # Paths below the folder are hashed as relative ones: another run finds what this one compiled.
        environment = {**os.environ, "CCACHE_BASEDIR": str(self.build.parent), "CCACHE_NOHASHDIR": "1"}
        command("cmake", "--build", self.build, "--parallel", os.cpu_count() or 1, env=environment)
        command("cmake", "--install", self.build, "--prefix", prefix)
        return prefix


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    if shutil.which("cmake") is None or all(shutil.which(name) is None for name in ("c++", "g++", "clang++")):
        pytest.skip("cmake and a C++ compiler wanted")
    return Library(tmp_path_factory.mktemp("embed"))


@pytest.fixture(scope="module")
def programs(library):
    return library.programs


@pytest.fixture(scope="module")
def upgraded(library):
    """The environment in which programs find the next minor version, whose structs have a field more."""
    header, project = library.source / "cpp" / "include" / "crewe" / "crewe.h", library.source / "CMakeLists.txt"
    text, grown = re.subn(
        r"^} (crewe_\w+);\n\n#define \w+_INIT", r"  int64_t later;\n\g<0>", header.read_text(), flags=re.M
    )
    assert grown == 3
    header.write_text(text)
    project.write_text(project.read_text().replace(f"project(crewe VERSION {VERSION}", "project(crewe VERSION 0.999.0"))
    prefix = library.install(library.build.parent / "upgraded")
    (found,) = prefix.glob("lib*/libcrewe.so")
    return {**os.environ, "LD_LIBRARY_PATH": str(found.parent)}


def acquire(tmp_path, *program, env=None):
    """Run it on made frames; its images are the batch's: to the bit, the phase to rounding. What it prints."""
    rng = np.random.default_rng(0)
    y, x = np.ogrid[: DETECTOR[0], : DETECTOR[1]]
    cy, cx = (rng.normal((k - 1) / 2, 2, (*SCAN, 1, 1)) for k in DETECTOR)
    frames = rng.poisson(9.0 * ((y - cy) ** 2 + (x - cx) ** 2 < 36) + 0.1).astype(np.uint16)
    frames.tofile(tmp_path / "camera.raw")
    printed = command(*program, tmp_path / "camera.raw", *SCAN, *DETECTOR, tmp_path / "out.raw", env=env)
    out = np.fromfile(tmp_path / "out.raw", np.float32)
    n = SCAN[0] * SCAN[1]
    com = imaging.com(frames)
    assert np.array_equal(out[:n].reshape(SCAN), imaging.ricom(com, kernel=9))
    assert np.array_equal(out[n : 2 * n].reshape(SCAN), imaging.virtual_image(frames, inner=3.0, outer=8.0))
    assert np.array_equal(out[2 * n : 4 * n].reshape(*SCAN, 2), com)
    lens = Aberrations(C10=50.0, C12=20.0, phi12=0.3)
    wave = imaging.ssb(frames, energy=200e3, semiangle=15.0, step=0.5, angle_per_pixel=2.5, aberrations=lens)
    np.testing.assert_allclose(np.exp(1j * out[4 * n :].reshape(SCAN)), wave, atol=1e-5)
    return printed


@pytest.mark.parametrize("name", ["acquire_c", "acquire_cpp"])
def test_compiled_program(programs, tmp_path, name):
    acquire(tmp_path, programs / name)


@pytest.mark.parametrize("name", ["doors_cpp", "sizes_c", "strides_cpp"])
def test_what_a_program_may_bring(programs, name):
    command(programs / name)


def test_a_camera_that_is_lost(programs):
    command(programs / "lost_cpp")


def test_the_program_of_the_readme(programs):
    assert command(programs / "readme_c").startswith("1024 positions, first pixel ")


def test_the_program_of_the_docs(library, tmp_path):
    (program,) = re.findall(r"```c\+\+\n(#include \S+)\n(.*?)```", (ROOT / "docs" / "live.md").read_text(), flags=re.S)
    given = "std::vector<std::uint16_t>& buffer, std::size_t first, void (*give_back)(void*)"
    include, lines = program
    tmp_path.joinpath("program.cpp").write_text(f"{include}\nvoid acquire({given}) {{\n{lines}\n}}\n")
    compiler = next(filter(shutil.which, ("c++", "g++", "clang++")))
    command(compiler, "-std=c++20", "-fsyntax-only", "-I", library.prefix / "include", tmp_path / "program.cpp")


def project(folder, languages, found):
    """A project of its own, with the program of the README."""
    folder.joinpath("CMakeLists.txt").write_text(
        f"""
        cmake_minimum_required(VERSION 3.24)
        project(mine LANGUAGES {languages})
        {found}
        add_executable(mine "{HERE / "c" / "readme.c"}")
        target_link_libraries(mine PRIVATE crewe::crewe)
        """
    )
    return folder, "-B", folder / "build"


def test_a_project_in_c_alone(library, tmp_path):
    place = project(tmp_path, "C", "find_package(crewe 0.1 REQUIRED)")
    command("cmake", "-S", *place, f"-DCMAKE_PREFIX_PATH={library.prefix}")
    command("cmake", "--build", tmp_path / "build")
    assert command(tmp_path / "build" / "mine").startswith("1024 positions")


def test_a_project_that_crewe_is_part_of_keeps_its_build_type(library, tmp_path):
    place = project(tmp_path, "C CXX", f'add_subdirectory("{library.source}" crewe)')
    command("cmake", "-S", *place, "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
    commands = json.loads((tmp_path / "build" / "compile_commands.json").read_text())
    optimised = {Path(file["file"]).name: "-O3" in file["command"] for file in commands}
    assert not optimised.pop("readme.c")
    assert optimised
    assert all(optimised.values())


def test_a_c_program_runs_with_a_later_library(programs, upgraded, tmp_path):
    assert acquire(tmp_path, programs / "acquire_c") == f"crewe {VERSION}\n"
    assert acquire(tmp_path, programs / "acquire_c", env=upgraded) == "crewe 0.999.0\n"


def test_a_cpp_program_is_refused_by_the_loader(programs, upgraded):
    done = subprocess.run([programs / "strides_cpp"], capture_output=True, text=True, env=upgraded, timeout=60)
    assert done.returncode != 0
    assert re.search(r"version .CREWE_CXX_\d+\.\d+. not found", done.stderr), done.stderr


def test_python_program(tmp_path):
    acquire(tmp_path, sys.executable, HERE / "python" / "acquire.py")
