"""Protobuf's wire format, as much of it as ONNX files need. Numbers are unsigned."""

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
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


def numbers(value: memoryview | int) -> list[int]:
    """Of a repeated integer, which may be packed."""
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        found.append(number)
    return found


def encoded(field: int, value: bytes | memoryview | int) -> list[bytes | memoryview]:
    """One field of a message, in pieces to be joined: what is large is copied once."""
    if isinstance(value, int):
        return [_number(field << 3 | VARINT) + _number(value)]
    return [header(field, len(value)), value]


def header(field: int, length: int) -> bytes:
    """What goes before a field of so many bytes."""
    return _number(field << 3 | BYTES) + _number(length)


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("number too long")


def _number(value: int) -> bytes:
    groups = []
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*groups, value))
