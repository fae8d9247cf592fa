"""OpenAI's speech request and model lists, as far as they are served here."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sirene_api.audio import PCM_RATE_HZ
from sirene_api.clip import clip_for
from sirene_api.views import View
from sirene_shared.durations import on_the_wire, parse_duration
from sirene_shared.errors import InvalidRequest, VoiceNotFound
from sirene_shared.inference_requests import MAX_TEXT_CHARACTERS, SpeakRequest
from sirene_shared.manifest import Model, Voice
from sirene_shared.messages import ModelStatus
from sirene_shared.names import shown

# Whatever the model: clients send these without asking which voices there are.
STANDARD_VOICES = frozenset(
    {"alloy", "ash", "ballad", "cedar", "coral", "default", "echo", "fable", "marin", "nova"}
    | {"onyx", "sage", "shimmer", "verse"}
)
SERVED_FORMATS = {"wav": "audio/wav", "pcm": "audio/pcm"}
KNOWN_FORMATS = frozenset({"mp3", "opus", "aac", "flac", "wav", "pcm"})
SPEED_RANGE = (0.25, 4.0)
SAMPLE_RATE_RANGE = (8_000, 48_000)
MAX_LANGUAGE_CHARACTERS = 40
MAX_SEED = (1 << 63) - 1


class VoiceId(msgspec.Struct, frozen=True):
    id: str


class SpeechBody(msgspec.Struct, frozen=True, kw_only=True):
    """OpenAI's fields; unknown ones are ignored."""

    model: Annotated[str, Meta(description="`name` or `name:variant` of an installed model.")]
    input: Annotated[
        str, Meta(description=f"The text to speak, at most {MAX_TEXT_CHARACTERS} characters.")
    ]
    voice: Annotated[
        str | VoiceId | None,
        Meta(description="A voice of the model; OpenAI's names mean its first one."),
    ] = None
    response_format: Annotated[str | None, Meta(description="`wav` (default) or `pcm`.")] = None
    speed: Annotated[float | None, Meta(description="0.25 to 4.0, 1.0 by default.")] = None
    stream_format: Annotated[str | None, Meta(description="`audio`.")] = None
    instructions: Annotated[
        str | None, Meta(description="How to speak, for models that follow instructions.")
    ] = None
    keep_alive: Annotated[
        float | str | None,
        Meta(
            description="How long the model stays in memory once it is idle: seconds, or like "
            "`5m`; 0: not at all; negative: until room is needed."
        ),
    ] = None
    language: Annotated[
        str | None,
        Meta(description="Of the text, like `en` or `zh`; by default the model finds out."),
    ] = None
    seed: Annotated[
        Annotated[int, Meta(ge=0, le=MAX_SEED)] | None,
        Meta(description="The same seed makes the same audio, where the model draws at random."),
    ] = None
    ref_audio: Annotated[
        str | None,
        Meta(description="A clip whose voice is cloned: a WAV, FLAC, Ogg or MP3 file in base64."),
    ] = None
    ref_text: Annotated[str | None, Meta(description="What is said in the clip.")] = None
    sample_rate: Annotated[
        int | None,
        Meta(description="Hz, 8000 to 48000; by default the model's own, for pcm 24000."),
    ] = None


def response_format(body: SpeechBody) -> str:
    """`wav` or `pcm`. Raises: InvalidRequest."""
    asked = body.response_format or "wav"
    if asked in SERVED_FORMATS:
        return asked
    known = "is not served" if asked in KNOWN_FORMATS else "is no audio format"
    raise InvalidRequest(
        f"response_format {shown(asked)} {known}: use 'wav' or 'pcm'",
        hint="Send response_format 'wav' or 'pcm'.",
        param="response_format",
    )


