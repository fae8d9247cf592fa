"""onnxruntime as the backends use it: checked bytes in, a run that a cancel ends."""

import logging
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import numpy
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as engine

from sirene_inference.cancellation import Cancellation
from sirene_inference.kept import code_of, kept, scratch
from sirene_inference.onnx_file import is_whole
from sirene_shared.errors import ModelDamaged, SpeechFailed

log = logging.getLogger(__name__)

# The engine's own errors share no base below Exception.
ENGINE_ERRORS = (
    engine.EPFail,
    engine.Fail,
    engine.InvalidArgument,
    engine.InvalidGraph,
    engine.InvalidProtobuf,
    engine.NotImplemented,
    engine.RuntimeException,
)
CUDA = "CUDAExecutionProvider"
# All that holds for every CPU: the layouts that come after it do not.
LEVEL = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
Made = TypeVar("Made")
SEED_BITS = 63
# Of a graph's inputs.
TYPES = {"tensor(float)": numpy.float32, "tensor(int64)": numpy.int64}
_seeding = threading.Lock()


class OnnxSession:
    """A graph that is ready to run, on several threads at a time."""

    def __init__(self, body: bytes, name: str, *, wants_cuda: bool, threads: int) -> None:
        """body: the graph, as read_model() has checked it. name: what messages call its file.

        Raises: ModelDamaged.
        """
        options = onnxruntime.SessionOptions()
        # Optimising doubles the load time of these graphs and changes their speed by noise only.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = ["CPUExecutionProvider"]
        settings: list[dict[str, str]] = [{}]
        if may_use_cuda(wants_cuda):
            providers.insert(0, CUDA)
            settings.insert(0, {"cudnn_conv_algo_search": "HEURISTIC"})
        try:
            self._session = onnxruntime.InferenceSession(
                body, options, providers=providers, provider_options=settings
            )
        except ENGINE_ERRORS as error:
            log.warning("onnxruntime: %s", error)
            raise ModelDamaged(
                f"{name!r} cannot be loaded by onnxruntime",
                hint="Delete the model and pull it again.",
            ) from error
        # It would keep the file's bytes for a restart of its own: 63 MB for a medium Piper voice.
        self._session._model_bytes = None
        self.inputs = {tensor.name: tensor.type for tensor in self._session.get_inputs()}
        """name -> type, as in `tensor(float)`."""
        # Read back: a CUDA that fails falls back without a word.
        self.device = "cuda" if CUDA in self._session.get_providers() else "cpu"

    def run(
        self, inputs: Mapping[str, NDArray[numpy.generic]], cancelled: Cancellation
    ) -> Sequence[NDArray[numpy.float32]] | None:
        """The graph's outputs; None when it was cancelled, which ends a run in the middle.

        Raises: SpeechFailed.
        """
        options = onnxruntime.RunOptions()
        try:
            with cancelled.stops(lambda: setattr(options, "terminate", True)):
                outputs: Sequence[NDArray[numpy.float32]] = self._session.run(None, inputs, options)
        except ENGINE_ERRORS as error:
            if cancelled.is_set():
                return None
            log.warning("onnxruntime: %s", error)
            raise SpeechFailed(
                "the engine failed on a sentence", hint="Try a shorter or another text."
            ) from error
        return outputs

    def give_back(self) -> None:
        """The memory that runs took: 270 MB after a long sentence of Piper's. Those that are at
        work keep theirs, and the next one takes it anew, which makes it up to a fifth slower."""
        if self.device != "cpu":
            return
        # An arena is shrunk by a run alone, at its end, and this one ends before it begins.
        options = onnxruntime.RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        options.terminate = True
        nothing = {
            tensor.name: numpy.zeros(
                [size if isinstance(size, int) else 1 for size in tensor.shape],
                TYPES[tensor.type],
            )
            for tensor in self._session.get_inputs()
        }
        with suppress(*ENGINE_ERRORS):
            self._session.run(None, nothing, options)


def seeded(seed: int, open_session: Callable[[], OnnxSession]) -> OnnxSession:
    """A session that draws its noise by `seed`: the engine seeds a graph when it is opened, each
    run goes on from the one before, and nothing starts it anew."""
    with _seeding:
        onnxruntime.set_seed(seed)
        try:
            return open_session()
        finally:
            onnxruntime.set_seed(secrets.randbits(SEED_BITS))


def may_use_cuda(wants_cuda: bool) -> bool:
    return wants_cuda and CUDA in onnxruntime.get_available_providers()


def optimised(body: bytes) -> bytes:
    """The graph as the engine would make it of `body` at each load on a CPU.

    It takes longer than a load without it, and halves each later one: where it cannot be kept, this
    is `body` itself.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = LEVEL
    options.log_severity_level = 3
    try:
        with scratch() as folder:
            options.optimized_model_filepath = str(Path(folder) / "graph.onnx")
            onnxruntime.InferenceSession(body, options, providers=["CPUExecutionProvider"])
            made = Path(options.optimized_model_filepath).read_bytes()
    except (OSError, *ENGINE_ERRORS) as error:
        log.debug("a graph is run as it is: %r", error)
        return body
    # A disk that is full can leave half of it behind.
    return made if is_whole(made) else body


def from_earlier(
    body: bytes,
    kind: type[Made],
    make: Callable[[], Made],
    plain: Callable[[], Made],
    *by: ModuleType,
) -> Made:
    """What `make()` makes of `body` for this engine, or made at an earlier load, or `plain()`'s.

    by: our own code that does it; after a change of it, or of the engine, it is made again.
    """
    engine_name = f"onnxruntime {onnxruntime.__version__} {onnxruntime.get_device()} {LEVEL}"
    return kept(body, f"{kind.__name__} by {engine_name} and {code_of(*by)}", kind, make, plain)


def as_audio(output: NDArray[numpy.float32]) -> NDArray[numpy.float32]:
    """Mono samples of an output of any shape. Raises: SpeechFailed when they are no audio."""
    audio = numpy.asarray(output, numpy.float32).reshape(-1)
    if not numpy.isfinite(audio).all():
        raise SpeechFailed("the model made something that is no audio")
    return audio
