"""A progress bar with rate and time left, on stderr, for what takes longer than two seconds."""

import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["Bar"]

PATIENCE = 2.0  # s before a bar is worth looking at


class Bar:
    """Shows itself only on a terminal (or in a notebook), and only once two seconds have passed.

    Used as a context manager::

        with Bar("reading", total=len(source), unit="frames") as bar:
            for first, frames in source:
                bar.add(len(frames))

    Parameters
    ----------
    title : str
        What is going on.
    total : int, optional
        Where `add` and `set` will end; None: unknown, only the rate is shown.
    unit : str
        What is counted, in the plural.
    show : bool
        False: never.
    """

    def __init__(self, title: str, *, total: int | None, unit: str, show: bool = True) -> None:
        self.title, self.total, self.unit, self.show = title, total, unit, show
        self.done = 0
        self._begin = time.monotonic()
        self._shown: Progress | None = None

    def add(self, count: int) -> None:
        """`count` more are done."""
        self.set(self.done + count)

    def set(self, done: int) -> None:
        """So many are done."""
        self.done = done
        if self._shown is None and self.show and time.monotonic() - self._begin > PATIENCE:
            self._start()
        if self._shown is not None:
            self._shown.update(self._shown.task_ids[0], completed=done, rate=self.rate())

    def restart(self) -> None:
        """What was waited for is there: the clock starts now."""
        self._begin = time.monotonic()

    def rate(self) -> str:
        """Done per second since the beginning, in words."""
        rate = self.done / max(time.monotonic() - self._begin, 1e-9)
        for size, prefix in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
            if rate >= size:
                return f"{rate / (1e3 if prefix == 'k' else size):.3g} {prefix} {self.unit}/s"
        return f"{rate:.0f} {self.unit}/s"

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        if not (console.is_terminal or console.is_jupyter):
            self.show = False
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        self._shown = Progress(*columns, console=console)
        self._shown.add_task(self.title, total=self.total, completed=self.done, rate=self.rate())
        self._shown.start()

    def __enter__(self) -> "Bar":
        self._begin = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown is not None:
            self._shown.stop()
