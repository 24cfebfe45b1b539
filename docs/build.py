"""Builds these pages: python docs/build.py [--draw]. Wants crewe[docs]; a link or picture that leads nowhere fails.

--draw draws every picture anew first, which wants crewe[all,metrics] and some minutes.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PICTURES = HERE / "pictures"


def draw() -> None:
    """Run every script that draws, in processes of their own."""
    for script in sorted(HERE.glob("pictures_*.py")):
        subprocess.run([sys.executable, str(script), str(PICTURES)], check=True)
    with tempfile.TemporaryDirectory() as folder:
        study = [sys.executable, "-m", "benchmarks.studies.hrtem_metrics", "--output", folder]
        subprocess.run(study, check=True, cwd=HERE.parent)
        for name, picture in {"doses": "doses", "changes": "changes-0", "sizes": "sizes"}.items():
            shutil.copy(Path(folder, f"{picture}.png"), PICTURES / f"metrics-{name}.png")
        subprocess.run([sys.executable, "-m", "crewe", "demo", "--output", folder], check=True)
        shutil.copy(Path(folder, "overview.png"), HERE / "demo.png")


if __name__ == "__main__":
    if "--draw" in sys.argv[1:]:
        draw()
    sys.exit(subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict"], cwd=HERE.parent).returncode)
