"""Text into the talker's tokens: byte-level BPE, from the published vocab.json and merges.txt."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from sirene_shared.errors import ModelDamaged

# Where Qwen2's tokenizer cuts before it merges.
CUTS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
VOCABULARY, MERGES = "vocab.json", "merges.txt"


class TextTokens:
    """Knows no control token: what looks like one in a text is text."""

    def __init__(self, vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> None:
        """Raises: ValueError when the merges make what the vocabulary lacks."""
        try:
            self._tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
        except Exception as error:  # the library raises nothing narrower
            raise ValueError(str(error)) from error
        self._tokenizer.normalizer = normalizers.NFC()
        self._tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(CUTS), behavior="isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )

    def __call__(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text).ids)


def read(files: Mapping[str, Path]) -> TextTokens:
    """Raises: ModelDamaged, naming the file."""
    try:
        vocabulary = msgspec.json.decode(files[VOCABULARY].read_bytes(), type=dict[str, int])
    except (OSError, msgspec.MsgspecError) as error:
        raise _damaged(VOCABULARY, "is no vocabulary") from error
    try:
        lines = files[MERGES].read_text(encoding="utf-8").split("\n")
        merges = [_pair(line) for line in lines if line and not line.startswith("#version")]
        return TextTokens(vocabulary, merges)
    except (OSError, ValueError) as error:
        raise _damaged(MERGES, "does not fit the vocabulary") from error


def _pair(line: str) -> tuple[str, str]:
    first, second = line.rstrip("\r").split(" ")
    return first, second


def _damaged(name: str, what: str) -> ModelDamaged:
    return ModelDamaged(f"{name!r} {what}", hint="Delete the model and pull it again.")
