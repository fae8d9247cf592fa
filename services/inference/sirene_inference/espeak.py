"""Phonemes by espeak-ng, in a process of its own that is kept open.

The program on PATH is used where there is one, else the library of a wheel, driven by
espeak_process.py; both are asked in the same way. espeak-ng is GPL: it is never loaded into our
own processes.

Each question is three lines: the text, a marker word, nothing. A text without a sound answers with
an empty line, one with several clauses with several lines; the marker's phonemes followed by an
empty line end the answer whatever came before.
"""

import importlib.util
import logging
import re
import selectors
import shutil
import subprocess
import sys
import threading
import time
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from sirene_inference.text import clauses
from sirene_shared.errors import BackendMissing, ModelDamaged, SpeechFailed

log = logging.getLogger(__name__)

ANSWER_S = 10.0
MARKER = "zz"
# The program reads at most 1,000 bytes a line.
MAX_LINE_BYTES = 900
VOICE_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_+-]{0,63}", re.ASCII)
# As in `(en-us)`; with ties a tie stands before each letter.
LANGUAGE_SWITCH = re.compile(r"\(\^?[a-z]\^?[a-z](?:\^?[a-z])?(?:\^?-[a-z0-9^-]+)?\)")
# `[[` would start phonemes spelt in espeak-ng's own way.
UNSPOKEN = str.maketrans({"[": " ", "]": " ", "_": " "})


class Route(NamedTuple):
    """One way to espeak-ng; its command takes `-v VOICE` as the last arguments."""

    name: str
    command: tuple[str, ...]
    ties: tuple[str, ...] = ()
    """Further arguments that tie the letters of one phoneme together with `^`."""


def routes() -> list[Route]:
    """The ways there are on this machine, the preferred one first."""
    found = []
    if program := shutil.which("espeak-ng"):
        found.append(Route("program", (program, "-q", "--ipa", "-b", "1"), ("--tie=^",)))
    if importlib.util.find_spec("espeakng_loader"):
        command = (sys.executable, "-P", "-m", "sirene_inference.espeak_process")
        found.append(Route("library", command, ("--tie=^",)))
    return found


class Espeak:
    """One espeak-ng voice. Its methods may be called from several threads."""

    def __init__(
        self, voice: str, among: Sequence[Route] | None = None, *, ties: bool = False
    ) -> None:
        """ties: whether the letters of one phoneme come tied, as in `a^ɪ`.

        Raises: BackendMissing (no espeak-ng), ModelDamaged (no such voice).
        """
        available = routes() if among is None else among
        if not available:
            raise BackendMissing(
                "espeak-ng was not found",
                hint="Install the program espeak-ng, or the package espeakng-loader.",
            )
        if not VOICE_NAME.fullmatch(voice):
            raise ModelDamaged(f"the model asks for the espeak-ng voice {voice[:40]!r}")
        self.route = available[0]
        self._command = self.route.command + (self.route.ties if ties else ())
        self._lock = threading.Lock()
        self._process: _Process | None = None
        # Versions differ in which dialects they know: `fr-fr` is `fr` in newer ones.
        for self._voice in dict.fromkeys((voice, voice.split("-")[0])):
            try:
                self._process = _Process(self._command, self._voice)
            except SpeechFailed:
                continue
            log.info("phonemes by espeak-ng (%s), voice %s", self.route.name, self._voice)
            return
        raise ModelDamaged(
            f"espeak-ng has no voice {voice!r}, which the model asks for",
            hint="Install a newer espeak-ng.",
        )

    def phonemize(self, sentence: str) -> str:
        """Phonemes of the sentence as NFD, each clause followed by its mark.

        Raises: SpeechFailed.
        """
        parts = []
        for clause in clauses(sentence):
            spoken = " ".join(self._ask(line) for line in _lines(clause.text)).strip()
            if spoken:
                parts.append(spoken + clause.mark)
            elif parts and clause.mark:
                parts[-1] = parts[-1].rstrip(".,;:!?") + clause.mark
        return unicodedata.normalize("NFD", " ".join(parts))

    def close(self) -> None:
        with self._lock:
            if self._process:
                self._process.close()
                self._process = None

    def _ask(self, line: str) -> str:
        with self._lock:
            try:
                if self._process is None:
                    self._process = _Process(self._command, self._voice)
                answer = self._process.ask(line)
            except SpeechFailed:
                if self._process:
                    self._process.close()
                    self._process = None  # the next question starts a new one
                raise
        return " ".join(LANGUAGE_SWITCH.sub("", answer).split())


class _Process:
    def __init__(self, command: Sequence[str], voice: str) -> None:
        self._child = subprocess.Popen(
            [*command, "-v", voice],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._questions, self._answers = self._child.stdin, self._child.stdout
        self._received = b""
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._answers, selectors.EVENT_READ)
        try:
            self._marker = self._first_answer()
        except SpeechFailed:
            self.close()
            raise

    def ask(self, line: str) -> str:
        self._write(f"{line}\n{MARKER}\n\n")
        answer, deadline = [""], time.monotonic() + ANSWER_S
        while True:
            spoken = self._line(deadline)
            if not spoken and answer[-1] == self._marker:
                return " ".join(answer[:-1])
            answer.append(spoken)

    def close(self) -> None:
        """End the child: it ends by itself at the end of its input, unless it hangs."""
        self._selector.close()
        self._child.kill()
        self._child.wait()
        self._questions.close()
        self._answers.close()

    def _first_answer(self) -> str:
        self._write(f"{MARKER}\n\n")
        deadline = time.monotonic() + ANSWER_S
        marker = self._line(deadline)
        if not marker or self._line(deadline):
            raise SpeechFailed("espeak-ng answers in a way that is not understood")
        return marker

    def _write(self, text: str) -> None:
        try:
            self._questions.write(text.encode())
        except OSError as error:
            raise SpeechFailed("espeak-ng ended") from error

    def _line(self, deadline: float) -> str:
        while b"\n" not in self._received:
            if not self._selector.select(max(0.0, deadline - time.monotonic())):
                raise SpeechFailed(f"espeak-ng did not answer within {ANSWER_S:.0f} s")
            received = self._answers.read(65536)
            if not received:
                raise SpeechFailed("espeak-ng ended")
            self._received += received
        line, _, self._received = self._received.partition(b"\n")
        return line.decode(errors="replace").strip()


def _lines(text: str) -> list[str]:
    """`text` without what espeak-ng would not read as text, in pieces that fit its lines."""
    printable = "".join(
        char if char.isprintable() or char.isspace() else " " for char in text.translate(UNSPOKEN)
    )
    lines, line = [], ""
    for word in printable.split():
        for part in _fitting(word):
            if line and len(f"{line} {part}".encode()) > MAX_LINE_BYTES:
                lines.append(line)
                line = ""
            line = f"{line} {part}".strip()
    return [*lines, line] if line else lines


def _fitting(word: str) -> list[str]:
    size = MAX_LINE_BYTES // 4
    return [word[start : start + size] for start in range(0, len(word), size)]
