"""Running a model with ONNX Runtime: on the CPU, there with OpenVINO, or with CUDA; never on another than asked."""

import contextlib
import io
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._array import as_choice, as_threads
from crewe.errors import DeviceError, ModelError
from crewe.models.registry import Info, content, info

__all__ = ["Model", "load"]

#: (device, precision) → what ONNX Runtime calls it, and what brings it.
_PROVIDERS = {
    ("cpu", "f32"): ("CPUExecutionProvider", "crewe[onnx]"),
    ("cpu", "f16"): ("OpenVINOExecutionProvider", "crewe[openvino]"),
    ("cuda", "f32"): ("CUDAExecutionProvider", "onnxruntime-gpu[cuda,cudnn]"),
}


def _options(provider: str, threads: int) -> dict[str, str]:
    if provider == "CUDAExecutionProvider":
        return {"use_tf32": "0"}
    if provider == "OpenVINOExecutionProvider":
        # Its option `precision` knows no f16 on CPUs; a CPU without f16 computes this hint in bf16.
        hints = {"INFERENCE_PRECISION_HINT": "f16"} | ({"INFERENCE_NUM_THREADS": str(threads)} if threads else {})
        return {"device_type": "CPU", "load_config": json.dumps({"CPU": hints})}
    return {}


class Model:
    """A loaded model.

    Attributes
    ----------
    info : Info
        What the registry says of it.
    provider : str
        The part of ONNX Runtime that computes, such as ``"CPUExecutionProvider"``.

    Examples
    --------
    >>> load("stem-hr").run(np.zeros((2, 1, 32, 48), np.float32)).shape
    (2, 1, 32, 48)
    """

    def __init__(self, about: Info, data: bytes, *, threads: int, device: str, precision: str) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise ImportError("models run on ONNX Runtime: pip install 'crewe[onnx]'") from None
        wanted, package = _PROVIDERS[device, precision]
        available = onnxruntime.get_available_providers()
        if wanted not in available:
            raise DeviceError(
                f"device {device!r}, precision {precision!r}: {wanted} wanted, this ONNX Runtime has "
                f"{', '.join(available)}; pip install '{package}'"
            )
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.log_severity_level = 3  # errors only: they come as exceptions too
        if device == "cuda":  # the libraries that pip installs lie on no search path; what is missing it would print
            with contextlib.redirect_stdout(io.StringIO()):
                onnxruntime.preload_dlls()
        if wanted == "OpenVINOExecutionProvider":  # all of the graph or nothing
            settings.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        try:
            session = onnxruntime.InferenceSession(data, settings, providers=[(wanted, _options(wanted, threads))])
        except Exception as error:  # ONNX Runtime has a class for every reason
            raise ModelError(f"{about.file}: ONNX Runtime can't load it: {error}") from error
        self.info = about
        self.provider = str(session.get_providers()[0])
        if self.provider != wanted:
            raise DeviceError(
                f"device {device!r}: {wanted} wanted, ONNX Runtime fell back on {self.provider}; its libraries are "
                f"missing: pip install '{package}'"
            )
        self._session = session
        self._inputs = [(one.name, len(one.shape)) for one in session.get_inputs()]
        self._outputs = [one.name for one in session.get_outputs()]

    def run(self, *batches: NDArray[np.float32]) -> Any:
        """Put batches through the network, one per input.

        Parameters
        ----------
        *batches : ndarray float32
            With the axes that `info.axes` names.

        Returns
        -------
        ndarray float32, or a tuple of them where the network has several outputs

        Raises
        ------
        TypeError, ValueError
            Not float32 arrays, not as many as there are inputs, or not as many axes as an input has.
        """
        if len(batches) != len(self._inputs):
            raise ValueError(f"{self.info.name}: {len(self._inputs)} inputs wanted, {len(batches)} came")
        binding = self._session.io_binding()
        for (name, axes), batch in zip(self._inputs, batches, strict=True):
            if not isinstance(batch, np.ndarray) or batch.dtype != np.float32:
                what = batch.dtype if isinstance(batch, np.ndarray) else type(batch).__name__
                raise TypeError(f"{self.info.name}: a float32 array wanted, {what} came")
            if batch.ndim != axes:
                raise ValueError(f"{self.info.name}: {self.info.axes}: {axes} axes wanted, {batch.shape} came")
            binding.bind_cpu_input(name, np.ascontiguousarray(batch))
        for name in self._outputs:
            binding.bind_output(name)
        self._session.run_with_iobinding(binding)
        results = tuple(binding.copy_outputs_to_cpu())
        return results[0] if len(results) == 1 else results

    def __repr__(self) -> str:
        return f"<model {self.info.name}: {self.info.file} on {self.provider}>"


def load(name: str, *, threads: int = 0, device: str = "cpu", precision: str | None = None) -> Model:
    """Load a model of the package.

    Parameters
    ----------
    name : str
        One of `list()`.
    threads : int
        Of one `run`; 0: all cores.
    device : "cpu" or "cuda"
        "cuda" wants onnxruntime-gpu (``pip install 'onnxruntime-gpu[cuda,cudnn]'``) and a driver.
    precision : "f32" or "f16", optional
        Default: f32. f16 on the CPU is OpenVINO's (``pip install 'crewe[openvino]'``), computed in f16 or bf16,
        whichever the CPU has: twice as fast and more, results differ in the third digit.

    Returns
    -------
    Model

    Raises
    ------
    ModelError
        There is no such model, or its file is not the one that the registry means.
    DeviceError
        The device, or the precision on it, isn't there. Nothing else is taken instead.
    ImportError
        ONNX Runtime isn't installed.

    Examples
    --------
    >>> import crewe
    >>> model = crewe.models.load("stem-hr")
    >>> model.provider, model.info.licence
    ('CPUExecutionProvider', 'BSD-3-Clause')
    """
    about = info(name)
    as_choice(device, "device", ("cpu", "cuda"))
    if precision is not None:
        as_choice(precision, "precision", ("f32", "f16"))
    if (device, precision or "f32") not in _PROVIDERS:
        raise ValueError(f"precision: 'f32' wanted on {device!r}, {precision!r} came")
    return Model(about, content(about), threads=as_threads(threads), device=device, precision=precision or "f32")
