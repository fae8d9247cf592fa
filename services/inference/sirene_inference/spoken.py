"""A speech by whichever runner holds the model: by the next one, where the first was taken away."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from sirene_inference.cache import Models
from sirene_inference.crash import TakenAway
from sirene_inference.loader import LoadedVoice
from sirene_inference.request import Request
from sirene_shared.names import ModelRef
from sirene_shared.speech_stream import Frame

log = logging.getLogger(__name__)

# Runners that end one after the other for the sake of others are more than bad luck.
MOST_RUNNERS = 3


async def spoken(
    models: Models[LoadedVoice], ref: ModelRef, request: Request, keep_alive_s: float | None
) -> AsyncGenerator[Frame, None]:
    """The frames as they are made.

    Raises: as Models.use(), what the backend raised, ModelsBusy, RunnerCrashed, AudioLost.
    """
    for number in range(1, MOST_RUNNERS + 1):
        async with models.use(ref, keep_alive_s) as voice:
            try:
                async with aclosing(voice.speak(request)) as frames:
                    async for frame in frames:
                        yield frame
                return
            except TakenAway as taken:  # before any frame
                if number == MOST_RUNNERS:
                    raise taken.cause from None
                log.info("a speech waits for the next runner of %s: %s", ref.id, taken)
