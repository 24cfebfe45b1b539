"""Columns into files: a table or HDF5."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe._array import as_positive
from crewe.atoms.columns import Columns
from crewe.atoms.crlb import scs_variance

__all__ = ["columns_table", "save_columns"]


def save_columns(
    path: str | Path, columns: Columns, *, pixel_size: float = 1.0, counts: ArrayLike | None = None
) -> None:
    """Write fitted columns: one line per column in `.csv`, the same and the full covariance in `.h5`.

    Lines hold y, x [pixel and Å], height, width [Å], SCS, their standard deviations, e1 and e2 where columns are
    elliptic, and atoms where `counts` is given.

    Parameters
    ----------
    path : path
        Ending in `.csv`, `.h5` or `.hdf5`.
    columns : Columns
    pixel_size : float
        [Å].
    counts : array (n,), optional
        Atoms per column, as of `count`.

    Raises
    ------
    ImportError
        h5py isn't installed.
    ValueError
        Another ending; counts that don't fit.

    Examples
    --------
    >>> save_columns("columns.csv", Columns([[4.0, 5.0]], [10.0], 1.5), pixel_size=0.1, counts=[3])
    >>> with open("columns.csv") as file:
    ...     print(file.readline().strip()[:40])
    y [pixel],x [pixel],y [Å],x [Å],height,w
    """
    path = Path(path)
    table = columns_table(columns, as_positive(pixel_size, "pixel_size", "Å"), counts)
    if path.suffix == ".csv":
        np.savetxt(
            path,
            np.stack(list(table.values()), axis=1),
            "%.10g",
            ",",
            header=",".join(table),
            comments="",
            encoding="utf-8",
        )
    elif path.suffix in (".h5", ".hdf5"):
        try:
            import h5py
        except ImportError:
            raise ImportError(f"{path}: h5py writes HDF5: pip install 'crewe[io]'") from None
        with h5py.File(path, "w") as file:
            for name, value in table.items():
                file[f"columns/{name}"] = value
            file["covariance"] = columns.covariance
            file["covariance"].attrs["of"] = ["y [pixel]", "x [pixel]", "height", "width [Å]"]
            file.attrs.update(
                background=columns.background,
                residual=columns.residual,
                pixel_size=pixel_size,
                width=columns.width,
                background_free=columns.background_free,
            )
    else:
        raise ValueError(f"path: a name ending in .csv, .h5 or .hdf5 wanted, {path.name!r} came")


def columns_table(columns: Columns, pixel_size: float, counts: Any) -> dict[str, NDArray[Any]]:
    """The lines of `save_columns`, by the names of their entries."""
    with np.errstate(invalid="ignore"):
        deviations = np.sqrt(np.diagonal(columns.covariance, axis1=1, axis2=2))
        scs_deviation = np.sqrt(scs_variance(columns, columns.covariance))
    y, x = columns.positions.T
    table: dict[str, NDArray[Any]] = {
        "y [pixel]": y,
        "x [pixel]": x,
        "y [Å]": y * pixel_size,
        "x [Å]": x * pixel_size,
        "height": columns.heights,
        "width [Å]": columns.widths,
        "SCS [Å²]": columns.scs,
        "sd y [pixel]": deviations[:, 0],
        "sd x [pixel]": deviations[:, 1],
        "sd height": deviations[:, 2],
        "sd width [Å]": deviations[:, 3],
        "sd SCS [Å²]": scs_deviation,
    }
    if columns.width == "elliptic":
        table |= {"e1": columns.ellipticity[:, 0], "e2": columns.ellipticity[:, 1]}
    if counts is not None:
        atoms = np.asarray(counts)
        if atoms.shape != (len(columns),):
            raise ValueError(f"counts: shape {(len(columns),)}, one per column, wanted, {atoms.shape} came")
        table["atoms"] = atoms
    return table
