"""Files of StatSTEM (MATLAB): its image, fit and counts, on the pixels of this library."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.atoms.columns import Columns
from crewe.errors import FormatError

__all__ = ["StatSTEM", "load_statstem"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StatSTEM:
    """What a StatSTEM file holds; positions (y, x) in pixels, (0, 0) the centre of the first pixel.

    Attributes
    ----------
    image : ndarray (y, x) float64
        The observation [intensity].
    pixel_size : float
        [Å].
    start : ndarray (n, 2)
        Where the fit began.
    columns : Columns or None
        The fit.
    counted : ndarray (m,) int64 or None
        Which of the columns were counted.
    counts : ndarray (m,) int64 or None
        Their atoms.

    Examples
    --------
    >>> import scipy.io
    >>> scipy.io.savemat("observed.mat", {"input": {"obs": np.ones((4, 6)), "dx": 0.2}})
    >>> load_statstem("observed.mat").image.shape
    (4, 6)
    """

    image: Floats
    pixel_size: float
    start: Floats
    columns: Columns | None
    counted: NDArray[np.int64] | None
    counts: NDArray[np.int64] | None


def load_statstem(path: str | Path) -> StatSTEM:
    """Read a StatSTEM file: MATLAB structures `input`, `output`, `atomcounting`, saved as version 5 or 7.3.

    StatSTEM puts the centre of pixel k = 0, 1, ... at (k + 1)·dx, with x first; here positions are (y, x)/dx − 1.
    Newer versions of StatSTEM save objects of MATLAB classes, which only MATLAB reads: save their fields as structures.

    Parameters
    ----------
    path : path

    Returns
    -------
    StatSTEM

    Raises
    ------
    ImportError
        SciPy (version 5) or h5py (version 7.3) isn't installed.
    FormatError
        No MATLAB file, or one without StatSTEM's structures.

    References
    ----------
    De Backer et al., Ultramicroscopy 171 (2016) 104.

    Examples
    --------
    >>> import scipy.io
    >>> given = {"obs": np.ones((4, 6)), "dx": 0.2, "coordinates": np.array([[0.6, 0.4, 1.0]])}
    >>> scipy.io.savemat("fit.mat", {"input": given})
    >>> file = load_statstem("fit.mat")
    >>> file.start.round(6).tolist(), file.columns
    ([[1.0, 2.0]], None)
    """
    path = Path(path)
    with path.open("rb") as file:
        head = file.read(128)
    if b"MATLAB 7.3" in head:
        content = _read_hdf5(path)
    elif head.startswith(b"MATLAB 5.0"):
        content = _read_version_5(path)
    else:
        raise FormatError(f"{path}: a MATLAB file wanted (at byte 0)", 0)
    given = content.get("input")
    if not isinstance(given, dict) or not {"obs", "dx"} <= given.keys():
        raise FormatError(
            f"{path}: a structure `input` with `obs` and `dx` wanted, {', '.join(sorted(content)) or 'nothing'} came; "
            "objects of MATLAB classes can't be read, save their fields as structures",
            0,
        )
    dx = float(given["dx"].item())
    output, counting = content.get("output"), content.get("atomcounting")
    columns = _columns(output, dx) if isinstance(output, dict) and "eta" in output else None
    counted = counts = None
    if columns is not None and isinstance(counting, dict) and "Counts" in counting:
        counts = counting["Counts"].ravel().astype(np.int64)
        away = _positions(counting["coordinates"], dx)[:, None] - columns.positions
        counted = np.hypot(*np.moveaxis(away, -1, 0)).argmin(axis=1)
    return StatSTEM(
        image=given["obs"].astype(np.float64),
        pixel_size=dx,
        start=_positions(given.get("coordinates", np.zeros((0, 2))), dx),
        columns=columns,
        counted=counted,
        counts=counts,
    )


def _positions(coordinates: NDArray[Any], dx: float) -> Floats:
    if coordinates.size == 0:
        return np.zeros((0, 2))
    return np.ascontiguousarray(np.atleast_2d(coordinates)[:, 1::-1], dtype=np.float64) / dx - 1


def _columns(output: dict[str, Any], dx: float) -> Columns:
    positions = _positions(output["coordinates"], dx)
    widths = np.broadcast_to(output["rho"].astype(float).ravel(), len(positions))
    zeta = output.get("zeta", np.zeros(1))
    return Columns(
        positions=positions,
        heights=output["eta"].astype(float).ravel(),
        widths=widths,
        background=float(zeta.ravel()[0]),
        residual=float(output["lsq"].item()) if "lsq" in output else float("nan"),
        width="shared" if np.ptp(widths) == 0 else "free",
        background_free=bool(zeta.ravel()[0] != 0),
    )


def _read_version_5(path: Path) -> dict[str, Any]:
    try:
        matlab: Any = importlib.import_module("scipy.io")
    except ImportError:
        raise ImportError(f"{path}: SciPy reads MATLAB files: pip install 'crewe[io]'") from None
    try:
        content = matlab.loadmat(path, struct_as_record=False)
    except (ValueError, TypeError, NotImplementedError, OSError) as error:
        raise FormatError(f"{path}: no MATLAB file that can be read ({error})", 0) from None

    def fields(value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.size == 1 and hasattr(value.flat[0], "_fieldnames"):
            one = value.flat[0]
            return {name: fields(getattr(one, name)) for name in one._fieldnames}
        return value

    return {name: fields(value) for name, value in content.items() if not name.startswith("_")}


def _read_hdf5(path: Path) -> dict[str, Any]:
    try:
        import h5py
    except ImportError:
        raise ImportError(f"{path}: h5py reads MATLAB 7.3 files: pip install 'crewe[io]'") from None

    def fields(value: Any) -> Any:
        if isinstance(value, h5py.Group):
            return {name: fields(part) for name, part in value.items()}
        return value[()].T if not value.attrs.get("MATLAB_empty", 0) else np.zeros(0)

    with h5py.File(path) as file:
        return {name: fields(value) for name, value in file.items() if not name.startswith("#")}
