"""A session: push frames or events, read images that fill while the scan runs."""

import contextlib
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe import _core
from crewe._array import as_frames, as_int, as_positive
from crewe.live._follow import Followers
from crewe.live._options import changes_of, core_options
from crewe.live.kinds import AIRPI, Kind

__all__ = ["Session"]

_UNSET: Any = object()


class Session:
    """Images of one scan after the other, ready while the scan runs.

    One thread pushes; any thread may read the images, which lie in memory that never moves. Frames pushed in order give
    the bits of the functions of `crewe.imaging`, however they are cut into blocks and for any number of threads.

    Parameters
    ----------
    scan : (int, int)
        Probe positions (y, x).
    detector : (int, int)
        Detector pixels (ky, kx).
    images : dict of str to Kind
        What to make, by name: `RiCOM`, `VirtualDetector`, `CenterOfMass`, `ICOM`, `ElectricField`, `Sum`,
        `SSB`, `AIRPI`.
    center : "auto" or (float, float)
        Centre of the undiffracted pattern (y, x) [detector pixels], at the middle of the scan. ``"auto"``: the mean
        centre of mass, refined as the scan proceeds; the mean of the finished centre-of-mass map is 0.
    rotation : float
        Of the scan against the detector [rad], as in `crewe.imaging.rotate`.
    transpose : bool
        Exchange y and x of the centre of mass first.
    threads : int
        0: one per core.
    device : "cpu", "cuda" or "cuda:1"
        A GPU: frames are copied there and summed, patterns for `SSB` as well; the images that are made of the sums are
        made on the CPU, so that an error of the GPU leaves them as they are. Frames that lie in page-locked memory are
        copied from there. The networks of `AIRPI` images run there too; with them, ``"cuda"`` is also taken where crewe
        was built without CUDA, and frames are summed on the CPU.
    on_full : "block" or "busy"
        What a push of a borrowed block does when the queue is full, and any push when too many lines wait for the
        network of an `AIRPI` image: wait, or raise `crewe.BusyError`.
    keep_profile : bool
        Keep at most 64 ring sums per position, so that `configure` can change radii for what is already scanned.
    descan : None, "fit" or array_like (2, 2)
        How the centre wanders with the probe: ``center + descan @ (row - (sy-1)/2, col - (sx-1)/2)`` [detector pixels
        per position]. ``"fit"``: least squares on the centre-of-mass map, refined as the scan proceeds.
    dead_pixels : array_like of bool (ky, kx), optional
        True: the pixel is left out of everything (dead or hot).
    dark, gain : array_like (ky, kx), optional
        A pattern counts as ``(raw - dark) * gain``. Single electrons have no dark signal.
    com_mask : array_like (ky, kx), optional
        Weights for the centre of mass.
    com_radii : (float, float or None), optional
        Ring (inner, outer) for the centre of mass [detector pixels], where the virtual detectors lie: annular COM.
    order : "raster", "serpentine" or array_like of int
        Positions of the frames: row by row; every second row backwards; or one position (row·sx + column) per frame,
        −1 for frames that belong nowhere.
    flyback : int
        Frames after each row that belong nowhere.
    skip : int
        Frames before the first position.
    queue : int
        Borrowed blocks that may wait.

    Raises
    ------
    TypeError, ValueError
        An argument is wrong; the message names it.
    DeviceError
        `device` can't be used; the message says why.

    References
    ----------
    Yu et al., Microsc. Microanal. 28 (2022) 1526.

    Examples
    --------
    >>> import numpy as np
    >>> from crewe.live import RiCOM, Session, VirtualDetector
    >>> frames = np.random.default_rng(0).poisson(2, (12, 16, 16)).astype(np.uint16)
    >>> with Session(scan=(3, 4), detector=(16, 16), images={"ricom": RiCOM(5), "sum": VirtualDetector()}) as session:
    ...     view = session["sum"]
    ...     session.push(frames[:7])
    ...     session.push(frames[7:])
    >>> session.done, view.shape, bool(view[2, 3] == frames[11].sum())
    (12, (3, 4), True)
    """

    def __init__(
        self,
        *,
        scan: tuple[int, int],
        detector: tuple[int, int],
        images: Mapping[str, Kind],
        center: Literal["auto"] | tuple[float, float] = "auto",
        rotation: float = 0.0,
        transpose: bool = False,
        threads: int = 0,
        device: str = "cpu",
        on_full: Literal["block", "busy"] = "block",
        keep_profile: bool = False,
        descan: Literal["fit"] | ArrayLike | None = None,
        dead_pixels: ArrayLike | None = None,
        dark: ArrayLike | None = None,
        gain: ArrayLike | None = None,
        com_mask: ArrayLike | None = None,
        com_radii: tuple[float, float | None] | None = None,
        order: Literal["raster", "serpentine"] | ArrayLike = "raster",
        flyback: int = 0,
        skip: int = 0,
        queue: int = 64,
    ) -> None:
        given = {name: value for name, value in locals().items() if name != "self"}
        options = core_options(given)
        self._core = _core.LiveSession(options)
        self._push = self._core.push
        self._ended = threading.Event()
        self._kinds = dict(images)
        self.scan: tuple[int, int] = options["scan"]
        self.detector: tuple[int, int] = options["detector"]
        self._followers = Followers(
            self._core,
            self.scan,
            self.detector,
            device=device,
            threads=options["threads"],
            wait=on_full == "block",
        )
        weakref.finalize(self, self._followers.close)
        self._followers.begin(images)

    # ---------------------------------------------------------------------------------------------- the producer's side
    def push(
        self, frames: NDArray[Any], *, first: int | None = None, release: Callable[[], object] | None = _UNSET
    ) -> None:
        """Add frames; they are read where they lie.

        Parameters
        ----------
        frames : ndarray (n, ky, kx), uint8, uint16, uint32 or float32
            Native byte order, any strides; any n.
        first : int, optional
            Index of the first frame, as the detector counts them (with skipped and flyback frames; without those it is
            the probe position row·sx + column). Default: after the last block pushed. A position that comes again is
            replaced.
        release : callable, optional
            Without it the frames are summed when `push` returns. With it (``None`` will do) the array is borrowed: a
            worker thread sums it and then calls ``release()``, which must not call the session. What is wrong with the
            numbers in a borrowed block is raised by the next `push` or `flush`.

        Raises
        ------
        TypeError
            No array, or of another dtype.
        ValueError
            A wrong shape, more frames than positions, NaN or infinity: the block is refused whole. A closed session.
        BusyError
            The queue is full, or too many lines wait for a network, and ``on_full="busy"``; nothing is taken.
        DeviceError
            The GPU failed; what was done before stays.
        """
        if as_frames(frames).ndim != 3:
            raise ValueError(f"frames: shape (n, ky, kx) wanted, {frames.shape} came")
        if first is not None:
            first = as_int(first, "first")
        self._followers.admit()
        if release is _UNSET:
            self._push(frames, first)
        else:
            self._core.lend(frames, first, release)

    def push_events(self, position: NDArray[Any], y: NDArray[Any], x: NDArray[Any]) -> None:
        """Add single electrons, in any order; events of one position add up.

        Parameters
        ----------
        position, y, x : ndarray (n,) of integers
            Probe position (row·sx + column) and detector pixel of each event.

        Raises
        ------
        TypeError
            No integer arrays.
        ValueError
            Unequal lengths, or an event outside the scan or the detector: no event of the call counts.
        """
        for array, name in ((position, "position"), (y, "y"), (x, "x")):
            if not isinstance(array, np.ndarray) or array.dtype.kind not in "iu" or not array.dtype.isnative:
                what = repr(array.dtype) if isinstance(array, np.ndarray) else type(array).__name__
                raise TypeError(f"{name}: an integer array (native byte order) wanted, {what} came")
        self._followers.admit()
        self._core.push_events(position, y, x)

    def flush(self) -> None:
        """Wait until all borrowed blocks are summed and released; raises what was wrong with one of them."""
        self._core.flush()

    def finish(self) -> None:
        """Bring every image to its final form: centre fitted, all sums in order, networks no longer behind. More may be
        pushed afterwards.
        """
        self._core.finish()
        self._followers.finish()

    def close(self) -> None:
        """Finish, and take no more. The images stay. Ctrl-C ends the wait for networks; the session is closed then."""
        try:
            self._core.close()
            self._followers.finish()
        finally:
            self._followers.close()
            self._ended.set()

    def cancel(self) -> None:
        """Don't wait for networks: `AIRPI` images stay as they are until the next scan. From any thread."""
        self._followers.cancel()

    def next_scan(self) -> None:
        """All images zero, `done` 0, settings as they are; scan lines that wait for a network are forgotten."""
        self._followers.cancel()
        self._core.next_scan()
        self._followers.begin(self._kinds)

    # -------------------------------------------------------------------------------------------------- from any thread
    def configure(self, **changes: Any) -> None:
        """Change settings while the scan runs, with effect for what is already scanned.

        Parameters
        ----------
        **changes
            A kind for the name of an image (with an image of the same shape), or ``center``, ``rotation``,
            ``transpose``, ``descan`` as in `Session`. Images of the centre of mass are recomputed at once from what is
            kept per position. Virtual detectors change for the past where the session was made with
            ``keep_profile=True``: exactly for radii that are multiples of `ring_width` from the centre with which the
            scan began, else a ring that a radius cuts counts by its share of pixels; without it, and for a change of
            centre, from the next frame on. `SSB` and `AIRPI` follow with the next scan.

        Raises
        ------
        TypeError, ValueError
            Something is wrong or unknown; then nothing has changed.
        """
        wanted = changes_of(changes, self._kinds)
        for kind in changes.values():
            if isinstance(kind, AIRPI):
                self._followers.engine(kind)
        self._core.configure(wanted)
        self._kinds.update({name: kind for name, kind in changes.items() if name in self._kinds})

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        """The image, ``(sy, sx)``, ``(sy, sx, 2)`` or, for `Sum`, ``(ky, kx)``: a read-only view that shows what comes.

        It lies in the session's memory, outlives the session, and never moves. `ICOM` and `SSB` images are
        brought up to date; an `AIRPI` image is as far as its network has come.
        """
        if name not in self._kinds:
            raise KeyError(f"no image {name!r}; there are {', '.join(map(repr, self._kinds))}")
        return self._core.image(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)

    def __contains__(self, name: object) -> bool:
        return name in self._kinds

    @property
    def images(self) -> dict[str, Kind]:
        """Name → kind, as they are now."""
        return dict(self._kinds)

    @property
    def done(self) -> int:
        """Distinct positions whose pixels are visible."""
        return self._core.done

    @property
    def version(self) -> int:
        """Grows with every change of any image."""
        return self._core.version

    @property
    def behind(self) -> int:
        """Complete scan lines that wait for a network (`AIRPI`); the most of any image."""
        return self._followers.waiting()

    @property
    def errors(self) -> dict[str, Exception]:
        """What went wrong with images of this scan that networks make, by name; a RuntimeWarning told it too."""
        return self._followers.errors()

    @property
    def closed(self) -> bool:
        """No more may be pushed."""
        return self._core.closed

    @property
    def center(self) -> tuple[float, float]:
        """Centre in use, at the middle of the scan, (y, x) [detector pixels]."""
        return self._core.center

    @property
    def descan(self) -> NDArray[np.float64]:
        """Slopes of the centre in use, (2, 2) [detector pixels per position]."""
        return np.array(self._core.descan)

    @property
    def ring_width(self) -> float:
        """Width of the rings kept of this scan with ``keep_profile=True`` [detector pixels]; 0 without."""
        return self._core.ring_width

    def updates(self, hz: float = 10.0) -> Iterator[tuple[str, int, int]]:
        """What has changed: (name, first row, last row), at most `hz` times a second, until the session is closed.

        The rows of a batch are those that changed since the batch before; the first one begins with the session. Any
        number of these may run, each in a thread of its own.
        """
        pause, since = 1 / as_positive(hz, "hz"), 0
        while True:
            ended = self._ended.wait(pause)
            version = self._core.version
            if version != since:
                for name in self._kinds:
                    for first, last in self._core.changed_rows(name, since):
                        yield name, first, last
                since = version
            if ended:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
            return
        if not isinstance(error, Exception):  # Ctrl-C doesn't wait for networks
            self.cancel()
        with contextlib.suppress(ValueError):  # a late NaN must not hide what went wrong
            self.close()
