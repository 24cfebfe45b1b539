"""The sixteen statements of Ederer and Löffler (2022) that images can check, and the numbers that decide them."""

from typing import Any, NamedTuple

import numpy as np

from benchmarks.studies.images import Crystal, Image, counted, perfect
from crewe import metrics, noise

METRICS = {"mse": metrics.mse, "ssim": metrics.ssim, "cw": metrics.cw_ssim, "sift": metrics.sift}
THREE = ("mse", "cw", "sift")
DOSES = (1e5, 5e4, 15e3, 5e3, 2e3, 1e3, 5e2, 2e2, 100, 80, 50, 20, 10, 5, 2, 1)  # e/nm²
LOW = (80, 50, 20, 10)  # those below 100 e/nm² on which statement 13 is judged
WEAK = 0.05  # electrons: the weak normal noise

Scores = dict[str, float]


class Claim(NamedTuple):
    number: int
    statement: str
    holds: bool
    measured: str


class Case:
    """A reference, what is done to it, and every difference, the mean of several draws where noise is drawn."""

    def __init__(self, crystal: Crystal, other: Crystal, depth: int, draws: int) -> None:
        self.name = f"{crystal.name} {crystal.side * depth / 10:.1f} nm"
        self.draws, self.area = draws, (crystal.side / 32 / 10) ** 2
        self.reference = a = perfect(crystal, depth)
        self.other = perfect(other, round(depth * crystal.side / other.side))
        black = np.zeros_like(a)
        self.still = {
            "identical": a,
            "half a cell": np.roll(a, 16 // crystal.periods, axis=1),
            "−2 nm": perfect(crystal, depth, defocus=-20.0),
            other.name: self.other,
            "reversed": a.max() + a.min() - a,
            "black": black,
            "blur": noise.gaussian_blur(a, sigma=3.0),
        }
        self.scores: dict[str, Scores] = {name: self._score([image]) for name, image in self.still.items()}
        self.scores["noise alone"] = self._drawn(lambda k: counted(black, np.inf, k, gauss=1.0))
        self.scores["5000"] = self._dosed(a, 5000)
        self.scores["5000, σ 2"] = self._dosed(a, 5000, 2.0)
        self.scores["blur, 5000, σ 2"] = self._dosed(self.still["blur"], 5000, 2.0)
        self.plain = {dose: self._dosed(a, dose) for dose in DOSES}
        self.weak = {dose: self._dosed(a, dose, WEAK) for dose in DOSES}
        self.strange = {dose: self._dosed(self.other, dose) for dose in DOSES}
        self.crystal, self.material = crystal, other.name

    def _score(self, images: list[Image]) -> Scores:
        stack = np.stack(images)
        return {name: float(np.mean(metric(self.reference, stack, threads=1))) for name, metric in METRICS.items()}

    def _drawn(self, draw: Any) -> Scores:
        return self._score([draw(seed) for seed in range(self.draws)])

    def _dosed(self, image: Image, dose: float, gauss: float = 0.0) -> Scores:
        return self._drawn(lambda seed: counted(image, dose * self.area, seed, gauss=gauss))


def check(case: Case) -> list[Claim]:
    """Every statement: does it hold, and by which numbers?"""
    s, plain, weak = case.scores, case.plain, case.weak
    black, alone = s["black"], s["noise alone"]
    shot, gauss, mixed = s["5000"], s["5000, σ 2"], s["blur, 5000, σ 2"]
    other, defocus, half, inverse = (s[name] for name in (case.material, "−2 nm", "half a cell", "reversed"))
    gap = {dose: {m: case.strange[dose][m] - plain[dose][m] for m in THREE} for dose in (100, 20)}

    def say(scores: Scores, names: Any = THREE) -> str:
        return ", ".join(f"{_NAMES[name]} {scores[name]:.3f}" for name in names)

    return [
        Claim(1, "an identical image: 0", max(s["identical"].values()) < 1e-6, say(s["identical"], METRICS)),
        Claim(
            2,
            "half a cell (as projected) of shift: all above 0.5 but CW-SSIM",
            min(half[m] for m in ("mse", "ssim", "sift")) > 0.5 > half["cw"],
            say(half, METRICS),
        ),
        Claim(
            3,
            "−2 nm of defocus: SIFT 0.18, CW-SSIM 0.16, MSE 0.07 (± 0.05)",
            all(abs(defocus[m] - want) < 0.05 for m, want in (("sift", 0.18), ("cw", 0.16), ("mse", 0.07))),
            say(defocus, METRICS),
        ),
        Claim(
            4,
            "another material: 0.5 to 0.75 but MSE",
            all(0.5 <= other[m] <= 0.75 for m in ("ssim", "cw", "sift")),
            say(other, METRICS),
        ),
        Claim(
            5,
            "contrast reversed: large (MSE 0.3, SSIM and SIFT 0.5) but for CW-SSIM, which doesn't see it (0.05)",
            inverse["mse"] > 0.3 and min(inverse["ssim"], inverse["sift"]) > 0.5 and inverse["cw"] < 0.05,
            say(inverse, METRICS),
        ),
        Claim(6, "noise alone: 0.7 (± 0.1)", all(abs(alone[m] - 0.7) <= 0.1 for m in THREE), say(alone)),
        Claim(7, "black: the maximum for MSE and CW-SSIM", black["mse"] == black["cw"] == 1, say(black, ("mse", "cw"))),
        Claim(8, "noise alone: less than black", all(alone[m] < black[m] for m in THREE), f"{say(alone)}; black 1"),
        Claim(
            9,
            "15000 e/nm²: CW-SSIM is above 0.16 already",
            plain[15e3]["cw"] > 0.16,
            say(plain[15e3]),
        ),
        Claim(
            10,
            "normal noise, σ = 2 e at 5000 e/nm²: a strong effect on all (0.05 and more)",
            all(gauss[m] - shot[m] >= 0.05 for m in THREE),
            "; ".join(f"{_NAMES[m]} {shot[m]:.3f} → {gauss[m]:.3f}" for m in THREE),
        ),
        Claim(
            11,
            "blur of 3 pixels: MSE sees it least",
            s["blur"]["mse"] == min(s["blur"].values()),
            say(s["blur"], METRICS),
        ),
        Claim(
            12,
            "blur and noise together: more than either",
            all(mixed[m] > max(gauss[m], s["blur"][m]) for m in THREE),
            "; ".join(f"{_NAMES[m]} {gauss[m]:.3f} → {mixed[m]:.3f}" for m in THREE),
        ),
        Claim(
            13,
            f"below 100 e/nm² ({', '.join(map(str, LOW))}): SIFT the lowest of three",
            all(plain[d]["sift"] == min(plain[d][m] for m in THREE) for d in LOW),
            "; ".join(f"{d}: {say(plain[d])}" for d in LOW),
        ),
        Claim(
            14,
            "no normal noise, dose → 0: the value of black (0.9 and more at 1 e/nm²)",
            all(plain[1][m] > 0.9 for m in THREE),
            say(plain[1]),
        ),
        Claim(
            15,
            f"σ = {WEAK} e, dose → 0: 0.7 (± 0.1) at 1 e/nm², and less than without",
            all(abs(weak[1][m] - 0.7) <= 0.1 and weak[1][m] < plain[1][m] for m in THREE),
            "; ".join(f"{_NAMES[m]} {plain[1][m]:.3f} → {weak[1][m]:.3f}" for m in THREE),
        ),
        Claim(
            16,
            "SIFT tells the materials apart best, to the lowest doses",
            all(gap[d]["sift"] == max(gap[d].values()) for d in gap),
            "; ".join(f"gap at {d}: {say(gap[d])}" for d in gap),
        ),
    ]


_NAMES = {"mse": "MSE", "ssim": "SSIM", "cw": "CW-SSIM", "sift": "SIFT"}
