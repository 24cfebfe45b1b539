"""One diffraction pattern per probe position → images: pure functions on arrays."""

from crewe.imaging.airpi import airpi
from crewe.imaging.integrate import electric_field, icom, idpc
from crewe.imaging.patterns import com, virtual_image
from crewe.imaging.ricom import ricom, ricom_kernel, ricom_transfer
from crewe.imaging.rotation import fit_rotation, rotate
from crewe.imaging.ssb import ssb

__all__ = [
    "airpi",
    "com",
    "electric_field",
    "fit_rotation",
    "icom",
    "idpc",
    "ricom",
    "ricom_kernel",
    "ricom_transfer",
    "rotate",
    "ssb",
    "virtual_image",
]
