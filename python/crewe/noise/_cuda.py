"""Chains for images on a GPU: written down stage by stage, then done in one call of `crewe._cuda`."""

from functools import partial
from typing import Any

import numpy as np

from crewe._device import DeviceView, extension

__all__ = ["Chain"]


class Chain:
    """Stands for the images while the stages of a chain look at their options; `run` does them all at once.

    The stages are those of the device whatever their order here: that of `stem` or of `tem`.
    """

    def __init__(self, source: DeviceView) -> None:
        self.source = source
        self.shape = source.shape[-2:]
        self._stages: dict[str, dict[str, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("noise_"):
            raise AttributeError(name)
        return partial(self._note, name.removeprefix("noise_"))

    def _note(self, name: str, *_images: Any, **options: Any) -> None:
        self._stages[name] = options

    def noise_quantile(self, _image: Any, q: float, **_options: Any) -> float:
        """The value is found when the chain runs."""
        self._stages["quantile"] = {"q": q}
        return 0.0

    def run(self, kind: str, settings: dict[str, Any]) -> tuple[Any, Any]:
        """The images, and the shifts of lines: (..., y, 2)."""
        images = self.source
        out = images.empty(images.shape, np.float32)
        shifts = images.empty((*images.shape[:-1], 2), np.float64)
        options: dict[str, Any] = {
            "electrons": settings["electrons_per_pixel"],
            "seed": settings["seed"],
            "black": self._found("black_pixels", "count", "steps", "range"),
            "zingers": self._found("zingers", "count", "steps", "range"),
            "clip": self._clip(),
            "bits": settings["bits"] or 0,
        }
        if kind == "tem":
            sigmas = {name: self._stages.get(name, {"sigma": 0.0})["sigma"] for name in _SIGMAS}
            dark = self._found("dark_current", "mean", "std", "hot")
            extension().noise_camera_chain(
                images, out, shifts, sensor=settings["sensor"], mtf=self._found("mtf", "a", "b", "c"),
                dark_current=dark, **sigmas, **options,
            )  # fmt: skip
        else:
            extension().noise_scan_chain(
                images,
                out,
                shifts,
                jitter=self._found("jitter_series", "sigma", "phi"),
                detector=self._found("pmt", "width", "pedestal"),
                response=self._stages.get("fast_scan", {"response": []})["response"],
                row_lines=self._found("row_lines", "count", "length", "factor"),
                **options,
            )
        return out.owner, shifts.owner

    def _found(self, stage: str, *names: str) -> Any:
        """The options of a stage in this order; None where it is off."""
        options = self._stages.get(stage)
        return None if options is None else tuple(options[name] for name in names)

    def _clip(self) -> Any:
        if "clip" not in self._stages:
            return None
        quantile = self._stages.get("quantile", {"q": None})["q"]
        return (None if quantile is not None else self._stages["clip"]["maximum"], quantile)


_SIGMAS = ("fixed_pattern", "thermal", "flicker", "reset")
