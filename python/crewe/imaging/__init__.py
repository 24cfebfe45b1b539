"""One diffraction pattern per probe position → images: pure functions on arrays."""
