"""Trained networks: what there is, where it comes from, and running it with ONNX Runtime.

Every `.onnx` file of this folder has an entry in `registry.toml`: file, sha256, axes, pixel size, training data,
recipe, figures, licence. A file is loaded only if its hash is the one of its entry. ONNX Runtime is imported when a
model is loaded (``pip install 'crewe[onnx]'``).
"""

from crewe.models.registry import Info, list
from crewe.models.serve import Model, load

__all__ = ["Info", "Model", "list", "load"]
