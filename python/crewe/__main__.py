"""`crewe` and `python -m crewe` begin here, before all imports that take time: Ctrl-C in them is no fault either."""

import sys
from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line of this process and exit."""
    try:
        from crewe import cli
    except KeyboardInterrupt:
        sys.stderr.write("crewe: interrupted\n")
        sys.exit(1)
    cli.main()


if __name__ == "__main__":
    main()
