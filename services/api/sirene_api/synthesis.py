"""Speech from whichever replica has the model; a cold model is loaded first, within a deadline."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import nats.errors

from sirene_api.link import BusLink
from sirene_api.memory import Memory
from sirene_shared.errors import BusUnavailable, InvalidRequest, ModelsBusy, SpeechFailed
from sirene_shared.inference_requests import SpeakRequest
from sirene_shared.speech_stream import Frame, NobodySpeaks, receive
from sirene_shared.subjects import SPEAK

# A loaded model without a free slot: asked again after this, doubling.
FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.5


class Synthesis:
    def __init__(self, link: BusLink, memory: Memory, *, wait_s: float) -> None:
        """wait_s: until the model is in memory and has a free slot."""
        self._link = link
        self._memory = memory
        self._wait_s = wait_s

    async def speak(self, request: SpeakRequest) -> AsyncGenerator[Frame, None]:
        """The audio as it is made, at least one frame; closing the generator ends the work.

        Raises: NoReplica, ModelLoading, ModelsBusy, BusUnavailable and what the replica answers.
        """
        deadline, pause_s = time.monotonic() + self._wait_s, FIRST_PAUSE_S
        while True:
            try:
                async with aclosing(self._ask(request)) as frames:
                    async for frame in frames:
                        yield frame
                return
            except NobodySpeaks:
                left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise ModelsBusy(
                    f"{request.ref.id!r} has no free slot",
                    hint="Try again in a moment, or start another replica.",
                    retry_after_s=5,
                )
            await self._memory.load(request.ref, wait_s=left_s)
            await asyncio.sleep(min(pause_s, max(deadline - time.monotonic(), 0)))
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _ask(self, request: SpeakRequest) -> AsyncGenerator[Frame, None]:
        """Raises: NobodySpeaks, before the first frame; BusUnavailable, SireneError."""
        is_silent = True
        try:
            client = self._link.client
            async with aclosing(receive(client, SPEAK.of(request.ref), request.encode())) as frames:
                async for frame in frames:
                    is_silent = False
                    yield frame
        except nats.errors.MaxPayloadError as error:
            raise InvalidRequest(
                "the clip is too large for this message bus",
                hint="Send a shorter one, or raise max_payload of the NATS server to 8MB.",
                param="ref_audio",
            ) from error
        except nats.errors.Error as error:
            raise BusUnavailable("the message bus was lost while speaking") from error
        if is_silent:
            raise SpeechFailed("the replica has made no audio", hint="Is there a word to speak?")
