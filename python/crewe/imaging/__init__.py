"""One diffraction pattern per probe position → images: pure functions on arrays."""

from crewe.imaging.patterns import com, virtual_image

__all__ = ["com", "virtual_image"]
