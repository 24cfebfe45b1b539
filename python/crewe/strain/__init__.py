"""Where the atoms stand beside a perfect lattice: lattices of column positions, strain per column and as maps.

Everywhere u is the displacement and e_ik = ∂u_i/∂x_k its derivative **at the place where the column is seen**
(Eulerian, e = 1 − F⁻¹): a lattice stretched by 2 % reads 1.961 %. `Strain.lagrangian` gives ∂u_i/∂X_k against the
undeformed places (F − 1), which reads 2 %.
"""

from crewe.strain.circuit import burgers
from crewe.strain.columns import from_positions
from crewe.strain.lattice import Lattice, displacement, lattice
from crewe.strain.phase import gpa
from crewe.strain.tensor import Strain

__all__ = ["Lattice", "Strain", "burgers", "displacement", "from_positions", "gpa", "lattice"]
