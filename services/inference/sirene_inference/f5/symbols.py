"""Text into the model's symbols: characters, and pinyin where it is Chinese."""

from collections.abc import Iterator
from pathlib import Path

import rjieba
from pypinyin import Style, lazy_pinyin

from sirene_shared.errors import ModelDamaged

# What the vocabulary lacks, as what it has.
REPLACED = str.maketrans({";": ",", "“": '"', "”": '"', "‘": "'", "’": "'"})
UNSPACED = " :'\""


class Symbols:
    def __init__(self, symbols: list[str]) -> None:
        self._ids = {symbol: index for index, symbol in enumerate(symbols)}

    def __len__(self) -> int:
        return len(self._ids)

    def __call__(self, text: str) -> list[int]:
        """Unknown symbols become a space."""
        return [self._ids.get(symbol, 0) for symbol in spelled(text)]


def read(path: Path, name: str) -> Symbols:
    """Raises: ModelDamaged."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(name, "cannot be read as text") from error
    symbols = lines[:-1] if lines[-1] == "" else lines
    if not symbols or symbols[0] != " ":
        raise _damaged(name, "is no vocabulary: its first symbol is a space")
    return Symbols(symbols)


def spelled(text: str) -> list[str]:
    """The symbols of `text`: as upstream spells it, so that it is what the model was trained on."""
    symbols: list[str] = []
    for word in rjieba.cut(text.translate(REPLACED)):
        if word.isascii():
            if symbols and len(word) > 1 and symbols[-1] not in UNSPACED:
                symbols.append(" ")
            symbols.extend(word)
        elif all(len(char.encode()) == 3 for char in word):
            for char, sound in zip(word, _sounds(word), strict=False):
                symbols += [" ", sound] if _is_chinese(char) else [sound]
        else:
            symbols.extend(_mixed(word))
    return symbols


def _mixed(word: str) -> Iterator[str]:
    for char in word:
        if _is_chinese(char):
            yield " "
            yield from _sounds(char)
        else:
            yield char


def _sounds(word: str) -> list[str]:
    return list(lazy_pinyin(word, style=Style.TONE3, tone_sandhi=True))


def _is_chinese(char: str) -> bool:
    return "\u3100" <= char <= "\u9fff"


def _damaged(name: str, what: str) -> ModelDamaged:
    return ModelDamaged(f"{name!r} {what}", hint="Delete the model and pull it again.")
