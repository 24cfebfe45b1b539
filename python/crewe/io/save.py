"""Images → files that HyperSpy, py4DSTEM, ImageJ, NumPy and everybody's picture viewer open."""

import errno
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._color import picture
from crewe._png import png

__all__ = ["save"]

Image = NDArray[Any]
Metadata = Mapping[str, Any]


def save(path: str | os.PathLike[str], images: Mapping[str, Image], *, metadata: Metadata | None = None) -> list[Path]:
    """Write images to a file; the format is that of the suffix.

    Parameters
    ----------
    path : path
        ``.hspy``, ``.zspy`` (HyperSpy), ``.h5``, ``.emd`` (EMD of Berkeley): all images in one file.
        ``.tif``, ``.npy``, ``.png``: a file per image; of several, each is named by its image: ``a.png`` →
        ``a-ricom.png``, ``a-adf.png``.
    images : dict of str: (y, x) or (y, x, 2)
        The names become titles. Vector maps (y, x, 2) are stored as two images (2, y, x) in .hspy, .zspy, .h5 and .tif,
        drawn with a colour wheel (hue: direction, value: length) in .png, kept as they are in .npy.
    metadata : dict, optional
        What to note beside the images; ``step`` [Å], a number or (y, x), becomes the scale of their axes.

    Returns
    -------
    list of Path
        The files, complete: an old file of that name stays as it is until the new one is.

    Raises
    ------
    ValueError
        No such format, no images, or something that is no image.
    OSError
        The file can't be written; names it.
    ImportError
        A format that wants the extra ``crewe[io]``.

    Examples
    --------
    >>> import crewe.io, numpy as np, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in crewe.io.save(folder + "/a.npy", {"ricom": np.zeros((2, 3), np.float32)})]
    ['a.npy']
    """
    path = Path(path)
    writers: dict[str, Callable[[dict[str, Image], Metadata], bytes]] = {
        ".npy": npy,
        ".png": drawn,
        ".tif": tiff,
        ".tiff": tiff,
        ".hspy": hspy,
        ".h5": emd,
        ".emd": emd,
    }
    suffix = path.suffix.lower()
    if suffix not in (*writers, ".zspy"):
        raise ValueError(f"path: a format out of {', '.join([*writers, '.zspy'])} wanted, {path.name!r} came")
    images, metadata = checked(images), dict(metadata or {})
    if suffix == ".zspy":
        in_place(path, lambda unfinished: zspy(unfinished, images, metadata))
        return [path]
    files = {path: images}
    if suffix in (".npy", ".png", ".tif", ".tiff") and len(images) > 1:
        files = {path.with_name(f"{path.stem}-{plain(name)}{path.suffix}"): {name: images[name]} for name in images}
        if len(files) < len(images):
            raise ValueError(f"images: names that differ as file names wanted, {list(images)} came")
    contents = {file: writers[suffix](some, metadata) for file, some in files.items()}
    for file, content in contents.items():
        in_place(file, lambda unfinished, content=content: unfinished.write_bytes(content))  # type: ignore[misc]
    return list(contents)


def checked(images: Mapping[str, Image]) -> dict[str, Image]:
    """Names → images (y, x) or (y, x, 2), or a ValueError."""
    if not isinstance(images, Mapping) or not images:
        raise ValueError(f"images: a dict of names and images wanted, {type(images).__name__} came")
    out = {}
    for name, image in images.items():
        array = np.asarray(image)
        if not isinstance(name, str) or not name:
            raise ValueError(f"images: names wanted, {name!r} came")
        if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 2) or array.dtype.kind not in "uifcb":
            raise ValueError(f"images: {name!r}: numbers (y, x) or (y, x, 2) wanted, {array.dtype} {array.shape} came")
        if 0 in array.shape:
            raise ValueError(f"images: {name!r}: at least a pixel wanted, shape {array.shape} came")
        out[name] = array
    return out


def plain(name: str) -> str:
    """A title as a part of a file's name."""
    return re.sub(r"[^\w.+-]+", "_", name)


def in_place(path: Path, write: Callable[[Path], Any]) -> None:
    """Write beside the file, then put it in its place: what stood there stays whole until the new one is."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        if not path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, "no such folder")
        write(unfinished)
        if unfinished.is_dir() and path.exists():  # a folder isn't replaced in one step
            former = path.with_name(f".{path.name}.{secrets.token_hex(4)}.old")
            path.rename(former)
            unfinished.rename(path)
            remove(former)
        else:
            unfinished.replace(path)
    except OSError as error:
        raise OSError(error.errno, f"can't write {path}: {error.strerror or error}") from error
    finally:
        remove(unfinished)


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def extra(suffix: str, package: str) -> ImportError:
    return ImportError(f"{suffix} files are written with {package}: pip install 'crewe[io]'")


def steps(metadata: Metadata) -> tuple[tuple[float, float], str]:
    """((y, x) distance of pixels, unit): the step of the scan [Å], or 1 pixel."""
    step = metadata.get("step")
    if step is None:
        return (1.0, 1.0), "px"
    y, x = np.broadcast_to(np.asarray(step, float), 2).tolist()
    return (y, x), "Å"


def stacked(image: Image) -> Image:
    """(y, x, 2) → (2, y, x): two images, which viewers know how to show."""
    return np.moveaxis(image, -1, 0) if image.ndim == 3 else image


def npy(images: dict[str, Image], metadata: Metadata) -> bytes:
    file = BytesIO()
    np.save(file, next(iter(images.values())), allow_pickle=False)
    return file.getvalue()


def drawn(images: dict[str, Image], metadata: Metadata) -> bytes:
    """Grey between the darkest and the brightest, vector maps with the colour wheel; the metadata as a comment."""
    name, image = next(iter(images.items()))
    return png(picture(image), text={"Title": name, "Comment": json.dumps(values(metadata))})


def tiff(images: dict[str, Image], metadata: Metadata) -> bytes:
    """ImageJ's kind of TIFF where the type allows it; the metadata as JSON in the info field."""
    try:
        import tifffile
    except ImportError:
        raise extra(".tif", "tifffile") from None
    (name, image), file = next(iter(images.items())), BytesIO()
    data = np.ascontiguousarray(stacked(image))
    options: dict[str, Any] = {"metadata": {"axes": "CYX"[-data.ndim :]}}
    if "step" in metadata:
        (y, x), _ = steps(metadata)
        options |= {"resolution": (1e4 / x, 1e4 / y)}  # pixels per µm, the unit that all readers of this kind know
        options["metadata"]["unit"] = "micron"
    if image.dtype in (np.uint8, np.uint16, np.float32):
        options["metadata"]["Info"] = json.dumps({"title": name, **values(metadata)})
        options["imagej"] = True
    tifffile.imwrite(file, data, **options)
    return file.getvalue()


