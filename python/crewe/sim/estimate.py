"""What a run will take, before it begins: measured on a few of its own steps."""

import time
from dataclasses import dataclass

import numpy as np

from crewe._array import as_int, as_threads, cores
from crewe.sim._check import as_memory
from crewe.sim._propagate import MEMORY, Propagation
from crewe.sim.potential import Potential, rendered_at_a_time
from crewe.sim.waves import as_potential

__all__ = ["Estimate", "estimate"]


@dataclass(frozen=True)
class Estimate:
    """Of a run.

    Attributes
    ----------
    seconds : float
        Time on this machine as busy as it is now [s].
    memory : int
        Bytes for transmission functions, waves and slices under way, without the result.
    steps : int
        Waves times slices times configurations.

    Examples
    --------
    >>> print(Estimate(seconds=90.0, memory=2**30, steps=3000))
    3,000 steps, about 1 min 30 s, 1024 MiB
    """

    seconds: float
    memory: int
    steps: int

    def __str__(self) -> str:
        hours, minutes = divmod(int(self.seconds // 60), 60)
        long = f"{hours} h {minutes} min" if hours else f"{minutes} min {self.seconds % 60:.0f} s"
        spoken = long if self.seconds >= 60 else f"{self.seconds:.2g} s"
        return f"{self.steps:,} steps, about {spoken}, {self.memory / 2**20:.0f} MiB"


def estimate(
    potential: Potential, *, energy: float, waves: int = 1, threads: int = 0, memory: int = MEMORY
) -> Estimate:
    """Time and memory of so many waves through all configurations.

    Parameters
    ----------
    potential : Potential
        The specimen.
    energy : float
        Energy of the electrons [eV].
    waves : int
        Probe positions; 1 for a plane wave.
    threads, memory
        As the run will have them.

    Returns
    -------
    Estimate
        Takes as long as a few slices.

    Raises
    ------
    TypeError, ValueError
        Wrong arguments, named.

    Examples
    --------
    >>> vacuum = Potential.from_array(np.zeros((3, 64, 64), np.float32), sampling=0.1, slice_thickness=2.0)
    >>> estimate(vacuum, energy=200e3, waves=100).steps
    300
    """
    as_potential(potential)
    waves, threads, memory = as_int(waves, "waves", 1, 2**63 - 1), as_threads(threads), as_memory(memory)
    run = Propagation(potential, energy, threads=1, memory=memory)
    layers = potential.layers(0)
    few = min(2, layers.count)
    begin = time.process_time()
    slices = layers.render(0, few, 1)
    loaded = Propagation(
        Potential.from_array(slices, sampling=potential.sampling, slice_thickness=1.0), energy, threads=1
    )
    wave = loaded.waves(1, 0)
    loaded.advance(wave, 0, 0, few)
    making = (time.process_time() - begin) / few
    begin, count = time.process_time(), 0
    while count == 0 or time.process_time() - begin < 0.02:
        loaded.advance(wave, 0, 0, few)
        count += few
    step = (time.process_time() - begin) / count
    configurations = potential.configurations or 1
    fits = layers.count <= run.capacity
    rounds = 1 if fits else int(np.ceil(waves / run.batch))
    steps = waves * len(potential) * configurations
    seconds = (making * layers.count * configurations * rounds + step * steps) / min(cores(threads), cores(0))
    held = min(run.capacity, layers.count * configurations) * run.slice_bytes
    under_way = min(run.batch, waves) * run.wave_bytes
    pixel = np.dtype(potential.dtype).itemsize * potential.shape[0] * potential.shape[1]
    rendered = min(rendered_at_a_time(potential.shape, threads), layers.count) * 2 * pixel
    return Estimate(seconds, int(held + under_way + rendered), steps)
