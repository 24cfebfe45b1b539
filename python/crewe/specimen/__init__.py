"""Undistorted images for training: crystals of all space groups, amorphous matter, particles, grains; and pairs."""

from crewe.specimen.draw import MODES, Specimen, pairs, random_specimen
from crewe.specimen.images import random_model, render
from crewe.specimen.matter import Atoms

__all__ = ["MODES", "Atoms", "Specimen", "pairs", "random_model", "random_specimen", "render"]
