"""A trained network as an ONNX file, checked against torch."""

from pathlib import Path

import numpy as np

from crewe.train.loop import Recipe
from crewe.train.restoration import RestoreRecipe

__all__ = ["export"]

OPSET = 18


def export(checkpoint: Path, path: Path, kind: type[Recipe] = RestoreRecipe) -> float:
    """Write the averaged weights of a run as an ONNX graph with free image sizes.

    Parameters
    ----------
    checkpoint : Path
        Of `crewe.train.loop.train`.
    path : Path
        Where the ``.onnx`` goes.
    kind : type
        Of the run's recipe.

    Returns
    -------
    float
        Largest difference between torch and ONNX Runtime on an image of another size than that of the export.

    Raises
    ------
    ImportError
        torch, onnxscript or onnxruntime is not installed.
    """
    try:
        import onnxruntime
        import torch
    except ImportError as error:
        raise ImportError(f"{error.name} is wanted: pip install 'crewe[train]'") from None
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network = kind(**state["recipe"]).make()
    network.load_state_dict(state["averaged"])
    network.eval()
    y, x = (kind.multiple * torch.export.Dim(name, min=1) for name in ("rows", "columns"))
    program = torch.onnx.export(
        network,
        (torch.zeros(2, kind.channels, 64, 96),),
        input_names=[kind.input],
        output_names=list(kind.outputs),
        dynamic_shapes=({0: torch.export.Dim("n", min=1), 2: y, 3: x},),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    program.save(str(path), external_data=False)
    image = np.random.default_rng(0).standard_normal((1, kind.channels, 144, 48), dtype=np.float32)
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        expected = network(torch.from_numpy(image))
    expected = expected if len(kind.outputs) > 1 else (expected,)
    found = session.run(None, {kind.input: image})
    return max(float(np.abs(a - b.numpy()).max()) for a, b in zip(found, expected, strict=True))
