"""The stub of the extension names what is there."""

import ast
from pathlib import Path

from crewe import _device
from test_public import names_of

STUB = Path(_device.__file__).with_name("_cuda.pyi")


def test_the_stub_names_what_the_extension_has(gpu):
    there = set()
    for name, value in vars(_device.extension()).items():
        if not name.startswith("_"):
            there.add(name)
            if isinstance(value, type):
                there |= {f"{name}.{inner}" for inner in vars(value) if not inner.startswith("_")}
    stub = set(names_of(ast.parse(STUB.read_text(encoding="utf-8"))))
    assert stub - there == set(), "in _cuda.pyi, not in the extension"
    assert there - stub == set(), "in the extension, not in _cuda.pyi"
