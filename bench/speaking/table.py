"""The rows of bench.speak, each a pair that was measured in turns, beside what is aimed at."""

from collections.abc import Sequence
from typing import NamedTuple

from bench.speaking.heard import Heard, audio_s, factor, first_s

# Real-time factors within this are the same: Piper's noise changes how long a text lasts.
SAME = 1.03


class Pair(NamedTuple):
    what: str
    text: str
    theirs: Sequence[Heard]
    ours: Sequence[Heard]
    aim: float | None = None
    """Of the first audio: ours in theirs, at most."""
    is_pace_aimed: bool = True
    """Whether the real-time factor is to be no worse."""


HEAD = (
    "| | text | audio | first audio: other | Sirene | ratio | aim | | real-time factor: other"
    " | Sirene | |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


def row(pair: Pair) -> str:
    theirs, ours = first_s(pair.theirs), first_s(pair.ours)
    theirs_factor, ours_factor = factor(pair.theirs), factor(pair.ours)
    ratio = ours / theirs
    aim = "" if pair.aim is None else f"≤ {pair.aim:.2f} x"
    is_met = "" if pair.aim is None else verdict(ratio <= pair.aim)
    no_worse = verdict(ours_factor <= SAME * theirs_factor) if pair.is_pace_aimed else ""
    cells = (
        pair.what,
        pair.text,
        f"{audio_s(pair.ours):.1f} s",
        milliseconds(theirs),
        milliseconds(ours),
        f"{ratio:.2f} x",
        aim,
        is_met,
        f"{theirs_factor:.3f}",
        f"{ours_factor:.3f}",
        no_worse,
    )
    return f"| {' | '.join(cells)} |"


def milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms"


def verdict(is_met: bool) -> str:
    return "met" if is_met else "missed"
