"""The runner's side of the pipe: holds voices, and answers each command on a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from sirene_inference import backends, exhaustion, kept, pipe
from sirene_inference.backends import Device, Voice
from sirene_inference.cancellation import Cancellation
from sirene_inference.leftovers import Leftovers, trim
from sirene_inference.pcm import PcmEncoder
from sirene_inference.prompt import Prompt, prompted
from sirene_inference.stopping import Stopped, heeding
from sirene_shared.errors import (
    Failure,
    InvalidRequest,
    LoadFailed,
    OutOfMemory,
    SireneError,
    SpeechFailed,
)

log = logging.getLogger(__name__)


# How often a speech that makes no audio yet says that it goes on.
WORKING_S = 1.0


class Speech:
    """A Speak in work: what its Cancel and its Grants act on."""

    def __init__(self, credit: int, works: Callable[[], None]) -> None:
        """works: called now and then while it comes further."""
        self.cancelled = Cancellation(self._looked)
        self._works = works
        self._said_at = time.monotonic()
        self._credit = threading.Semaphore(credit)

    def grant(self) -> None:
        self._credit.release()

    def _looked(self) -> None:
        now = time.monotonic()
        if now - self._said_at > WORKING_S:
            self._said_at = now
            self._works()

    def spend(self) -> bool:
        """Wait until one more chunk may be sent; False when it was cancelled meanwhile."""
        with self.cancelled.stops(self.grant):
            self._credit.acquire()
        return not self.cancelled.is_set()


class Worker:
    def __init__(self, answers: BinaryIO) -> None:
        self._answers = answers
        self._writing = threading.Lock()
        self._voices: dict[str, Voice] = {}
        self._speeches: dict[int, Speech] = {}
        self._leftovers = Leftovers(self._rest)

    def serve(self, commands: BinaryIO) -> None:
        """Answer until the service closes its end. Raises: pipe.GarbledPipe."""
        while received := pipe.read(commands, pipe.commands):
            match received[0]:
                case pipe.Cancel(id=id):
                    if speech := self._speeches.get(id):
                        speech.cancelled.set()
                case pipe.Grant(id=id):
                    if speech := self._speeches.get(id):
                        speech.grant()
                case pipe.Speak() as speak:
                    # Noted here, so that a Cancel that follows at once finds it.
                    works = partial(self._put, pipe.Working(id=speak.id))
                    self._speeches[speak.id] = speech = Speech(speak.credit, works)
                    self._leftovers.begins()
                    self._start(speak, partial(self._speak, speak, speech), self._leftovers.ends)
                case pipe.Load() as load:
                    self._start(load, partial(self._load, load))
                case pipe.Unload() as unload:
                    self._start(unload, partial(self._unload, unload))

    def close(self) -> None:
        """Close every voice, so that what they started ends and is waited for."""
        for voice in self._voices.values():
            voice.close()

    def _start(
        self,
        command: pipe.Command,
        work: Callable[[], pipe.Answer],
        answered: Callable[[], None] = lambda: None,
    ) -> None:
        def run() -> None:
            try:
                answer = work()
            except Exception as error:  # noqa: BLE001 - the edge: whatever a backend throws becomes an answer
                answer = pipe.Failed(id=command.id, failure=_failure(command, error))
                ran_out = answer.failure.code == OutOfMemory.code
            else:
                ran_out = False
            if ran_out:  # the error, and all that it holds, is gone by now
                exhaustion.give_back()
            self._put(answer)
            answered()

        threading.Thread(target=run, daemon=True).start()

    def _load(self, load: pipe.Load) -> pipe.Answer:
        backend = backends.find(load.manifest.backend)
        files = {name: Path(path) for name, path in load.files.items()}
        kept.use(Path(load.cache), load.cache_bytes)
        voice = backend.load(
            files,
            load.manifest,
            load.variant,
            device=cast("Device", load.device),
            threads=load.threads,
        )
        self._voices[load.model] = voice
        return pipe.Loaded(
            id=load.id, sample_rate=voice.sample_rate, voices=voice.voices, device=voice.device
        )

    def _speak(self, speak: pipe.Speak, speech: Speech) -> pipe.Answer:
        try:
            # From here on, what ends this process may be this speech's doing.
            self._put(pipe.Working(id=speak.id))
            return pipe.Ended(id=speak.id, chunks=self._send_speech(speak, speech))
        except Stopped:  # before its first sound
            return pipe.Ended(id=speak.id)
        finally:
            del self._speeches[speak.id]

    def _send_speech(self, speak: pipe.Speak, speech: Speech) -> int:
        voice = self._voices.get(speak.model)
        if voice is None:
            raise InvalidRequest(f"this runner does not hold {speak.model!r}")
        prompt = Prompt(
            clip=speak.clip, transcript=speak.transcript, instructions=speak.instructions
        )
        with heeding(speech.cancelled):  # a long clip takes seconds
            voice = prompted(voice, prompt)
        encoder = PcmEncoder(voice.sample_rate, speak.sample_rate, speak.frame_bytes)
        chunk = pipe.Chunk(id=speak.id, sample_rate=encoder.sample_rate)
        sent = 0
        sentences = voice.speak(
            speak.text,
            voice=speak.voice,
            language=speak.language,
            speed=speak.speed,
            seed=speak.seed,
            cancelled=speech.cancelled,
        )
        for audio in sentences:
            for frame in encoder.encode(audio):
                if not speech.spend():
                    return sent
                self._put(chunk, frame)
                sent += 1
        for frame in encoder.flush():
            if not speech.spend():
                return sent
            self._put(chunk, frame)
            sent += 1
        return sent

    def _unload(self, unload: pipe.Unload) -> pipe.Answer:
        if voice := self._voices.pop(unload.model, None):
            voice.close()
        return pipe.Ended(id=unload.id)

    def _rest(self) -> None:
        for voice in tuple(self._voices.values()):
            voice.rest()
        trim()

    def _put(self, answer: pipe.Answer, payload: bytes = b"") -> None:
        with self._writing:
            self._answers.write(pipe.encode(answer, payload))
            self._answers.flush()


def _failure(command: pipe.Command, error: Exception) -> Failure:
    if exhaustion.is_exhaustion(error):
        what = "loading it" if isinstance(command, pipe.Load) else "speaking"
        return OutOfMemory(
            f"memory ran out while {what}", hint="Unload a model, or try a shorter text."
        ).failure()
    if isinstance(error, SireneError):
        return error.failure()
    log.error("%s failed", type(command).__name__, exc_info=error)
    kind = LoadFailed if isinstance(command, pipe.Load) else SpeechFailed
    return kind(f"the engine failed: {type(error).__name__}").failure()
