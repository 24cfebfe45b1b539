"""A trained network as an ONNX file, checked against torch."""

from pathlib import Path

import numpy as np

from crewe.train.loop import Recipe
from crewe.train.restoration import RestoreRecipe

__all__ = ["export"]

OPSET = 18


def export(checkpoint: Path, path: Path, kind: type[Recipe] = RestoreRecipe) -> float:
    """Write the averaged weights of a run as an ONNX graph.

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
        Largest difference between torch and ONNX Runtime on inputs of other sizes than those of the export.

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
    recipe = kind(**state["recipe"])
    network = recipe.make()
    network.load_state_dict(state["averaged"])
    network.eval()
    made, others = (tuple(torch.from_numpy(a) for a in inputs) for inputs in recipe.examples())
    rows, columns = (kind.multiple * torch.export.Dim(name, min=1) for name in ("rows", "columns"))
    sizes = {0: torch.export.Dim("n", min=1), 2: rows, 3: columns}
    free = [{k: sizes[k] for k in range(a.ndim) if a.shape[k] != b.shape[k]} for a, b in zip(made, others, strict=True)]
    program = torch.onnx.export(
        network,
        made,
        input_names=list(kind.inputs),
        output_names=list(kind.outputs),
        dynamic_shapes=tuple(free),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()  # the lines of code that made it, with the folders of this machine
    program.model.metadata_props.update(kind.metadata)
    program.save(str(path), external_data=False)
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        expected = network(*others)
    expected = expected if len(kind.outputs) > 1 else (expected,)
    found = session.run(None, {name: a.numpy() for name, a in zip(kind.inputs, others, strict=True)})
    return max(float(np.abs(a - b.numpy()).max()) for a, b in zip(found, expected, strict=True))
