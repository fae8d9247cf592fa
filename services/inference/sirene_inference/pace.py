"""How much audio is made at a time: little while somebody waits, more once there is a lead."""

import math
import time
from collections.abc import Callable

# In frames: a fifth of a second first, six seconds at most, which bounds the memory.
FIRST_WINDOW, LARGEST_WINDOW = 16, 512
# Of the time until a gap, what the making of a window may take: others work on this computer too.
SAFE = 0.6


class Lead:
    """How far the audio of a speech is ahead of somebody who hears it as it comes."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._made_s = 0.0
        self._heard_since = now()

    def grows(self, audio_s: float) -> None:
        """So much more is ready to be heard; after a gap it is heard from now on."""
        if self.left_s() <= 0:
            self._made_s, self._heard_since = 0.0, self._now()
        self._made_s += audio_s

    def left_s(self) -> float:
        """How much of it is still to be heard; below nothing in a gap."""
        return self._made_s - (self._now() - self._heard_since)


class Pace:
    """How large windows may be, so that sound comes early and then without a gap."""

    def __init__(self, frame_s: float, overlap: int) -> None:
        """frame_s: of audio. overlap: frames on each side that are made with a window."""
        self.frame_s = frame_s
        self._around = 2 * overlap
        # Before the first window has told, a computer that makes ten times what is heard.
        self._cost_s = frame_s / 10

    def note(self, frames: int, took_s: float) -> None:
        """frames: made at once, those around the window included."""
        self._cost_s = (self._cost_s + took_s / frames) / 2

    def first(self) -> int:
        """The smallest window that lasts as long as the making of a next one like it."""
        spare_s = self.frame_s - self._cost_s
        if spare_s <= 0:  # gaps cannot be helped
            return LARGEST_WINDOW
        return _clamped(math.ceil(self._around * self._cost_s / spare_s), FIRST_WINDOW)

    def next(self, lead_s: float, left: int) -> int:
        """How many of the frames that are left.

        lead_s: how much of the audio so far is still to be heard.
        """
        most = _clamped(int(SAFE * lead_s / self._cost_s) - self._around, self.first())
        if left <= most:
            return left
        # What is around a window is made twice: two alike are better than a whole one and a rest.
        return min(most, math.ceil(left / 2))


def _clamped(frames: int, least: int) -> int:
    return max(least, min(frames, LARGEST_WINDOW))
