"""The options of a session, checked, in the form that the core takes."""

import math
import operator
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._array import as_pair, as_threads, as_weights
from crewe._device import as_device, cuda_reason, extension
from crewe.live.kinds import AIRPI, Kind, VirtualDetector

__all__ = ["SETTINGS", "changes_of", "core_options", "kinds_of", "shape_of"]

#: What `configure` takes beside the names of images.
SETTINGS = ("center", "descan", "rotation", "transpose")


def core_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of `Session` for the core."""
    threads = as_threads(given["threads"])
    networks = any(isinstance(kind, AIRPI) for kind in given["images"].values())
    # Networks have a runtime of their own, which may know a GPU that this build has no kernels for.
    device = None if networks and given["device"] == "cuda" and cuda_reason() else as_device(given["device"])
    if given["on_full"] not in ("block", "busy"):
        raise ValueError(f"on_full: 'block' or 'busy' wanted, {given['on_full']!r} came")
    scan, detector = shape_of(given["scan"], "scan"), shape_of(given["detector"], "detector")
    if not given["images"]:
        raise ValueError("images: at least one image wanted")
    for name in SETTINGS:
        if name in given["images"]:
            raise ValueError(f"images: the name {name!r} is taken by a setting")
    options = {
        "scan": scan,
        "detector": detector,
        "images": kinds_of(given["images"]),
        "threads": threads,
        "queue": _count(given["queue"], "queue", 1),
        "busy_when_full": given["on_full"] == "busy",
        "keep_profile": bool(given["keep_profile"]),
        "com_radii": _radii(given["com_radii"]),
        "skip": _count(given["skip"], "skip", 0),
        "flyback": _count(given["flyback"], "flyback", 0),
        **{name: _setting(name, given[name]) for name in SETTINGS},
        **_order(given["order"]),
    }
    for name, key in (("dark", "dark"), ("gain", "gain"), ("com_mask", "com_weights")):
        if given[name] is not None:
            options[key] = as_weights(given[name], detector, name)
    if device is not None:
        options["device"] = extension().frame_device(device, threads)
    if given["dead_pixels"] is not None:
        options["dead"] = _dead(given["dead_pixels"], detector)
    return options


def changes_of(changes: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of `Session.configure` for the core; `names` are those of the images."""
    unknown = sorted(set(changes) - set(names) - set(SETTINGS))
    if unknown:
        raise ValueError(f"configure: no image and no setting is named {', '.join(map(repr, unknown))}")
    kinds = kinds_of({name: kind for name, kind in changes.items() if name in names})
    return {"images": kinds} | {name: _setting(name, changes[name]) for name in SETTINGS if name in changes}


def kinds_of(images: Mapping[str, Any]) -> dict[str, Any]:
    """Name → what the core takes."""
    specs = {}
    for name, kind in images.items():
        if not isinstance(name, str):
            raise TypeError(f"images: names wanted, {name!r} came")
        if not isinstance(kind, Kind):
            raise TypeError(f"images: {name!r}: a kind (RiCOM, VirtualDetector, ...) wanted, {kind!r} came")
        specs[name] = kind._spec()
    return specs


def shape_of(value: Any, name: str) -> tuple[int, int]:
    """Two whole numbers >= 1."""
    try:
        rows, columns = (operator.index(n) for n in value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: two whole numbers (rows, columns) wanted, {value!r} came") from None
    if rows < 1 or columns < 1:
        raise ValueError(f"{name}: two numbers >= 1 wanted, {value!r} came")
    return rows, columns


def _setting(name: str, value: Any) -> Any:
    if name == "center":
        return None if isinstance(value, str) and value == "auto" else as_pair(value, "center")
    if name == "descan":
        return _descan(value)
    if name == "transpose":
        return bool(value)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}: a number [rad] wanted, {value!r} came")
    if not math.isfinite(value):
        raise ValueError(f"{name}: a finite number [rad] wanted, {value!r} came")
    return float(value)


def _descan(value: Any) -> Any:
    if value is None or (isinstance(value, str) and value == "fit"):
        return value
    slopes = np.asarray(value)
    if slopes.dtype.kind not in "iuf" or slopes.shape != (2, 2) or not np.isfinite(slopes).all():
        raise ValueError(f"descan: None, 'fit' or four finite slopes (2, 2) wanted, {value!r} came")
    return slopes.astype(np.float64).tolist()


def _count(value: Any, name: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name}: an int wanted, {value!r} came")
    if value < least:
        raise ValueError(f"{name}: {least} or more wanted, {value} came")
    return int(value)


def _radii(radii: Any) -> tuple[float, float]:
    if radii is None:
        return 0.0, math.inf
    try:
        detector = VirtualDetector(*radii)
    except (TypeError, ValueError) as error:
        raise type(error)(f"com_radii: (inner, outer) wanted, {radii!r} came: {error}") from None
    return float(detector.inner), math.inf if detector.outer is None else float(detector.outer)


def _dead(dead: Any, shape: tuple[int, int]) -> NDArray[np.uint8]:
    array = np.asarray(dead)
    if array.dtype.kind not in "biu" or array.shape != shape:
        raise ValueError(f"dead_pixels: bool {shape} wanted, {array.dtype} {array.shape} came")
    dead_or_not: NDArray[np.uint8] = (array != 0).astype(np.uint8)
    return dead_or_not


def _order(order: Any) -> dict[str, Any]:
    if isinstance(order, str):
        if order not in ("raster", "serpentine"):
            raise ValueError(f"order: 'raster', 'serpentine' or positions wanted, {order!r} came")
        return {"serpentine": order == "serpentine"}
    positions = np.asarray(order)
    if positions.dtype.kind not in "iu" or positions.ndim != 1 or positions.size == 0:
        raise ValueError(f"order: positions, one integer per frame, wanted, {positions.dtype} {positions.shape} came")
    if positions.min() < -1 or positions.max() >= 2**31:
        raise ValueError(f"order: positions >= -1 wanted, {positions.min()} to {positions.max()} came")
    return {"serpentine": False, "positions": np.ascontiguousarray(positions, np.int32)}
