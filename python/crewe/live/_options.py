"""The options of a session, checked, in the form that the core takes."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._array import as_band, as_choice, as_int, as_number, as_pair, as_shape, as_threads, as_weights
from crewe._device import as_device, cuda_reason, extension
from crewe.live.kinds import AIRPI, Kind

__all__ = ["SETTINGS", "changes_of", "core_options", "kinds_of"]

#: What `configure` takes beside the names of images.
SETTINGS = ("center", "descan", "rotation", "transpose")


def core_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of `Session` for the core."""
    threads = as_threads(given["threads"])
    if not isinstance(given["images"], Mapping):
        raise TypeError(f"images: a dict of names and kinds wanted, {type(given['images']).__name__} came")
    networks = any(isinstance(kind, AIRPI) for kind in given["images"].values())
    # Networks have a runtime of their own, which may know a GPU that this build has no kernels for.
    device = None if networks and given["device"] == "cuda" and cuda_reason() else as_device(given["device"])
    as_choice(given["on_full"], "on_full", ("block", "busy"))
    scan, detector = as_shape(given["scan"], "scan"), as_shape(given["detector"], "detector")
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
        "queue": as_int(given["queue"], "queue", 1),
        "busy_when_full": given["on_full"] == "busy",
        "keep_profile": bool(given["keep_profile"]),
        "com_radii": _radii(given["com_radii"]),
        "skip": as_int(given["skip"], "skip"),
        "flyback": as_int(given["flyback"], "flyback"),
        **{name: _setting(name, given[name]) for name in SETTINGS},
        **_order(given["order"]),
    }
    for name in ("dark", "gain", "com_mask"):
        if given[name] is not None:
            options[name] = as_weights(given[name], detector, name)
    if device is not None:
        options["device"] = extension().frame_device(device, threads)
    if given["dead_pixels"] is not None:
        options["dead_pixels"] = _dead(given["dead_pixels"], detector)
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


def _setting(name: str, value: Any) -> Any:
    if name == "center":
        return None if isinstance(value, str) and value == "auto" else as_pair(value, "center")
    if name == "descan":
        return _descan(value)
    if name == "transpose":
        return bool(value)
    return as_number(value, name, unit="rad")


def _descan(value: Any) -> Any:
    if value is None or (isinstance(value, str) and value == "fit"):
        return value
    slopes = np.asarray(value)
    if slopes.dtype.kind not in "iuf" or slopes.shape != (2, 2) or not np.isfinite(slopes).all():
        raise ValueError(f"descan: None, 'fit' or four finite slopes (2, 2) wanted, {value!r} came")
    return slopes.astype(np.float64).tolist()


def _radii(radii: Any) -> tuple[float, float]:
    if radii is None:
        return 0.0, math.inf
    if not isinstance(radii, Sequence | np.ndarray) or isinstance(radii, str) or len(radii) != 2:
        raise ValueError(f"com_radii: (inner, outer) wanted, {radii!r} came")
    return as_band(radii[0], radii[1], ("com_radii[0]", "com_radii[1]"), "detector pixels")


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
        return {"order": order}
    positions = np.asarray(order)
    if positions.dtype.kind not in "iu" or positions.ndim != 1 or positions.size == 0:
        raise ValueError(f"order: positions, one integer per frame, wanted, {positions.dtype} {positions.shape} came")
    if positions.min() < -1 or positions.max() >= 2**31:
        raise ValueError(f"order: positions >= -1 wanted, {positions.min()} to {positions.max()} came")
    return {"order": "list", "positions": np.ascontiguousarray(positions, np.int32)}
