"""Text into sentences, and sentences into clauses: the pieces that are spoken one by one."""

import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

with warnings.catch_warnings():
    # pysbd's patterns hold escapes that Python 3.12 complains about when it compiles them.
    warnings.simplefilter("ignore")
    from pysbd import Segmenter
    from pysbd.languages import LANGUAGE_CODES

# Memory grows with the length of what is made at a time: longer sentences are cut at a clause.
MAX_SENTENCE_CHARACTERS = 400

END_OF_SENTENCE = re.compile(r"""(?<=[.!?…])["'”’»)\]]*\s+|(?<=[。！？])""")
# A mark ends a clause only before a space, so that 3.50 and 12:30 stay whole. A full stop ends one
# only at the end of the sentence, since elsewhere it belongs to an abbreviation.
END_OF_CLAUSE = re.compile(
    r"""(?P<mark>[,;:!?…]+|\.+(?=["'”’»)\]\s]*$)|[、，；：。！？।॥]+|[—–]+)["'”’»)\]]*(?=\s|$|(?<=[、，；：。！？।॥—–]))"""
)
MARKS = {"、": ",", "，": ",", "；": ";", "：": ":", "。": ".", "！": "!", "？": "?"}
MARKS |= {"।": ".", "॥": ".", "…": ".", "—": ";", "–": ";"}


class Clause(NamedTuple):
    text: str
    mark: str
    """One of `.,;:!?`; empty when the clause just ends."""


def sentences(text: str, language: str) -> Iterator[str]:
    """The sentences of `text`, without the space around them and without empty ones.

    language: as in `en-US` or `fr`; one that has no rules of its own gets the plain rule.
    """
    for line in text.splitlines():
        line = line.strip()
        if not line:
            continue
        for sentence in _split(line, re.split("[-_]", language.lower())[0]):
            yield from _cut(sentence.strip())


def clauses(sentence: str) -> Iterator[Clause]:
    """The clauses of a sentence, each with the mark that ends it."""
    start = 0
    for match in END_OF_CLAUSE.finditer(sentence):
        mark = match["mark"][-1] if "!" not in match["mark"] else "!"
        mark = "?" if "?" in match["mark"] else MARKS.get(mark, mark)
        yield Clause(sentence[start : match.start()].strip(), mark)
        start = match.end()
    if rest := sentence[start:].strip():
        yield Clause(rest, "")


def _split(line: str, language: str) -> list[str]:
    if language in LANGUAGE_CODES:
        found = list(_segmenter(language).segment(line))
        # Where its rules change the text, they are not to be trusted with it.
        if "".join("".join(found).split()) == "".join(line.split()):
            return found
    return END_OF_SENTENCE.split(line)


@lru_cache(maxsize=8)
def _segmenter(language: str) -> Segmenter:
    return Segmenter(language=language, clean=False)


def _cut(sentence: str) -> Iterator[str]:
    """`sentence` in pieces of at most MAX_SENTENCE_CHARACTERS, cut at a mark, else at a space."""
    while len(sentence) > MAX_SENTENCE_CHARACTERS:
        head = sentence[:MAX_SENTENCE_CHARACTERS]
        marks = [match.end() for match in END_OF_CLAUSE.finditer(head) if match.end() < len(head)]
        at = marks[-1] if marks else head.rfind(" ") + 1 or MAX_SENTENCE_CHARACTERS
        yield sentence[:at].strip()
        sentence = sentence[at:].strip()
    if sentence:
        yield sentence
