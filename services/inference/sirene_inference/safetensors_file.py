"""Reading a safetensors file that came from elsewhere: its header is checked before a reader that
trusts it sees it."""

import math
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
from msgspec import Meta
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from sirene_inference.plain_file import damaged, open_plain

# Published headers have some hundred kilobytes; a parser is not fed a gigabyte of JSON.
MAX_HEADER_BYTES = 10 << 20
MAX_TENSORS = 20_000
LENGTH_BYTES = 8
METADATA = "__metadata__"
# Bits of one element. Those of less than a byte, and new ones, no backend knows what to do with.
BITS = {
    **{"BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8},
    **{"U16": 16, "I16": 16, "F16": 16, "BF16": 16},
    **{"U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64},
}
Size = Annotated[int, Meta(ge=0)]


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a tensor lies, counted from the end of the header."""

    dtype: str
    shape: Annotated[tuple[Size, ...], Meta(max_length=16)]
    data_offsets: tuple[Size, Size]


header_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
entry_decoder = msgspec.json.Decoder(Entry)
metadata_decoder = msgspec.json.Decoder(dict[str, str])


def load(path: Path) -> dict[str, Tensor]:
    """The tensors by name, on the CPU, backed by the file. Raises: ModelDamaged."""
    check(path)
    try:
        return load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        raise damaged(path.name, "is no safetensors file, or was cut") from error


def check(path: Path) -> dict[str, Entry]:
    """What the header says, when all of it is so. Raises: ModelDamaged."""
    with open_plain(path, path.name) as file:
        try:
            return _checked(file)
        except (ValueError, RecursionError) as error:  # msgspec's are ValueErrors
            reason = str(error) or "it nests too deep"
            raise damaged(path.name, f"is no safetensors file, or was cut: {reason}") from error
        except OSError as error:
            raise damaged(path.name, "cannot be read") from error


def _checked(file: BinaryIO) -> dict[str, Entry]:
    size = file.seek(0, 2)
    file.seek(0)
    header_bytes = int.from_bytes(file.read(LENGTH_BYTES), "little")
    if header_bytes > MAX_HEADER_BYTES or LENGTH_BYTES + header_bytes > size:
        raise ValueError(f"its header cannot have {header_bytes} bytes")
    raw = header_decoder.decode(file.read(header_bytes))
    if METADATA in raw:
        metadata_decoder.decode(raw.pop(METADATA))
    if len(raw) > MAX_TENSORS:
        raise ValueError(f"it holds {len(raw)} tensors")
    entries = {name: entry_decoder.decode(entry) for name, entry in raw.items()}
    # Without a gap and without an overlap, up to the last byte: nothing hides, nothing is missing.
    end = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1].data_offsets):
        if entry.dtype not in BITS:
            raise ValueError(f"{name[:80]!r} has the unknown type {entry.dtype[:20]!r}")
        start, end_after = entry.data_offsets
        length = math.prod(entry.shape) * BITS[entry.dtype] // 8
        if start != end or end_after - start != length:
            raise ValueError(f"{name[:80]!r} does not lie where its shape and its neighbours say")
        end = end_after
    if LENGTH_BYTES + header_bytes + end != size:
        raise ValueError(f"it has {size} bytes and needs {LENGTH_BYTES + header_bytes + end}")
    return entries
