"""Runs every script of this folder and writes their figures into one JSON file, and as a picture.

python -m benchmarks.peers [--quick] [--output FILE.json] [--figure FILE.png] [--table] [TOPIC ...]

from the repository's root, with crewe installed. What isn't installed beside it is left out and named. --quick takes a
few minutes and shows that all runs; its figures are rough.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.peers.chart import draw, table

HERE = Path(__file__).parent
TOPICS = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in ("__init__", "__main__", "chart"))


def run(topic: str, quick: bool) -> dict[str, Any]:
    """The report of a script; why there is none, as `left out` or `error`."""
    command = [sys.executable, "-m", f"benchmarks.peers.{topic}", *(["--quick"] if quick else [])]
    done = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, check=False)
    try:
        if done.returncode == 0:
            found: dict[str, Any] = json.loads(done.stdout)
            return found
    except ValueError:
        pass
    last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}, no JSON on stdout"]
    return {"left out" if last[0].startswith("ModuleNotFoundError") else "error": last[0]}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"default: all ({', '.join(TOPICS)})")
    parser.add_argument("--quick", action="store_true", help="one or two rounds of less data")
    parser.add_argument("--output", type=Path, help="where to write the JSON; default: stdout")
    parser.add_argument("--read", type=Path, help="measure nothing: figures of such a file")
    parser.add_argument("--figure", type=Path, help="draw them: .png; wants matplotlib")
    parser.add_argument("--table", action="store_true", help="a table in Markdown on stdout instead of the JSON")
    options = parser.parse_args()
    if unknown := set(options.topics) - set(TOPICS):
        parser.error(f"no such topic: {', '.join(sorted(unknown))}; there are {', '.join(TOPICS)}")
    reports: dict[str, Any] = {}
    if options.read:
        reports = json.loads(options.read.read_text(encoding="utf-8"))
    else:
        for topic in options.topics or TOPICS:
            begin = time.monotonic()
            print(f"{topic} ...", end=" ", file=sys.stderr, flush=True)
            reports[topic] = run(topic, options.quick)
            why = reports[topic].get("left out") or reports[topic].get("error")
            print(why or f"{time.monotonic() - begin:.0f} s", file=sys.stderr)
    text = json.dumps(reports, indent=1, ensure_ascii=False)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    if options.figure:
        draw(reports, options.figure)
    if options.table:
        print(table(reports))
    elif not options.output and not options.figure:
        print(text)
    return 1 if any("error" in report for report in reports.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
