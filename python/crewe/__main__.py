"""`python -m crewe`: the same as the command `crewe`."""

from crewe.cli import main

main()
