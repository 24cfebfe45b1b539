"""Images that commands read: one, or as many as the file holds."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["SCANS", "pixel_size", "read_image", "read_images", "side_by_side"]

Image = NDArray[np.float32]

#: Suffixes of files that hold scans, not images.
SCANS = (".mib", ".hdr", ".tpx3", ".t3p", ".t3pa", ".raw")

#: Lengths as files name them [Å].
UNITS = {"pm": 0.01, "å": 1.0, "angstrom": 1.0, "ångström": 1.0, "nm": 10.0, "µm": 1e4, "um": 1e4, "micron": 1e4}


def read_image(path: Path) -> Image:
    """One image (y, x) as float32, whatever the file's numbers are."""
    data = read_images(path)
    if data.ndim != 2:
        raise ValueError(f"{path}: one image (y, x) wanted, {data.shape} came")
    with np.errstate(over="ignore"):  # infinity is told of where it matters
        return np.ascontiguousarray(data, dtype=np.float32)


def read_images(path: Path) -> Any:
    """Real numbers (..., y, x) as they lie in the file: a NumPy array, mapped where it can be, or a dask array."""
    suffix = path.suffix.lower()
    if path.is_dir() and suffix != ".zspy":
        raise ValueError(f"{path}: an image file wanted, a folder came; its files are {path}/*")
    if not path.is_dir():
        with path.open("rb") as file:  # a missing file, or one that may not be read, says so
            if not file.read(1):
                raise ValueError(f"{path}: the file is empty")
    if suffix == ".npy":
        try:
            data = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError):
            raise ValueError(f"{path}: a NumPy file of numbers wanted; it is something else, or cut off") from None
    elif suffix in (".tif", ".tiff"):
        data = _by_tifffile(path)
    else:
        data = _signal(path)["data"]
    if (data.ndim == 3 and data.shape[2] in (3, 4)) or data.dtype.names:
        raise ValueError(
            f"{path}: a grey image wanted, a coloured one came: {data.shape} {data.dtype}; save it in grey"
        )
    if data.ndim < 2 or 0 in data.shape or data.dtype.kind not in "uif":
        raise ValueError(f"{path}: images (..., y, x) of real numbers wanted, {data.shape} {data.dtype} came")
    return data


def _by_tifffile(path: Path) -> NDArray[Any]:
    try:
        import tifffile
    except ImportError:
        raise ImportError(f"{path}: tifffile is wanted for this file: pip install 'crewe[io]'") from None
    import logging

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # it logs what it also raises
    try:
        try:
            mapped: NDArray[Any] = tifffile.memmap(path, mode="r")
        except ValueError:  # compressed, or in pieces
            mapped = tifffile.imread(path)
    except Exception as error:  # a decoder may raise anything, and none names the file
        if "imagecodecs" in str(error):
            raise ImportError(f"{path}: imagecodecs is wanted for its compression: pip install imagecodecs") from None
        raise ValueError(f"{path}: damaged, or no TIFF file ({error})") from None
    return mapped


def pixel_size(path: Path) -> float | None:
    """The side of a pixel [Å] as the file states it; None where it doesn't, or where pixels aren't square."""
    if path.suffix.lower() == ".npy":
        return None
    try:
        axes = _signal(path, lazy=False)["axes"][-2:]  # a lazy reader keeps the file open
    except (ImportError, ValueError):
        return None
    sides = [float(axis.get("scale", 0.0)) * UNITS.get(str(axis.get("units")).lower(), 0.0) for axis in axes]
    square = len(sides) == 2 and np.isfinite(sides).all() and min(sides) > 0 and max(sides) < 1.001 * min(sides)
    return sum(sides) / 2 if square else None


def _signal(path: Path, *, lazy: bool = True) -> dict[str, Any]:
    """What RosettaSciIO tells of a file's first data set: its data and its axes."""
    try:
        from rsciio import IO_PLUGINS
    except ImportError:
        raise ImportError(f"{path}: RosettaSciIO is wanted for this file: pip install 'crewe[io]'") from None
    suffix = path.suffix.lower().lstrip(".")
    plugins = [one for one in IO_PLUGINS if suffix in (known.lower() for known in one["file_extensions"])]
    hint = "; crewe image makes images of a scan" if path.suffix.lower() in SCANS else ""
    if not plugins:
        raise ValueError(f"{path}: .npy, .tif, or a suffix that RosettaSciIO knows wanted{hint}")
    refusals = []
    for plugin in plugins:
        for lazily in (True, False) if lazy else (False,):
            try:
                signal: dict[str, Any] = importlib.import_module(plugin["api"]).file_reader(str(path), lazy=lazily)[0]
                if not lazily:
                    signal["data"] = np.asarray(signal["data"])
                return signal
            except Exception as error:  # readers that know no lazy way, files that aren't theirs: anything may come
                why = str(error).strip() or type(error).__name__
        refusals.append(f"{plugin['name']}: {why.splitlines()[0]}")
    raise ValueError(f"{path}: damaged, or of another format ({'; '.join(refusals)}){hint}")


def side_by_side(images: list[Image], gap: int = 4) -> NDArray[np.uint8]:
    """Images in one row, each grey from its own darkest to its own brightest, a white line in between."""
    from crewe._color import picture

    parts: list[NDArray[np.uint8]] = []
    for image in images:
        if parts:
            parts.append(np.full((image.shape[0], gap), 255, np.uint8))
        parts.append(picture(image))
    return np.concatenate(parts, axis=1)
