"""The errors of crewe. All are subclasses of built-in ones, so that `except ValueError` keeps working."""

from typing import Any

__all__ = ["BusyError", "DeviceError", "FormatError", "ModelError"]


class FormatError(ValueError):
    """Damaged data. What was decoded before the damage has been handed out and stays usable.

    Parameters
    ----------
    message : str
        What is wrong, with the place.
    offset : int
        The byte at which the damage was met.

    Attributes
    ----------
    decoded : object
        What a function that decodes a whole buffer made of the good part; None where it was handed out before.
    """

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset
        self.decoded: Any = None


class DeviceError(RuntimeError):
    """A device that isn't there, is full or failed."""


class BusyError(RuntimeError):
    """A queue is full and the session was told not to wait (``on_full="busy"``)."""


class ModelError(ValueError):
    """A model file that isn't there, or isn't the one that the registry names."""