def speak_request(body: SpeechBody, model: Model, request_id: str) -> SpeakRequest:
    """Raises: InvalidRequest, VoiceNotFound."""
    speed = 1.0 if body.speed is None else body.speed
    _check_text(body.input, "input")
    _check_text(body.instructions or "-", "instructions")
    _check_text(body.ref_text or "-", "ref_text")
    if len(body.language or "") > MAX_LANGUAGE_CHARACTERS:
        raise InvalidRequest("language is a name like 'en' or 'zh'", param="language")
    if not SPEED_RANGE[0] <= speed <= SPEED_RANGE[1]:
        raise InvalidRequest("speed is from 0.25 to 4.0", param="speed")
    if body.stream_format not in (None, "audio"):
        raise InvalidRequest(
            f"stream_format {shown(body.stream_format or '')} is not served: use 'audio'",
            hint="The audio streams as it is made in any case.",
            param="stream_format",
        )
    rate = body.sample_rate
    if rate is not None and not SAMPLE_RATE_RANGE[0] <= rate <= SAMPLE_RATE_RANGE[1]:
        raise InvalidRequest("sample_rate is from 8000 to 48000 Hz", param="sample_rate")
    if rate is None and response_format(body) == "pcm":
        rate = PCM_RATE_HZ
    return SpeakRequest(
        model=model.ref.model,
        variant=model.ref.variant,
        request_id=request_id,
        text=body.input,
        voice=_voice(body.voice, model),
        speed=speed,
        sample_rate=rate,
        instructions=body.instructions or "",
        keep_alive_s=keep_alive_s(body.keep_alive),
        language=body.language or "",
        seed=body.seed,
        clip=clip_for(model, body.ref_audio),
        transcript=body.ref_text or "",
    )


def keep_alive_s(given: float | str | None) -> float | None:
    """As messages carry it. Raises: InvalidRequest."""
    if given is None:
        return None
    try:
        return on_the_wire(parse_duration(given))
    except ValueError as error:
        raise InvalidRequest(f"keep_alive: {error}", param="keep_alive") from None


def _check_text(text: str, param: str) -> None:
    if not text.strip():
        raise InvalidRequest(f"{param} holds no text", param=param)
    if len(text) > MAX_TEXT_CHARACTERS:
        raise InvalidRequest(
            f"{param} has {len(text)} characters, {MAX_TEXT_CHARACTERS} are allowed",
            hint="Send it in parts.",
            param=param,
        )


def _voice(asked: str | VoiceId | None, model: Model) -> str:
    """The model's name of the voice; empty for a model that has none by name."""
    name = asked.id if isinstance(asked, VoiceId) else asked or "default"
    voices = [voice.id for voice in model.variant.voices]
    if name in voices:
        return name
    if name in STANDARD_VOICES:
        return voices[0] if voices else ""
    has = ", ".join(voices[:20]) or "none by name"
    raise VoiceNotFound(
        f"{model.ref.id!r} has no voice {shown(name)}; it has: {has}",
        hint=f"GET /v1/audio/voices?model={model.ref.id} lists them.",
        param="voice",
    )


class OpenAIModel(View, frozen=True, kw_only=True):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str
    name: str

    @classmethod
    def of(cls, model: Model, status: ModelStatus) -> "OpenAIModel":
        return cls(
            id=model.ref.id,
            created=int(status.changed_at),
            owned_by="sirene",
            name=f"{model.manifest.description} ({model.ref.variant})",
        )


class OpenAIModelList(View, frozen=True, kw_only=True):
    object: Literal["list"] = "list"
    data: list[OpenAIModel]


class AudioModelList(View, frozen=True, kw_only=True):
    """The same list twice: some clients read `data`, some `models`."""

    object: Literal["list"] = "list"
    data: list[OpenAIModel]
    models: list[OpenAIModel]


class OpenAIVoice(View, frozen=True, kw_only=True):
    id: str
    name: str


class VoiceList(View, frozen=True, kw_only=True):
    object: Literal["list"] = "list"
    voices: list[OpenAIVoice]


def voices_of(models: list[Model]) -> VoiceList:
    """Every voice once, in the order of the models."""
    voices: dict[str, Voice] = {}
    for model in models:
        for voice in model.variant.voices:
            voices.setdefault(voice.id, voice)
    return VoiceList(
        voices=[OpenAIVoice(id=voice.id, name=voice.name or voice.id) for voice in voices.values()]
    )
