"""Tests the CUDA kernels on this machine's GPU, checks their memory accesses, and measures them beside its limits.

python -m benchmarks.cuda [--output FILE] [--no-tests] [MODULE ...]   from the repository's root, crewe[test] installed

Ends within ten minutes. What it prints as a table is in the JSON file as well.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.benchmarks.common import machine
from benchmarks.cuda.measure import MODULES, line, measured
from crewe import cuda

ROOT = Path(__file__).parents[2]


def checked(command: list[str], seconds: float) -> dict[str, Any]:
    """How a command ended, and its last words."""
    print("$", *command, flush=True)
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return {"command": command, "code": None, "words": f"not done after {seconds:.0f} s"}
    words = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
    print(words, flush=True)
    return {"command": command, "code": done.returncode, "words": words}


def checks() -> dict[str, Any]:
    """The tests that run on a GPU, and those of tests/cuda under compute-sanitizer."""
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    found = {"tests": checked([*pytest, "-k", "cuda", "tests"], 200)}
    if shutil.which("compute-sanitizer"):
        sanitizer = ["compute-sanitizer", "--error-exitcode", "99", "--target-processes", "all"]
        found["memory"] = checked(
            [*sanitizer, *pytest, "tests/cuda", "--deselect", "tests/cuda/test_benchmarks.py"], 100
        )
    else:
        found["memory"] = {"code": None, "words": "compute-sanitizer is not installed"}
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cuda", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"default: all ({', '.join(MODULES)})")
    parser.add_argument("--output", type=Path, default=Path("cuda.json"), help="where to write (default: cuda.json)")
    parser.add_argument("--no-tests", action="store_true", help="measure only")
    options = parser.parse_args()
    if unknown := set(options.modules) - set(MODULES):
        parser.error(f"no such module: {', '.join(sorted(unknown))}; there are {', '.join(MODULES)}")
    if not cuda.available():
        print(f"no GPU to measure: {cuda.why_not()}", file=sys.stderr)
        return 1
    gpu = cuda.devices()[0]
    figures: dict[str, Any] = {
        "machine": machine(),
        "gpu": {"name": gpu.name, "memory": gpu.memory, "capability": gpu.capability},
        "checks": {} if options.no_tests else checks(),
        "rows": [],
    }
    print(gpu.name)
    for row in measured(options.modules or MODULES, 240):
        figures["rows"].append(row)
        print(line(row), flush=True)
    options.output.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"→ {options.output}")
    failed = [name for name, check in figures["checks"].items() if check["code"] not in (0, None)]
    failed += [row["name"] for row in figures["rows"] if row.get("error")]
    if failed:
        print("failed:", *failed, sep="\n  ", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
