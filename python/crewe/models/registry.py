"""What `registry.toml` says of the models in the package."""

import builtins
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from crewe.errors import ModelError

__all__ = ["Info", "content", "info", "list"]

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Info:
    """What is known of a model.

    Attributes
    ----------
    name, file, sha256 : str
        The file lies beside `registry.toml`.
    axes : str
        Of the input and of what comes out, as in ``"n 1 y x -> n 1 y x"``.
    pixel_size : (float, float)
        The range that it was trained for [Å].
    training_data, recipe, figures, licence : str
        What it was trained on and how, what it reaches, and under which terms it may be used.
    options : mapping
        What this kind of network wants to be known; of restoration `radius`, how many pixels away an input pixel still
        counts, `lines`, whether shifted ones are put back, `slow` and `window`, over how many pixels what the recorded
        image has more or less of is put back (`restore.electrons`); without them none of this is done.

    Examples
    --------
    >>> info("stem-hr").licence
    'BSD-3-Clause'
    """

    name: str
    file: str
    sha256: str
    axes: str
    pixel_size: tuple[float, float]
    training_data: str
    recipe: str
    figures: str
    licence: str
    options: Mapping[str, Any]


@cache
def _entries() -> dict[str, Info]:
    entries = tomllib.loads((FOLDER / "registry.toml").read_text(encoding="utf-8"))
    return {
        name: Info(**{"options": {}, **entry, "name": name, "pixel_size": tuple(entry["pixel_size"])})
        for name, entry in entries.items()
    }


def list() -> builtins.list[str]:
    """The names of all models.

    Returns
    -------
    list of str

    Examples
    --------
    >>> import crewe
    >>> all(isinstance(name, str) for name in crewe.models.list())
    True
    """
    return sorted(_entries())


def info(name: str) -> Info:
    """What is known of a model, without loading it.

    Raises
    ------
    ModelError
        There is no such model.
    """
    try:
        return _entries()[name]
    except (KeyError, TypeError):
        raise ModelError(f"model: one of {', '.join(list()) or 'none at all'} wanted, {name!r} came") from None


def content(model: Info) -> bytes:
    """The bytes of a model's file, if they are those that the registry means."""
    path = FOLDER / model.file
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: the file of the model {model.name} can't be read: {error.strerror}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != model.sha256:
        raise ModelError(
            f"{path}: not the file of the model {model.name}: sha256 {model.sha256} wanted, {found} came; "
            "install crewe again"
        )
    return data
