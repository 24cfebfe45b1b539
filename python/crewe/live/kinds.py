"""What a session can make: one small frozen dataclass per kind of image."""

from dataclasses import dataclass
from typing import Any

from crewe._array import as_band, as_int, as_number, as_odd, as_positive
from crewe.imaging.exit_waves import as_scan
from crewe.imaging.ssb import as_optics
from crewe.optics import Aberrations, wavelength

__all__ = ["AIRPI", "ICOM", "SSB", "CenterOfMass", "ElectricField", "Kind", "RiCOM", "Sum", "VirtualDetector"]

Spec = tuple[str | float | int, ...]


@dataclass(frozen=True)
class RiCOM:
    """Real-time integrated centre of mass, ``(sy, sx)``: `crewe.imaging.ricom` while the scan runs.

    Parameters
    ----------
    kernel : int
        Odd full width [positions]. Small kernels emphasise fine detail; one as large as the scan gives iCOM.
    low, high : float, optional
        Band limits of the filter built into the kernel [cycles/position].

    References
    ----------
    Yu et al., Microsc. Microanal. 28 (2022) 1526, eqs. 3.4, 3.8 and 3.9.

    Examples
    --------
    >>> RiCOM(kernel=41, low=0.02)
    RiCOM(kernel=41, low=0.02, high=None)
    """

    kernel: int = 61
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        self._spec()

    def _spec(self) -> Spec:
        band = as_band(self.low, self.high, ("low", "high"), "cycles/position")
        return "ricom", as_odd(self.kernel, "kernel"), *band


@dataclass(frozen=True)
class VirtualDetector:
    """Counts of the pixels with ``inner <= distance from the centre < outer``, ``(sy, sx)``.

    The centre is the session's. With ``center="auto"`` it is the array's centre in the first scan, and the mean centre
    of mass of the scan before from then on.

    Parameters
    ----------
    inner, outer : float
        Radii [detector pixels]; ``outer=None``: no limit.

    Examples
    --------
    >>> VirtualDetector(inner=20.0, outer=60.0)
    VirtualDetector(inner=20.0, outer=60.0)
    """

    inner: float = 0.0
    outer: float | None = None

    def __post_init__(self) -> None:
        self._spec()

    def _spec(self) -> Spec:
        return "detector", *as_band(as_number(self.inner, "inner"), self.outer, ("inner", "outer"), "detector pixels")


@dataclass(frozen=True)
class CenterOfMass:
    """Centre of mass against the centre, in the axes of the scan, ``(sy, sx, 2)`` as (y, x) [detector pixels].

    Examples
    --------
    >>> CenterOfMass()
    CenterOfMass()
    """

    def _spec(self) -> Spec:
        return ("com",)


@dataclass(frozen=True)
class ICOM:
    """Centre of mass integrated by Fourier transform, ``(sy, sx)``: `crewe.imaging.icom`.

    It is made as a whole: while the scan runs as often as a tenth of the time allows, when it is asked for, and at the
    end.

    Parameters
    ----------
    high_pass : float
        Frequencies below are left out [cycles/position].

    Examples
    --------
    >>> ICOM(high_pass=0.01)
    ICOM(high_pass=0.01)
    """

    high_pass: float = 0.0

    def __post_init__(self) -> None:
        self._spec()

    def _spec(self) -> Spec:
        return "icom", as_number(self.high_pass, "high_pass", 0, unit="cycles/position")


@dataclass(frozen=True)
class ElectricField:
    """Projected electric field −θ·pv/e, ``(sy, sx, 2)`` as (y, x) [V]: `crewe.imaging.electric_field`.

    Parameters
    ----------
    energy : float
        Of the beam [eV].
    angle_per_pixel : float
        Of the detector [mrad].

    Examples
    --------
    >>> ElectricField(energy=200e3, angle_per_pixel=0.5)
    ElectricField(energy=200000.0, angle_per_pixel=0.5)
    """

    energy: float
    angle_per_pixel: float

    def __post_init__(self) -> None:
        self._spec()

    def _spec(self) -> Spec:
        wavelength(self.energy)
        return "field", float(self.energy), as_positive(self.angle_per_pixel, "angle_per_pixel", "mrad")


