"""Reading an ONNX file that came from elsewhere: as bytes, and only if it refers to nothing else.

ONNX lets a tensor lie in another file, by any path; symbolic links have been used the same way.
Such files are refused before the engine sees them. The walk needs five of protobuf's message types,
so it reads them itself instead of depending on `onnx`.
"""

from pathlib import Path

from sirene_inference.plain_file import damaged, open_plain
from sirene_inference.protobuf import fields

# Field numbers that lead to a tensor, by message type, from onnx.proto3.
CHILDREN = {
    "Model": {7: "Graph", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Function": {7: "Node", 11: "Attribute"},
    "Graph": {1: "Node", 5: "Tensor", 15: "Sparse"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "Sparse", 23: "Sparse"},
    "Sparse": {1: "Tensor", 2: "Tensor"},
    "Tensor": {},
}
MODEL_GRAPH = 7
EXTERNAL_DATA, DATA_LOCATION = 13, 14
MAX_DEPTH = 32


def read_model(path: Path, name: str) -> bytes:
    """The file's bytes. name: its path in the variant's directory.

    Raises: ModelDamaged when it is no plain file, no protobuf, or refers to other files.
    """
    with open_plain(path, name) as file:
        body = file.read()
    try:
        if not is_whole(body):
            raise damaged(name, "is not an ONNX file")
        if _is_external(memoryview(body), "Model", 0):
            raise damaged(name, "refers to data in another file")
    except (IndexError, ValueError) as error:
        raise damaged(name, "is not an ONNX file, or was cut") from error
    return body


def is_whole(body: bytes) -> bool:
    """Whether the outermost fields of a model end where it ends."""
    try:
        return any(field == MODEL_GRAPH for field, _ in fields(memoryview(body)))
    except (IndexError, ValueError):
        return False


def _is_external(message: memoryview, kind: str, depth: int) -> bool:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deep")
    for field, value in fields(message):
        if kind == "Tensor" and (field == EXTERNAL_DATA or (field == DATA_LOCATION and value)):
            return True
        child = CHILDREN[kind].get(field)
        if child and isinstance(value, memoryview) and _is_external(value, child, depth + 1):
            return True
    return False
