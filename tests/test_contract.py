"""The walls of the house: who may import whom, what is light, what every public name and every kernel must have."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "python" / "crewe"

#: What a module may use beside itself, the core and the underscored helpers.
MAY_USE = {
    "imaging": {"optics", "models"},
    "sim": {"optics"},
    "live": {"imaging", "optics"},
    "restore": {"models"},
    "atoms": {"models"},
    "specimen": {"sim", "noise"},
}
FREE = {"__main__", "cli", "demo", "train"}  # may use anything; nothing may use them
HELPERS = {"errors", "__init__"}  # everybody may use them
HEAVY = {
    "torch",
    "onnxruntime",
    "matplotlib",
    "dask",
    "h5py",
    "zarr",
    "rsciio",
    "ase",
    "tifffile",
    "cv2",
    "scipy",
    "pandas",
}


def python_files(folder=PACKAGE):
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def room(path):
    """The module of the package that a file belongs to: `imaging` for imaging.py and for imaging/*.py."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def is_inside(block):
    """A function, or what only type checkers read."""
    if isinstance(block, ast.If):
        return isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
    return isinstance(block, ast.FunctionDef | ast.AsyncFunctionDef)


def imported(tree):
    """(module, top level?) of every import in a file."""
    inside = {id(node) for block in ast.walk(tree) if is_inside(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "absolute imports only"
            yield from ((f"{node.module}.{alias.name}", id(node) not in inside) for alias in node.names)


def rooms_used(path):
    for name, _ in imported(ast.parse(path.read_text(encoding="utf-8"))):
        parts = name.split(".")
        if parts[0] == "crewe" and len(parts) > 1:
            yield parts[1]


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_rooms_use_only_whom_they_may(path):
    here = room(path)
    if here in FREE or here in HELPERS:
        return
    modules = {room(file) for file in python_files()} - HELPERS
    for other in set(rooms_used(path)) & modules:
        if other.startswith("_") or other == here:
            continue
        assert other not in FREE, f"{path.name} uses {other}: nothing may"
        assert not here.startswith("_"), f"{path.name}: a helper uses no module ({other})"
        assert other in MAY_USE.get(here, ()), f"{path.name}: {here} may not use {other}"


#: Made of torch from top to bottom: whoever imports them does so inside a function.
OF_TORCH = {
    PACKAGE / "train" / f
    for f in (
        *("networks.py", "losses.py", "atoms/network.py"),
        *("airpi/network.py", "airpi/first_step.py", "airpi/losses.py"),
    )
}


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_packages_are_imported_where_they_are_needed(path):
    for name, top in imported(ast.parse(path.read_text(encoding="utf-8"))):
        package = name.split(".")[0]
        allowed = package == "torch" and path in OF_TORCH
        assert allowed or not (top and package in HEAVY), f"{path.name}: {name} at the top level"


def test_import_is_light():
    """`import crewe` brings NumPy and the core, its modules nothing more."""
    modules = {f"crewe.{room(path)}" for path in python_files() if room(path) not in FREE | {"__init__"}}
    code = f"import sys, {', '.join(sorted(modules))}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & (HEAVY | {"click", "rich"}), (
        f"import crewe brings {sorted(loaded & (HEAVY | {'click', 'rich'}))}"
    )


def test_library_never_prints_or_exits():
    for path in python_files():
        if room(path) in FREE:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("print", "exit", "quit"), f"{path.name}:{node.lineno}: {node.func.id}()"
    for path in sorted((ROOT / "cpp").rglob("*.[ch]pp")):
        text = path.read_text(encoding="utf-8")
        found = re.findall(
            r"\bstd::(?:cout|cerr|clog|printf|exit|abort|terminate)\b|\bf?printf\s*\(|\bputs\s*\(|(?<!\w)exit\s*\(",
            text,
        )
        assert not found, f"{path.relative_to(ROOT)}: {found[0]}"


LEVELS = sorted(ROOT.glob("build/**/crewe_simd_v[34].dir/**/*.o"))


@pytest.mark.skipif(
    shutil.which("nm") is None or not LEVELS, reason="nm and a build tree wanted, with levels v3 and v4"
)
def test_vector_code_stays_in_its_namespace():
    """A weak symbol of a v3 or v4 object may be what the linker picks for the base path: illegal there."""
    for path in LEVELS:
        level = next(part for part in path.parts if part.startswith("crewe_simd_"))[len("crewe_simd_") : -len(".dir")]
        symbols = subprocess.run(
            ["nm", "-C", "--defined-only", "--extern-only", path], capture_output=True, text=True, check=True
        )
        for line in symbols.stdout.splitlines():
            name = line.split(maxsplit=2)[2]
            assert f"::{level}::" in name or name.startswith("DW.ref."), (
                f"{path.name}: {name} is seen outside of {level}"
            )


def tracked():
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    names = (
        done.stdout.split("\0")[:-1]
        if done.returncode == 0
        else [str(p.relative_to(ROOT)) for p in python_files(ROOT / "python")]
    )
    return [ROOT / name for name in names if (ROOT / name).is_file()]


#: Top folders that programs may name: kernel interfaces, and paths of web servers, the detectors' and our own.
KNOWN_FOLDERS = {"dev", "proc", "sys", "usr", "server", "detector", "measurement", "config", "image"}


def test_no_paths_of_one_machine():
    for path in tracked():
        if path.suffix not in {".py", ".cpp", ".hpp", ".h", ".c", ".md", ".toml", ".txt", ".cmake", ".json", ".pyi"}:
            continue
        for folder in re.findall(r"[\"'`( =](?:/([A-Za-z]+)/[A-Za-z])", path.read_text(encoding="utf-8")):
            assert folder in KNOWN_FOLDERS, f"{path.relative_to(ROOT)} names a folder /{folder}/"


def test_files_are_short():
    for path in tracked():
        most = {".py": 500, ".cpp": 700, ".hpp": 700, ".h": 700, ".cu": 700}.get(path.suffix)
        if most is not None:
            lines = len(path.read_text(encoding="utf-8").splitlines())
            assert lines <= most, f"{path.relative_to(ROOT)}: {lines} lines, at most {most} are read in one go"