def values(metadata: Metadata) -> dict[str, Any]:
    """Metadata as trees of what every format stores: text, numbers, truth; lists as JSON, anything else in words."""
    out: dict[str, Any] = {}
    for key, value in metadata.items():
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        if value is None:
            continue
        if isinstance(value, Mapping):
            out[str(key)] = values(value)
        elif isinstance(value, str | int | float):
            out[str(key)] = value
        else:
            out[str(key)] = json.dumps(value, default=lambda one: one.tolist() if hasattr(one, "tolist") else str(one))
    return out


def axes(image: Image, metadata: Metadata) -> list[dict[str, Any]]:
    """HyperSpy's axes of `stacked(image)`; the two components of a vector map are its navigation axis."""
    (y, x), unit = steps(metadata)
    parts = [("component", 1.0, "", True)] if image.ndim == 3 else []
    parts += [("y", y, unit, False), ("x", x, unit, False)]
    return [
        {
            "_type": "UniformDataAxis",
            "name": name,
            "scale": scale,
            "offset": 0.0,
            "size": size,
            "units": units,
            "navigate": navigate,
            "is_binned": False,
        }
        for (name, scale, units, navigate), size in zip(parts, stacked(image).shape, strict=True)
    ]


def tree(group: Any, content: Metadata) -> None:
    """A tree of dicts into the groups and attributes of an HDF5 or Zarr group."""
    for key, value in content.items():
        if isinstance(value, Mapping):
            tree(group.create_group(key.replace("/", "-")), value)
        else:
            group.attrs[key] = value


def signals(root: Any, images: dict[str, Image], metadata: Metadata, store: Callable[[Any, str, Image], None]) -> None:
    """HyperSpy's layout of files, version 3.3: a group per signal with its data, axes and metadata."""
    experiments = root.create_group("Experiments")
    for name, image in images.items():
        group = experiments.create_group(name.replace("/", "-"))
        group.attrs.update({"package": "", "package_version": ""})
        store(group, "data", np.ascontiguousarray(stacked(image)))
        content: dict[str, Any] = {f"axis-{k}": axis for k, axis in enumerate(axes(image, metadata))}
        content["metadata"] = {"General": {"title": name}, "Signal": {"signal_type": ""}}
        content["original_metadata"] = values(metadata)
        content["attributes"] = {"_lazy": False, "ragged": False}
        tree(group, content)


def hspy(images: dict[str, Image], metadata: Metadata) -> bytes:
    try:
        import h5py
    except ImportError:
        raise extra(".hspy", "h5py") from None
    memory = BytesIO()  # HDF5 can't be trusted with a full disk
    with h5py.File(memory, "w") as file:
        file.attrs.update({"file_format": "HyperSpy", "file_format_version": "3.3"})
        signals(file, images, metadata, lambda group, key, data: group.create_dataset(key, data=data, chunks=True))
    return memory.getvalue()


def zspy(path: Path, images: dict[str, Image], metadata: Metadata) -> None:
    try:
        import zarr
    except ImportError:
        raise extra(".zspy", "zarr") from None
    root = zarr.open_group(path, mode="w", zarr_format=2)
    root.attrs.update({"file_format": "ZSpy", "file_format_version": "3.3"})

    def store(group: Any, key: str, data: Image) -> None:
        group.create_array(key, shape=data.shape, dtype=data.dtype, chunks=data.shape)[:] = data

    signals(root, images, metadata, store)


def emd(images: dict[str, Image], metadata: Metadata) -> bytes:
    """EMD version 1.0: a root group with an array group per image, its axes as dim0, dim1, ..."""
    try:
        import h5py
    except ImportError:
        raise extra(".h5", "h5py") from None
    memory = BytesIO()
    with h5py.File(memory, "w") as file:
        version = {"version_major": 1, "version_minor": 0, "authoring_program": "crewe"}
        file.attrs.update({"emd_group_type": "file", **version})
        root = file.create_group("crewe")
        root.attrs.update({"emd_group_type": "root", "python_class": "Root"})
        for name, image in images.items():
            group = root.create_group(name.replace("/", "-"))
            group.attrs.update({"emd_group_type": "array", "python_class": "Array"})
            group.create_dataset("data", data=stacked(image)).attrs["units"] = ""
            for k, axis in enumerate(axes(image, metadata)):
                dim = group.create_dataset(f"dim{k}", data=np.arange(axis["size"]) * axis["scale"])
                dim.attrs.update({"name": axis["name"], "units": axis["units"]})
        tree(root.create_group("metadatabundle"), values(metadata))
    return memory.getvalue()