@dataclass(frozen=True)
class Sum:
    """Sum of all diffraction patterns (PACBED), ``(ky, kx)``.

    A position counts once: frames that come again for it are left out of the sum; events add up.

    Examples
    --------
    >>> Sum()
    Sum()
    """

    def _spec(self) -> Spec:
        return ("sum",)


@dataclass(frozen=True)
class SSB:
    """Phase of a weak object [rad], ``(sy, sx)``: `crewe.imaging.ssb` while the scan runs.

    Patterns aren't kept: the bright pixels of one line of the scan are, and a sum for every frequency. The image is
    made of them as a whole, as `ICOM` is. A position counts once: with the frame that came first; events add up.

    Centre, rotation and transposition are the session's (with ``center="auto"`` the array's centre in the first scan,
    and the mean centre of mass of the scan before from then on; `descan` isn't followed). A change of them or of the
    kind takes effect with the next scan.

    Parameters
    ----------
    energy : float
        Of the beam [eV].
    semiangle : float
        Of the bright disc [mrad].
    step : float
        Distance of probe positions [Å].
    angle_per_pixel : float
        Of the detector [mrad].
    aberrations : Aberrations, optional
        Of the probe, azimuths in the detector's axes.
    wiener : float, optional
        As in `crewe.imaging.ssb`: None for high dose, about 1 for low dose.

    Examples
    --------
    >>> SSB(energy=300e3, semiangle=20.0, step=0.2, angle_per_pixel=1.4).wiener is None
    True
    """

    energy: float
    semiangle: float
    step: float
    angle_per_pixel: float
    aberrations: Aberrations | None = None
    wiener: float | None = None

    def __post_init__(self) -> None:
        self._spec()

    def _spec(self) -> tuple[Any, ...]:
        numbers = (self.energy, self.semiangle, self.step, self.angle_per_pixel)
        return "ssb", *as_optics(*numbers, self.aberrations, self.wiener)


@dataclass(frozen=True)
class AIRPI:
    """Phase by a network that sees nine neighbouring patterns [rad], ``(sy, sx)``: `crewe.imaging.airpi` while the scan
    runs.

    A thread of the session's follows the probe by a scan line or two: the network sees a line when the one below it is
    complete. Patterns are kept, joined to the pixels of the network, for the lines that wait and for three more; with
    positions in disorder, for all lines whose neighbours are missing. Where the network is slower than the scan, up to
    `ahead` lines wait for it; then `Session.push` waits too and says so by a RuntimeWarning, or raises
    `crewe.BusyError` if the session was made with ``on_full="busy"``. Nothing is left out. `Session.finish` and `close`
    wait until all lines are worked on, and take what is missing of the scan as empty.

    A network that fails ends its image for this scan, and nothing else: see `Session.errors`.

    Centre, rotation and transposition are the session's, as for `SSB`; a change of them or of the kind takes effect
    with the next scan. A position counts once, with the frame that came first. Single electrons add up: their line is
    complete once two blocks of them lie behind it; electrons that come later are left out and reported.

    Parameters
    ----------
    energy : float
        Of the beam [eV].
    semiangle : float
        Of the bright disc [mrad].
    step : float
        Distance of probe positions [Å].
    angle_per_pixel : float
        Of the detector [mrad].
    aberrations : Aberrations, optional
        Of the probe, azimuths in the detector's axes.
    model : str or Model
        As in `crewe.imaging.airpi`.
    ahead : int
        Scan lines that may wait for the network.

    Examples
    --------
    >>> AIRPI(energy=300e3, semiangle=20.0, step=0.2, angle_per_pixel=1.4).ahead
    64
    """

    energy: float
    semiangle: float
    step: float
    angle_per_pixel: float
    aberrations: Aberrations | None = None
    model: Any = "imaging-airpi"
    ahead: int = 64

    def __post_init__(self) -> None:
        as_scan(self.energy, self.semiangle, self.step, self.angle_per_pixel, aberrations=self.aberrations)
        as_int(self.ahead, "ahead", 1)

    def _spec(self) -> Spec:
        return ("external",)


Kind = RiCOM | VirtualDetector | CenterOfMass | ICOM | ElectricField | Sum | SSB | AIRPI
