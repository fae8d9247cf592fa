"""What is spoken, and how soon and how fast it is heard: by several speakers in turns."""

import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# About 1.4, 4.2 and 11.8 s by Piper, and a paragraph of five sentences.
TEXTS = {
    "short": "The kettle is on.",
    "medium": "The boat left early, and nobody had seen it leave.",
    "long": (
        "When the first light of the morning came over the hills, the travellers had already "
        "packed their tents, put out the fire, and gone down to the river, where a boat was tied."
    ),
    "paragraph": (
        "The first sentence is short. The second one goes on for a little longer than that. "
        "A third follows, as thirds do. Then comes a fourth, which nobody expected at all. "
        "And the fifth ends the paragraph."
    ),
}


class Heard(NamedTuple):
    first_s: float
    """Until the first audio."""
    took_s: float
    audio_s: float
    ahead_s: float = math.inf
    """What was still to be heard when a piece came, at its least; below nothing there was a gap."""


Speaker = Callable[[str], Heard]


def in_turns(speakers: Mapping[str, Speaker], text: str, rounds: int) -> dict[str, list[Heard]]:
    """What each made of `text`, after a first round that only warms up. Who begins changes."""
    heard: dict[str, list[Heard]] = {name: [] for name in speakers}
    order = list(speakers)
    for _ in range(rounds + 1):
        for name in order:
            heard[name].append(speakers[name](text))
        order.reverse()
    return {name: found[1:] for name, found in heard.items()}


def listen(pieces: Iterable[NDArray[np.float32]], rate: int) -> Heard:
    began, first, samples = time.monotonic(), 0.0, 0
    for piece in pieces:
        first = first or time.monotonic() - began
        samples += len(piece)
    return Heard(first, time.monotonic() - began, samples / rate)


def first_s(found: Sequence[Heard]) -> float:
    return statistics.median(heard.first_s for heard in found)


def ahead_s(found: Sequence[Heard]) -> float:
    return min(heard.ahead_s for heard in found)


def audio_s(found: Sequence[Heard]) -> float:
    return statistics.median(heard.audio_s for heard in found)


def factor(found: Sequence[Heard]) -> float:
    """The real-time factor: noise makes the same text longer or shorter."""
    return statistics.median(heard.took_s / heard.audio_s for heard in found)
