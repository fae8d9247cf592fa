"""Writing an ONNX graph as nested calls."""

import numpy as np
import onnx
from onnx import helper, numpy_helper

Value = str | np.ndarray | float | int


class OnnxGraph:
    """Collects operators; each call adds one and gives the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def __call__(self, kind: str, *inputs: Value, **options: object) -> str:
        return self.several(1, kind, *inputs, **options)[0]

    def several(self, outputs: int, kind: str, *inputs: Value, **options: object) -> list[str]:
        """An operator with more than one output."""
        names = [value if isinstance(value, str) else self.weight(value) for value in inputs]
        first = str(options.pop("to_output", f"t{len(self.nodes)}"))
        found = [first, *(f"{first}_{index}" for index in range(1, outputs))]
        self.nodes.append(helper.make_node(kind, names, found, **options))
        return found

    def weight(self, value: np.ndarray | float | int, name: str = "") -> str:
        kind = np.int64 if np.asarray(value).dtype.kind in "iu" else np.float32
        name = name or f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def model(
        self, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto], opset: int
    ) -> onnx.ModelProto:
        graph = helper.make_graph(self.nodes, "voice", inputs, outputs, initializer=self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
        model.ir_version = 8  # what these opsets came with, and every onnxruntime reads
        onnx.checker.check_model(model)
        return model
