"""The playground as a person uses it: choices, speaking, and the audio that came of it."""

import io
import wave
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Locator, Page, expect

from tests.support.product import Product

HEADER_BYTES = 44
# A model may have to be loaded first, on a machine that is busy with other tests.
LOAD_MS = 40_000
SENTENCE = "Hello there, my friend."
# For engines that are slow on a machine that is busy with other tests.
SHORT = "Hello."
# About a minute of audio: its making is watched while it is heard.
LONG = " ".join(
    f"This is sentence number {number}, and it is as long as any other." for number in range(20)
)

# Notes what is scheduled to be heard: when, how many samples, at which rates.
SCHEDULE = """() => {
  globalThis.pieces = [];
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (at) {
    pieces.push([at, this.buffer.length, this.buffer.sampleRate, this.context.sampleRate]);
    return start.call(this, at);
  };
}"""


def at(model: str) -> str:
    """The playground's address with a model."""
    return f"/playground?model={model}"


def speak(page: Page, text: str = SENTENCE) -> None:
    page.get_by_role("textbox", name="Text", exact=True).fill(text)
    page.get_by_role("button", name="Speak", exact=True).click()


def stage(page: Page, state: str) -> Locator:
    """state: empty, coming, whole, stopped or cut."""
    return page.locator(f"[data-stage={state}]")


def player(page: Page, state: str) -> Locator:
    """state: waiting, playing, paused or finished."""
    return page.locator(f"[data-player={state}]")


def position(page: Page) -> Locator:
    return page.get_by_role("slider", name="Position")


def downloaded(page: Page) -> tuple[int, np.ndarray]:
    """The rate and the samples of the file that the page makes of what lies on the player."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Download WAV").click()
    return samples(Path(download.value.path()).read_bytes())


def samples(file: bytes) -> tuple[int, np.ndarray]:
    """The rate and the samples, -1 to 1, of a WAV file whose sizes are right."""
    with wave.open(io.BytesIO(file)) as audio:
        assert (audio.getnchannels(), audio.getsampwidth()) == (1, 2)
        frames = audio.readframes(audio.getnframes())
        assert len(frames) == 2 * audio.getnframes() == len(file) - HEADER_BYTES
        return audio.getframerate(), np.frombuffer(frames, "<i2") / 32768


def streamed_samples(file: bytes) -> int:
    """How many a WAV file holds whose sizes may be those of a stream."""
    return (len(file) - HEADER_BYTES) // 2


def expect_speech(page: Page) -> tuple[int, np.ndarray]:
    """Made to its end; what is to be heard is as long as the page says, and it is no silence."""
    expect(stage(page, "whole")).to_be_visible(timeout=LOAD_MS)
    rate, heard = downloaded(page)
    told_s = float(page.locator("[data-seconds]").get_attribute("data-seconds") or "nan")
    assert abs(len(heard) / rate - told_s) < 0.001
    assert len(heard) > rate / 4
    assert np.sqrt(np.mean(heard**2)) > 0.005
    return rate, heard


def in_flight(product: Product) -> int:
    models: list[dict[str, Any]] = product.get("/api/models/loaded")["models"]
    return sum(int(model["in_flight"]) for model in models)


def note_what_is_scheduled(page: Page) -> None:
    page.evaluate(SCHEDULE)


def gaps_between_pieces(page: Page) -> list[float]:
    """Every sample was scheduled once, none over another; the seconds of silence between pieces."""
    pieces: list[tuple[float, int, float, float]] = page.evaluate("pieces")
    rate, heard = downloaded(page)
    assert sum(length for _, length, _, _ in pieces) == len(heard)
    assert {(own, context) for _, _, own, context in pieces} == {(rate, rate)}
    gaps = [following[0] - piece[0] - piece[1] / rate for piece, following in pairwise(pieces)]
    assert min(gaps) > -0.5 / rate
    return gaps
