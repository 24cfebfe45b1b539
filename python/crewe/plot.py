"""Pictures with matplotlib: images in grey, vectors on the colour wheel, strain, scale bars. Wants ``crewe[plot]``."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe._array import as_int, as_points, as_positive, as_reals
from crewe._color import legend, limits, wheel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["show", "strain", "vectors"]


def vectors(field: NDArray[Any], *, largest: float | None = None) -> NDArray[np.uint8]:
    """The colour wheel of DPC images: hue = direction, value = length.

    Red points right, yellow-green up, cyan left, blue-violet down.

    Parameters
    ----------
    field : array (..., 2)
        Vectors (y, x): `crewe.imaging.com`, `crewe.imaging.electric_field`; y points down.
    largest : float, optional
        The length drawn at full value [unit of `field`]; default: one that 99.9 % of the vectors don't reach.

    Returns
    -------
    array (..., 3) uint8
        Red, green, blue.

    Raises
    ------
    ValueError
        The last axis isn't 2 long, or `largest` isn't positive.

    Examples
    --------
    >>> import numpy as np
    >>> from crewe.plot import vectors
    >>> vectors(np.array([[0.0, 1.0], [0.0, 0.5], [0.0, -1.0]]), largest=1.0).tolist()
    [[255, 0, 0], [128, 0, 0], [0, 255, 255]]
    """
    field = as_reals(field, "field", finite=False)
    if field.ndim < 1 or field.shape[-1] != 2:
        raise ValueError(f"field: shape (..., 2) wanted, {field.shape} came")
    if largest is not None:
        largest = as_positive(largest, "largest")
    return wheel(field, largest=largest)


def show(
    images: Mapping[str, NDArray[Any]] | NDArray[Any],
    *,
    step: float | None = None,
    unit: str = "Å",
    columns: int = 3,
    size: float = 3.5,
) -> "Figure":
    """Images side by side: grey from the 0.1 % darkest to the 0.1 % brightest pixels, vector maps on the colour wheel.

    Parameters
    ----------
    images : dict of arrays, or one array
        Name → (y, x), (y, x, 2) or complex (y, x), of which the phase is shown; a `crewe.live.Session`'s images.
    step : float, optional
        Distance of neighbouring pixels [`unit`]: draws a scale bar.
    unit : str
        Of `step`.
    columns : int
        Images in a row.
    size : float
        Of an image [inches].

    Returns
    -------
    matplotlib.figure.Figure
        Not drawn on the screen yet: a notebook does that, ``figure.savefig(...)``, or ``matplotlib.pyplot.show()``.

    Raises
    ------
    ImportError
        matplotlib isn't installed.
    ValueError
        No images, or one of another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from crewe import plot
    >>> figure = plot.show({"ricom": np.eye(64, dtype=np.float32), "com": np.ones((64, 64, 2))}, step=0.2)
    >>> [axes.get_title() for axes in figure.axes[:2]]
    ['ricom', 'com']
    """
    named = dict(images) if isinstance(images, Mapping) else {"": images}
    if not named:
        raise ValueError("images: at least one wanted, none came")
    columns = min(as_int(columns, "columns", 1), len(named))
    size = as_positive(size, "size", "inches")
    if step is not None:
        step = as_positive(step, "step", unit)
    rows = -(-len(named) // columns)
    figure = _figure(size * columns, size * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, (name, image) in zip(grid.flat, named.items(), strict=False):
        _draw(axes, name, np.asarray(image))
        if step is not None:
            _scale_bar(axes, np.asarray(image).shape[1], step, unit)
    for axes in grid.flat[len(named) :]:
        axes.set_visible(False)
    return figure


def strain(
    parts: Iterable[NDArray[Any]], *, positions: ArrayLike | None = None, limit: float | None = None, size: float = 3.5
) -> "Figure":
    """Strain and rotation side by side, blue negative, white zero, red positive: ε [%], ω [°].

    Parameters
    ----------
    parts : crewe.strain.Strain, or four arrays
        ε_yy, ε_xx, ε_xy, ω [rad]: maps (ny, nx), or one number per column (n,).
    positions : array_like (n, 2), optional
        The columns (y, x), wanted with numbers per column.
    limit : float, optional
        The strain, and the rotation [rad], at full colour; default: what 99 % of the numbers don't exceed, one for the
        three strains and one for the rotation.
    size : float
        Of an image [inches].

    Returns
    -------
    matplotlib.figure.Figure
        As from `show`.

    Raises
    ------
    ImportError
        matplotlib isn't installed.
    ValueError
        Not four arrays of one shape, or `positions` that don't fit them.

    Examples
    --------
    >>> import numpy as np
    >>> from crewe import plot
    >>> figure = plot.strain(np.random.default_rng(0).normal(0, 0.01, (4, 32, 32)))
    >>> [axes.get_title() for axes in figure.axes[:4]]
    ['ε_yy [%]', 'ε_xx [%]', 'ε_xy [%]', 'ω [°]']
    """
    if not isinstance(parts, Iterable):
        raise TypeError(f"parts: four arrays wanted, {type(parts).__name__} came")
    values = [as_reals(part, "parts", finite=False) for part in parts]
    size = as_positive(size, "size", "inches")
    if limit is not None:
        limit = as_positive(limit, "limit")
    if len(values) != 4 or len({v.shape for v in values}) != 1:
        raise ValueError(f"parts: four arrays of one shape wanted, {[v.shape for v in values]} came")
    places = None if positions is None else as_points(positions)
    wanted = 2 if places is None else 1
    if values[0].ndim != wanted or (places is not None and places.shape != (len(values[0]), 2)):
        where = "no positions" if places is None else f"positions {places.shape}"
        raise ValueError(
            f"parts, positions: maps (ny, nx), or (n,) with positions (n, 2), wanted, "
            f"{values[0].shape} with {where} came"
        )
    figure = _figure(4.4 * size, size)
    panels = [(f"ε_{k} [%]", 100.0, values[:3]) for k in ("yy", "xx", "xy")] + [("ω [°]", np.rad2deg(1), values[3:])]
    for axes, value, (title, unit, together) in zip(figure.subplots(1, 4), values, panels, strict=True):
        most = _limit(together) if limit is None else limit
        scale = {"cmap": "RdBu_r", "vmin": -most * unit, "vmax": most * unit}
        if places is None:
            drawn = axes.imshow(value * unit, **scale)
        else:
            dot = (0.8 * 72 * size) ** 2 / len(value)  # [points²]: about the room of a column
            drawn = axes.scatter(places[:, 1], places[:, 0], c=value * unit, s=dot, linewidths=0, **scale)
            axes.set_aspect("equal")
            axes.invert_yaxis()
        figure.colorbar(drawn, ax=axes, shrink=0.8)
        axes.set_title(title)
        axes.set_axis_off()
    return figure


def _limit(values: list[NDArray[np.float64]]) -> float:
    sizes = np.abs(np.concatenate([v.ravel() for v in values]))
    sizes = sizes[np.isfinite(sizes)]
    return max(float(np.quantile(sizes, 0.99)), 1e-6) if sizes.size else 1.0


def _figure(width: float, height: float) -> "Figure":
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("crewe.plot wants matplotlib: pip install 'crewe[plot]'") from error
    return Figure(figsize=(width, height), layout="constrained")


def _draw(axes: Any, name: str, image: NDArray[Any]) -> None:
    if image.ndim == 3 and image.shape[-1] == 2:
        axes.imshow(wheel(image))
        key = axes.inset_axes((0.84, 0.84, 0.15, 0.15))
        disc = legend(64)
        inside = np.hypot(*(np.mgrid[:64, :64] - 31.5)) <= 32
        key.imshow(np.dstack([disc, np.where(inside, 255, 0).astype(np.uint8)]))
        key.set_axis_off()
    elif image.ndim == 2:
        values = np.angle(image) if np.iscomplexobj(image) else image
        low, high = limits(values)
        axes.imshow(values, cmap="gray", vmin=low, vmax=high)
    else:
        raise ValueError(f"images[{name!r}]: shape (y, x) or (y, x, 2) wanted, {image.shape} came")
    axes.set_title(name)
    axes.set_axis_off()


def _scale_bar(axes: Any, pixels: int, step: float, unit: str) -> None:
    """A bar of 1, 2 or 5 times a power of ten, about a quarter of the image's width."""
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    target = pixels * step / 4
    power = 10.0 ** np.floor(np.log10(target))
    length = float(max(m * power for m in (1, 2, 5) if m * power <= target))
    left, width = 0.04, length / (pixels * step)
    axes.add_patch(
        Rectangle((left, 0.04), width, 0.015, transform=axes.transAxes, facecolor="w", edgecolor="k", lw=0.4)
    )
    words = axes.text(
        left + width / 2, 0.07, f"{length:g} {unit}", color="w", ha="center", va="bottom", transform=axes.transAxes
    )
    words.set_path_effects([withStroke(linewidth=1.5, foreground="k")])
