"""Builds these pages: python docs/build.py [--draw]. Wants crewe[docs]; a link or picture that leads nowhere fails.

--draw draws every picture anew first, but for the chart of speeds; it wants crewe[all] and a quarter of an hour.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PICTURES = HERE / "pictures"
STUDIES = (
    "benchmarks.studies.hrtem_metrics --output {folder}",
    "benchmarks.studies.phase {folder} --only dose transfer",
    "crewe demo --output {folder}",
)
#: What these draw, and where the pages have it.
DRAWN = {
    "doses.png": "pictures/metrics-doses.png",
    "changes-0.png": "pictures/metrics-changes.png",
    "sizes.png": "pictures/metrics-sizes.png",
    "phase-dose.png": "pictures/phase-methods.png",
    "phase-transfer.png": "pictures/phase-transfer.png",
    "overview.png": "demo.png",
}


def draw() -> None:
    """Run all that draws, in processes of their own."""
    for script in sorted(HERE.glob("pictures_*.py")):
        subprocess.run([sys.executable, str(script), str(PICTURES)], check=True)
    with tempfile.TemporaryDirectory() as folder:
        for study in STUDIES:
            command = [sys.executable, "-m", *(word.format(folder=folder) for word in study.split())]
            subprocess.run(command, check=True, cwd=HERE.parent)
        for drawn, picture in DRAWN.items():
            shutil.copy(Path(folder, drawn), HERE / picture)


if __name__ == "__main__":
    if "--draw" in sys.argv[1:]:
        draw()
    sys.exit(subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict"], cwd=HERE.parent).returncode)
