"""What was made of what: a line of JSON in a folder's .crewe.jsonl for each file whose outputs a command named itself.

By it a command that is started again goes on with what is missing, and refuses to overwrite what was made of another
file. Lines are only ever added, and the last one on an output holds: commands may share a folder, and a power cut costs
a line at most.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

import crewe

__all__ = ["Record"]


class Record:
    """The record of `folder`, as it was when asked for and as `add` continues it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / ".crewe.jsonl"
        self._entries: dict[str, dict[str, Any]] = {}
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                self._entries |= dict.fromkeys(entry["made"], entry)
            except (ValueError, KeyError, TypeError):  # cut off
                continue

    def refuse_others(self, outputs: Sequence[Path], file: Path) -> None:
        """Outputs here that were made of another file than `file` aren't overwritten."""
        for output in outputs:
            of = self._entries[output.name]["of"] if self.holds(output) else None
            if of is not None and of != self._from_here(file) and output.exists():
                other = os.path.normpath(self._folder / of)
                raise click.UsageError(f"{output} was made of {other}, not of {file}: name another folder by --output.")

    def entry(self, file: Path, options: Mapping[str, Any]) -> dict[str, Any]:
        """What makes the outputs of `file` what they are; OSError where it can't be looked at."""
        state = file.stat()
        entry = {"of": self._from_here(file), "size": state.st_size, "changed": state.st_mtime_ns}
        return {**entry, "crewe": crewe.__version__, **options}

    def holds(self, output: Path) -> bool:
        """Whether something is known of `output`."""
        return output.name in self._entries

    def is_done(self, output: Path, entry: Mapping[str, Any]) -> bool:
        """Whether `output`, and what was made with it, is there as `entry` says."""
        found = self._entries.get(output.name, {"made": []})
        return {**entry, "made": found["made"]} == found and all(
            self._entries[name] is found and (self._folder / name).exists() for name in found["made"]
        )

    def add(self, outputs: Sequence[Path], entry: Mapping[str, Any]) -> None:
        """`outputs` are made: on the disk first, then here."""
        for output in outputs:
            with output.open("rb") as file:
                os.fsync(file.fileno())
        line = {"made": [output.name for output in outputs], **entry}
        if all(self._entries.get(output.name) == line for output in outputs):
            return
        with self._path.open("a", encoding="utf-8") as record:
            # an empty line first: what a power cut left stays a line of its own
            record.write(f"\n{json.dumps(line, ensure_ascii=False)}\n")
        self._entries |= dict.fromkeys(line["made"], line)

    def _from_here(self, file: Path) -> str:
        """Where `file` lies as seen from the folder: both may be moved together."""
        return os.path.relpath(file.resolve(), self._folder.resolve())
