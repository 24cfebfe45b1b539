"""Symmetry operations of the 230 space groups in all 530 settings, from their Hall symbols.

A Hall symbol names a lattice and up to four generators: [-]N, N = 1, 2, 3, 4, 6 the fold, a minus for the improper
rotation, then the axis (x, y, z, ' = the difference and " = the sum of the two axes across the last one, * = the body
diagonal) and translations. Hall, Acta Cryst. A37 (1981) 517; International Tables for Crystallography B (2010) A1.4.
"""

import re
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

__all__ = ["UNIT", "operations", "settings_of"]

#: Translations are whole numbers of 1/24 of a cell edge.
UNIT = 24

_LATTICES = {
    "P": [], "A": [(0, 12, 12)], "B": [(12, 0, 12)], "C": [(12, 12, 0)], "I": [(12, 12, 12)],
    "R": [(16, 8, 8), (8, 16, 16)], "F": [(0, 12, 12), (12, 0, 12), (12, 12, 0)],
}  # fmt: skip
_TRANSLATIONS = {
    "a": (12, 0, 0), "b": (0, 12, 0), "c": (0, 0, 12), "n": (12, 12, 12),
    "u": (6, 0, 0), "v": (0, 6, 0), "w": (0, 0, 6), "d": (6, 6, 6),
}  # fmt: skip
# Rotations about z; those about x and y follow by cyclic change of the axes.
_ABOUT_Z = {
    "1": ((1, 0, 0), (0, 1, 0), (0, 0, 1)), "2": ((-1, 0, 0), (0, -1, 0), (0, 0, 1)),
    "3": ((0, -1, 0), (1, -1, 0), (0, 0, 1)), "4": ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    "6": ((1, -1, 0), (1, 0, 0), (0, 0, 1)),
}  # fmt: skip
_ACROSS_Z = {"'": ((0, -1, 0), (-1, 0, 0), (0, 0, -1)), '"': ((0, 1, 0), (1, 0, 0), (0, 0, -1))}
_DIAGONAL = ((0, 0, 1), (1, 0, 0), (0, 1, 0))

Ints = NDArray[np.int64]


@cache
def _settings() -> dict[int, list[str]]:
    text = resources.files("crewe.specimen").joinpath("space_groups.txt").read_text(encoding="utf-8")
    found: dict[int, list[str]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            number, symbol = line.split(" ", 1)
            found.setdefault(int(number), []).append(symbol)
    return found


def settings_of(number: int) -> list[str]:
    """Hall symbols of all settings of a space group 1..230, the standard one first."""
    if number not in _settings():
        raise ValueError(f"number: a space group 1..230 wanted, {number!r} came")
    return _settings()[number]


def _rotation(fold: str, axis: str, last: str) -> Ints:
    if axis == "*":
        return np.array(_DIAGONAL)
    across = axis in _ACROSS_Z
    matrix = np.array(_ACROSS_Z[axis] if across else _ABOUT_Z[fold])
    place = "xyz".index(last if across else axis)
    turn = (place - 2) % 3  # z → x by one cyclic step, → y by two
    return np.roll(matrix, (turn, turn), axis=(0, 1))


def _generators(symbol: str) -> list[tuple[Ints, Ints]]:
    shift = np.zeros(3, np.int64)
    if "(" in symbol:
        symbol, rest = symbol.split("(")
        shift = np.array([2 * int(v) for v in rest.rstrip(") ").split()])
    lattice, *parts = symbol.split()
    identity = np.eye(3, dtype=np.int64)
    found = [(identity, np.array(t)) for t in _LATTICES[lattice.lstrip("-")]]
    if lattice.startswith("-"):
        found.append((-identity, np.zeros(3, np.int64)))
    axis, before = "z", ""
    for k, part in enumerate(parts):
        match = re.fullmatch(r"(-?)([12346])([xyz'\"*]?)([abcnuvwd1-5]*)", part)
        if match is None:
            raise ValueError(f"symbol: a Hall symbol wanted, {part!r} of {symbol!r} came")
        minus, fold, named, moves = match.groups()
        if not named:
            if k == 0 or fold == "1":
                named = "z"
            elif k == 1 and fold == "2":
                named = "x" if before in "24" else "'"
            else:
                named = "*"
        rotation = _rotation(fold, named, axis) * (-1 if minus else 1)
        move = np.zeros(3, np.int64)
        for letter in moves:
            if letter.isdigit():
                move["xyz".index(named)] += UNIT * int(letter) // int(fold)
            else:
                move += _TRANSLATIONS[letter]
        found.append((rotation, move + shift - rotation @ shift))
        if named in "xyz":
            axis = named
        before = fold
    return found


@cache
def operations(symbol: str) -> tuple[Ints, Ints]:
    """All operations of one cell: x → R·x + t/24 in fractional coordinates.

    Parameters
    ----------
    symbol : str
        A Hall symbol, as `settings_of` gives them.

    Returns
    -------
    rotations : ndarray (n, 3, 3) of int
    translations : ndarray (n, 3) of int
        In units of 1/24.

    Examples
    --------
    >>> operations("-F 4 2 3")[0].shape
    (192, 3, 3)
    """
    known = np.concatenate([np.eye(3, dtype=np.int64).ravel(), np.zeros(3, np.int64)])[None]
    one_number = np.concatenate([3 ** np.arange(9), 3**9 * UNIT ** np.arange(3)])  # -1, 0, 1 and 0 ... 23 as digits
    generators = _generators(symbol)
    while True:
        rotations, moves = known[:, :9].reshape(-1, 3, 3), known[:, 9:]
        more = [known]
        for rotation, move in generators:
            product = (rotation @ rotations).reshape(-1, 9)
            more.append(np.concatenate([product, (moves @ rotation.T + move) % UNIT], axis=1))
        every = np.concatenate(more)
        closed = every[np.unique(every @ one_number, return_index=True)[1]]
        if len(closed) == len(known):
            return rotations, moves
        known = closed
