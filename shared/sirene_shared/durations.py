"""How long something is kept, as people and programs write it: 300, "300", "5m", "1h30m", -1."""

import math
import re

PARTS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
MAX_CHARACTERS = 32
FOREVER = math.inf


def parse_duration(given: float | str) -> float:
    """Seconds; FOREVER for anything below zero. Raises: ValueError."""
    text = str(given).strip()
    if len(text) > MAX_CHARACTERS:
        raise ValueError("that is no duration: write seconds, or for example 90s, 5m or 1h30m")
    digits = text.removeprefix("-")
    if NUMBER.fullmatch(text):
        seconds = abs(float(text))
    elif digits and not PART.sub("", digits):
        seconds = sum(float(number) * PARTS_S[unit] for number, unit in PART.findall(digits))
    else:
        raise ValueError(f"{text!r} is no duration: write seconds, or for example 90s, 5m or 1h30m")
    return FOREVER if text.startswith("-") and seconds else seconds


def kept_s(seconds: float | None) -> float | None:
    """As messages carry it, where anything below zero stands for FOREVER."""
    return FOREVER if seconds is not None and seconds < 0 else seconds


def on_the_wire(seconds: float) -> float:
    """JSON has no infinity."""
    return -1.0 if seconds == FOREVER else seconds
