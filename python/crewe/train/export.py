"""A trained network as an ONNX file, checked against torch."""

from pathlib import Path

import numpy as np

__all__ = ["export"]

OPSET = 18


def export(checkpoint: Path, path: Path) -> float:
    """Write the averaged weights of a run as an ONNX graph with free image sizes.

    Parameters
    ----------
    checkpoint : Path
        Of `crewe.train.loop.train`.
    path : Path
        Where the ``.onnx`` goes.

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
    from crewe.train import networks

    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network = networks.Restorer({"light": networks.LIGHT, "full": networks.FULL}[state["recipe"]["network"]])
    network.load_state_dict(state["averaged"])
    network.eval()
    sizes = {0: torch.export.Dim("n", min=1), 2: 2 * torch.export.Dim("half_y"), 3: 2 * torch.export.Dim("half_x")}
    program = torch.onnx.export(
        network,
        (torch.zeros(2, 1, 64, 96),),
        input_names=["distorted"],
        output_names=["restored"],
        dynamic_shapes=(sizes,),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    program.save(str(path), external_data=False)
    x = np.random.default_rng(0).standard_normal((1, 1, 130, 54), dtype=np.float32)
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        expected = network(torch.from_numpy(x)).numpy()
    return float(np.abs(session.run(None, {"distorted": x})[0] - expected).max())
