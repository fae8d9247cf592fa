"""Reading an ONNX file that came from elsewhere: as bytes, and only if it refers to nothing else.

ONNX lets a tensor lie in another file, by any path; symbolic links have been used the same way.
Such files are refused before the engine sees them. A hard link is how Sirene stores once what two
variants share; another one could show any file of the same filesystem, so a file with more than one
name must have the sha256 that the install record names. The walk needs five of protobuf's message
types, so it reads them itself instead of depending on `onnx`.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from sirene_shared.errors import ModelDamaged
from sirene_shared.store import RECORD_NAME, InstallRecord

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
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
EXTERNAL_DATA, DATA_LOCATION = 13, 14
MAX_DEPTH = 32


def read_model(path: Path, name: str) -> bytes:
    """The file's bytes. name: its path in the variant's directory.

    Raises: ModelDamaged when it is no plain file, no protobuf, or refers to other files.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError as error:
        raise _damaged(name, "cannot be opened as a plain file") from error
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _damaged(name, "is not a plain file")
        body = file.read()
    if found.st_nlink > 1 and hashlib.sha256(body).hexdigest() != _recorded_sha256(path, name):
        raise _damaged(name, "is not a plain file: it has another name, and is not what came")
    try:
        if _is_external(memoryview(body), "Model", 0):
            raise _damaged(name, "refers to data in another file")
    except (IndexError, ValueError) as error:
        raise _damaged(name, "is not an ONNX file, or was cut") from error
    return body


def _recorded_sha256(path: Path, name: str) -> str:
    """Empty when no record names one."""
    folder = path.parents[name.count("/")]
    try:
        record = msgspec.json.decode((folder / RECORD_NAME).read_bytes(), type=InstallRecord)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return next((file.sha256 for file in record.files if file.path == name), "")


def _damaged(name: str, what: str) -> ModelDamaged:
    return ModelDamaged(f"{name!r} {what}", hint="Delete the model and pull it again.")


def _is_external(message: memoryview, kind: str, depth: int) -> bool:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deep")
    for field, value in _fields(message):
        if kind == "Tensor" and (field == EXTERNAL_DATA or (field == DATA_LOCATION and value)):
            return True
        child = CHILDREN[kind].get(field)
        if child and isinstance(value, memoryview) and _is_external(value, child, depth + 1):
            return True
    return False


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """(field number, value) of each field. Raises: IndexError, ValueError when malformed."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        field, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = _varint(message, at)
            yield field, value
            continue
        if wire == BYTES:
            length, at = _varint(message, at)
        elif wire in (FIXED64, FIXED32):
            length = 8 if wire == FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + length > len(message):
            raise ValueError("cut")
        yield field, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("number too long")
