"""Runs every script of this folder and writes their figures into one JSON file.

python -m benchmarks.peers [--output FILE] [TOPIC ...]     from the repository's root, with crewe installed
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path


def main() -> int:
    here = Path(__file__).parent
    topics = sorted(path.stem for path in here.glob("*.py") if not path.stem.startswith("_"))
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"default: all ({', '.join(topics)})")
    parser.add_argument("--output", type=Path, help="where to write; default: stdout")
    options = parser.parse_args()
    if unknown := set(options.topics) - set(topics):
        parser.error(f"no such topic: {', '.join(sorted(unknown))}; there are {', '.join(topics)}")
    figures, failed = {}, False
    for topic in options.topics or topics:
        print(f"{topic} ...", file=sys.stderr, flush=True)
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.peers.{topic}"],
            cwd=here.parents[1],
            stdout=subprocess.PIPE,
            check=False,
        )
        try:
            figures[topic] = json.loads(done.stdout)
        except ValueError:
            figures[topic] = {"error": f"exit code {done.returncode}, no JSON on stdout"}
        failed |= done.returncode != 0
    text = json.dumps(figures, indent=1, ensure_ascii=False)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    else:
        print(text)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
