"""What lies beside a Kokoro graph: its vocabulary, and a table of styles for each voice."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TypeVar

import msgspec
import numpy
from numpy.typing import NDArray

from sirene_shared.errors import ModelDamaged

# A voice is a raw table of little-endian float32: a style for each count of phonemes, 1 to 510.
MAX_TOKENS, STYLE_SIZE = 510, 256
VOICE_BYTES = MAX_TOKENS * STYLE_SIZE * 4
# The first comes with the graph and leads. The second is the original model's; the ONNX
# repository has one of that name without a vocabulary.
TOKENIZER, CONFIG = "tokenizer.json", "config.json"

Vocabulary = dict[str, int]
T = TypeVar("T", bound=msgspec.Struct)


class _TokenizerModel(msgspec.Struct, frozen=True):
    vocab: Vocabulary


class _Tokenizer(msgspec.Struct, frozen=True):
    model: _TokenizerModel


class _Config(msgspec.Struct, frozen=True):
    vocab: Vocabulary = {}


def vocabulary(files: Mapping[str, Path]) -> Vocabulary:
    """Symbol -> id. Raises: ModelDamaged."""
    found: Vocabulary = {}
    if TOKENIZER in files:
        found = _decoded(files[TOKENIZER], TOKENIZER, _Tokenizer).model.vocab
    elif CONFIG in files:
        found = _decoded(files[CONFIG], CONFIG, _Config).vocab
    symbols = {symbol: id for symbol, id in found.items() if len(symbol) == 1 and id > 0}
    if not symbols:
        named = " and ".join(name for name in (TOKENIZER, CONFIG) if name in files) or TOKENIZER
        raise ModelDamaged(f"{named!r} holds no vocabulary of a Kokoro model")
    return symbols


class Styles:
    """The voices' tables, each read when it is first asked for."""

    def __init__(self, files: Mapping[str, Path], order: tuple[str, ...]) -> None:
        """order: the voices that come first, if they are there. Raises: ModelDamaged."""
        self._paths = {PurePosixPath(name).stem: name for name in files if name.endswith(".bin")}
        if not self._paths:
            raise ModelDamaged("a Kokoro model has files of voices, this one has none")
        for name in self._paths.values():
            _check_size(files[name], name)
        self._files = files
        self._tables: dict[str, NDArray[numpy.float32]] = {}
        self.voices = tuple(
            dict.fromkeys([voice for voice in order if voice in self._paths] + sorted(self._paths))
        )

    def of(self, voice: str, tokens: int) -> NDArray[numpy.float32]:
        """The style (1, 256) of a text of 1 to 510 tokens. Raises: ModelDamaged."""
        if voice not in self._tables:
            name = self._paths[voice]
            _check_size(self._files[name], name)
            table = numpy.fromfile(self._files[name], "<f4").reshape(MAX_TOKENS, STYLE_SIZE)
            if not numpy.isfinite(table).all():
                raise ModelDamaged(f"{name!r} holds values that are no numbers")
            self._tables[voice] = table
        return self._tables[voice][tokens - 1 : tokens]


def _decoded(path: Path, name: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ModelDamaged(
            f"{name!r} is no vocabulary of a Kokoro model: {_reason(error)}",
            hint="Delete the model and pull it again.",
        ) from error


def _reason(error: Exception) -> str:
    """Without the path that an OSError tells."""
    return (error.strerror or "unreadable") if isinstance(error, OSError) else str(error)


def _check_size(path: Path, name: str) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise ModelDamaged(f"{name!r} cannot be read: {_reason(error)}") from error
    if size != VOICE_BYTES:
        raise ModelDamaged(
            f"{name!r} is no voice of a Kokoro model: it has {size} bytes, not {VOICE_BYTES}",
            hint="Delete the model and pull it again.",
        )
