"""Undistorted images for training: random crystals, amorphous matter, particles, grains; real structures, as radial
models or by multislice; and pairs of distorted and undistorted images.
"""

from crewe.specimen.draw import MODES, Specimen, pairs, random_specimen
from crewe.specimen.images import random_model, render
from crewe.specimen.matter import Atoms
from crewe.specimen.structures import multislice, place, structure

__all__ = [
    "MODES",
    "Atoms",
    "Specimen",
    "multislice",
    "pairs",
    "place",
    "random_model",
    "random_specimen",
    "render",
    "structure",
]
