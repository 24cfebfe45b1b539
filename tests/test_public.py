"""What every public name must have: words, types, an example that runs; the core's stub names what is there."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import crewe

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "python" / "crewe"
PUBLIC = [*crewe._MODULES, "plot"]


def names_of(stub):
    """Public names that a stub declares, those of classes as `Class.name`; `_Base` lends its own to who derives."""
    inside = {}
    for node in stub.body:
        if isinstance(node, ast.ClassDef):
            own = {one.name for one in node.body if isinstance(one, ast.FunctionDef) and not one.name.startswith("_")}
            inside[node.name] = own.union(*(inside[base.id] for base in node.bases if isinstance(base, ast.Name)))
            names = {node.name} | {f"{node.name}.{name}" for name in inside[node.name]}
        elif isinstance(node, ast.FunctionDef):
            names = {node.name}
        elif isinstance(node, ast.AnnAssign):
            names = {node.target.id}
        else:
            continue
        yield from (name for name in names if not name.startswith("_"))


def test_the_stub_names_what_the_core_has():
    from crewe import _core

    there = set()
    for name, value in vars(_core).items():
        if not name.startswith("_"):
            there.add(name)
            if isinstance(value, type):
                there |= {f"{name}.{inner}" for inner in vars(value) if not inner.startswith("_")}
    stub = set(names_of(ast.parse((PACKAGE / "_core.pyi").read_text(encoding="utf-8"))))
    assert stub - there == set(), "in _core.pyi, not in the core"
    assert there - stub == set(), "in the core, not in _core.pyi"


def public_names():
    """(module, name) of everything in `__all__` of the modules that users see."""
    for module in PUBLIC:
        names = importlib.import_module(f"crewe.{module}").__all__
        yield from (pytest.param(module, name, id=f"{module}.{name}") for name in names)


@pytest.mark.parametrize(("module", "name"), list(public_names()))
def test_public_names_are_explained(module, name):
    """A docstring with an example; of functions also what they take, give and refuse, and their types."""
    value = getattr(importlib.import_module(f"crewe.{module}"), name)
    if not inspect.isfunction(value) and not inspect.isclass(value):
        return
    text = inspect.getdoc(value) or ""
    assert text, "no docstring"
    tests = doctest.DocTestFinder(recurse=False).find(value, name, globs={})
    assert any(test.examples for test in tests), "no example"
    if inspect.isclass(value):
        methods = [part for part in vars(value).values() if inspect.isfunction(part) or isinstance(part, property)]
        names = [part.fget.__name__ if isinstance(part, property) else part.__name__ for part in methods]
        bare = [n for n, part in zip(names, methods, strict=True) if not n.startswith("_") and not inspect.getdoc(part)]
        assert not bare, f"no docstring: {', '.join(bare)}"
        return
    signature = inspect.signature(value)
    assert all(p.annotation is not p.empty for p in signature.parameters.values()), "a parameter without a type"
    assert signature.return_annotation is not inspect.Signature.empty, "no return type"
    if signature.parameters:
        assert "Parameters\n------" in text, "no Parameters"
        assert "Raises\n------" in text, "no Raises"
        assert signature.return_annotation is None or re.search(r"(Returns|Yields)\n---", text), "no Returns"


#: Arguments that stand in many functions, in the order in which they come.
ORDER = (
    *("energy", "semiangle", "step", "angle_per_pixel", "rotation", "transpose", "center", "aberrations"),
    *("soft", "tilt", "planes", "threads", "device", "memory", "precision", "client", "progress"),
)


@pytest.mark.parametrize(("module", "name"), list(public_names()))
def test_arguments_come_in_one_order(module, name):
    value = getattr(importlib.import_module(f"crewe.{module}"), name)
    if not callable(value) or name == "Session":  # whose order is that of its centre, for whom turns detectors
        return
    given = [name for name in inspect.signature(value).parameters if name in ORDER]
    assert given == sorted(given, key=ORDER.index)


@pytest.mark.parametrize("module", PUBLIC)
def test_examples_run(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [m.name for m in pkgutil.walk_packages([str(PACKAGE)], "crewe.")]
    for name in names:
        if name == f"crewe.{module}" or name.startswith(f"crewe.{module}."):
            loaded = importlib.import_module(name)
            result = doctest.testmod(loaded, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
            assert result.failed == 0, f"{name}: {result.failed} of {result.attempted} examples fail (see above)"


def kernels():
    """Modules of the C++ library that users see."""
    folders = sorted((ROOT / "cpp" / "include" / "crewe").iterdir())
    return [folder.name for folder in folders if folder.is_dir() and folder.name in PUBLIC]


@pytest.mark.parametrize("module", kernels())
def test_kernels_have_a_reference_tests_and_a_benchmark(module):
    assert list((ROOT / "tests" / "reference").glob("*.py"))
    assert (ROOT / "tests" / module).is_dir(), f"tests/{module}/ is missing"
    assert (ROOT / "benchmarks" / "benchmarks" / f"bench_{module}.py").exists(), f"bench_{module}.py is missing"
