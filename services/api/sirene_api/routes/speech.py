"""Speech, as OpenAI's clients ask for it."""

from typing import Any

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody

from sirene_api.audio import PCM_RATE_HZ, pcm, wav
from sirene_api.catalog import Catalog
from sirene_api.clip import MAX_BODY_BYTES
from sirene_api.link import BusLink
from sirene_api.openai import SERVED_FORMATS, SpeechBody, response_format, speak_request
from sirene_api.routes.documented import errors
from sirene_api.routes.streamed import Streamed
from sirene_api.synthesis import Synthesis


@post(
    "/v1/audio/speech",
    status_code=200,
    request_max_body_size=MAX_BODY_BYTES,
    tags=["openai"],
    responses={
        200: ResponseSpec(
            bytes,
            description="The audio, as it is made.",
            media_type="audio/wav",
            generate_examples=False,
        ),
        **errors(403, 404, 409, 413, 415, 501, 502, 507),
    },
)
async def speak(
    data: JSONBody[SpeechBody],
    request: Request[Any, Any, Any],
    catalog: NamedDependency[Catalog],
    link: NamedDependency[BusLink],
    synthesis: NamedDependency[Synthesis],
) -> Streamed:
    """Speak a text with an installed model, which is loaded if it is not.

    `wav` has the model's own sample rate; `pcm` is s16le mono at 24 kHz, without a header. The
    audio streams as it is made; an error is answered before the first byte, or else the connection
    is cut: a part is never passed off as the whole.
    """
    kind = response_format(data)
    asked = speak_request(data, catalog.find(data.model), request.state.request_id)
    await link.wait_for_state()
    catalog.find_installed(data.model)
    frames = synthesis.speak(asked)
    chunks = wav(frames) if kind == "wav" else pcm(frames, asked.sample_rate or PCM_RATE_HZ)
    return Streamed(chunks, media_type=SERVED_FORMATS[kind])
