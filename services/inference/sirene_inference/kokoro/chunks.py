"""What Kokoro makes at a time: tokens of whole clauses, few at first so that sound comes early.

The model takes 510 tokens, but its memory grows with them and its first sample comes with its
last one; and very short inputs are spoken worse. About 13 tokens last a second.
"""

import logging
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

log = logging.getLogger(__name__)

# The first chunk lasts about two seconds; each next one may take twice as long to be made, while
# the one before is heard.
FIRST_TOKENS = 28
MAX_TOKENS = 240
# A shorter piece waits for the next one.
FEW_TOKENS = 14

END_OF_CLAUSE = re.compile(r"(?<=[.,;:!?]) ")
SPACE = " "
# Letters; marks, stress and tones are no sound of their own.
SOUNDS = frozenset({"Ll", "Lu", "Lo", "Lt"})


class Chunk(NamedTuple):
    tokens: tuple[int, ...]
    ends_sentence: bool


class Tokenizer:
    """Phonemes -> tokens; a symbol that the vocabulary lacks is left out."""

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        self._vocabulary = vocabulary
        self._unknown: set[str] = set()

    def __call__(self, phonemes: str) -> list[tuple[int, ...]]:
        """Tokens of each clause; empty when nothing of it has a sound."""
        if not any(
            symbol in self._vocabulary and unicodedata.category(symbol) in SOUNDS
            for symbol in phonemes
        ):
            return []
        clauses = (tuple(self._tokens(clause)) for clause in END_OF_CLAUSE.split(phonemes))
        return [clause for clause in clauses if clause]

    @property
    def space(self) -> tuple[int, ...]:
        return (self._vocabulary[SPACE],) if SPACE in self._vocabulary else ()

    def _tokens(self, clause: str) -> Iterator[int]:
        for symbol in clause:
            if symbol in self._vocabulary:
                yield self._vocabulary[symbol]
                continue
            for part in unicodedata.normalize("NFD", symbol):
                if part in self._vocabulary:
                    yield self._vocabulary[part]
                elif part not in self._unknown:
                    self._unknown.add(part)
                    log.info("the model has no phoneme %a; it is left out", part)


def chunks(
    sentences: Iterable[list[tuple[int, ...]]], space: tuple[int, ...] = ()
) -> Iterator[Chunk]:
    """sentences: of each the tokens of its clauses. space: what is put between two pieces.

    A sentence is read no further than it is needed, so the first chunk waits for nothing.
    """
    limit = FIRST_TOKENS
    waiting: tuple[int, ...] = ()
    for sentence in sentences:
        for piece in (piece for clause in sentence for piece in _cut(clause, space)):
            if len(waiting) >= FEW_TOKENS and len(waiting) + len(piece) > limit:
                yield Chunk(waiting, ends_sentence=False)
                limit, waiting = min(MAX_TOKENS, 2 * limit), ()
            waiting = (*waiting, *space, *piece) if waiting else piece
        if len(waiting) >= FEW_TOKENS:
            yield Chunk(waiting, ends_sentence=True)
            limit, waiting = min(MAX_TOKENS, 2 * limit), ()
    if waiting:
        yield Chunk(waiting, ends_sentence=True)


def _cut(clause: tuple[int, ...], space: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The clause in pieces of at most MAX_TOKENS, cut at a space where there is one."""
    while len(clause) > MAX_TOKENS:
        at = MAX_TOKENS
        if space and space[0] in clause[:MAX_TOKENS]:
            at = MAX_TOKENS - clause[:MAX_TOKENS][::-1].index(space[0])
        yield clause[:at]
        clause = clause[at:]
    if clause:
        yield clause
