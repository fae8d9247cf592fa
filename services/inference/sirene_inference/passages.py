"""Text in parts that fit a model: sentences put together, or cut where they are too long."""

import re
from collections.abc import Iterator

from sirene_inference.text import sentences

KANA, IDEOGRAPH = re.compile("[\u3041-\u30ff]"), re.compile("[\u4e00-\u9fff]")
# Where a sentence is best cut: behind a mark, else behind a space.
CUTS = (re.compile(r"[,;:、，；：—–]+\s*"), re.compile(r"\s+"))


def language_of(text: str, language: str) -> str:
    """`language`, or as far as the script tells it, so that sentences end where they do."""
    if language:
        return language
    if KANA.search(text):
        return "ja"
    return "zh" if IDEOGRAPH.search(text) else "en"


def passages(text: str, language: str, limit: int) -> Iterator[str]:
    """The text in as few parts of at most `limit` characters as its sentences allow."""
    passage = ""
    for sentence in sentences(text, language):
        for part in parts(sentence, limit):
            gap = " " if passage and passage[-1].isascii() else ""
            if passage and len(passage) + len(gap) + len(part) > limit:
                yield passage
                passage, gap = "", ""
            passage += gap + part
    if passage:
        yield passage


def parts(sentence: str, limit: int) -> Iterator[str]:
    """`sentence` in parts of at most `limit` characters."""
    while len(sentence) > limit:
        at = _last_cut(sentence[:limit])
        yield sentence[:at].strip()
        sentence = sentence[at:].strip()
    if sentence:
        yield sentence


def _last_cut(head: str) -> int:
    for cut in CUTS:
        # One in the first half would leave a part that is too short to sound well.
        ends = [found.end() for found in cut.finditer(head) if found.end() > len(head) // 2]
        if ends:
            return ends[-1]
    return len(head)
