"""The clip of a speech request."""

import base64

import pytest

from sirene_api.clip import clip_for
from sirene_shared.errors import InvalidRequest
from sirene_shared.inference_requests import MAX_CLIP_BYTES
from sirene_shared.manifest import Model, load_catalogue
from sirene_shared.settings import repository_folder

CLIP = b"RIFF and so on"


def model(model_id: str) -> Model:
    return load_catalogue(repository_folder("manifests")).find(model_id)


def sent(clip: bytes = CLIP) -> str:
    return base64.b64encode(clip).decode()


@pytest.mark.parametrize(
    "text",
    [
        sent(),
        f"data:audio/wav;base64,{sent()}",
        f"data:;base64,{sent()}",
        "\n".join(sent()),
    ],
)
def test_a_clip_comes_as_base64_or_as_a_data_url(text: str) -> None:
    assert clip_for(model("f5tts"), text) == CLIP


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("https://example.org/clip.wav", "not fetched"),
        ("file:///etc/passwd", "not fetched"),
        ("/etc/passwd-", "no base64"),
        ("!!", "no base64"),
        (sent(b"a" * (MAX_CLIP_BYTES + 1)), "are allowed"),
    ],
)
def test_what_is_no_clip_is_refused(text: str, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told) as caught:
        clip_for(model("f5tts"), text)
    assert caught.value.param == "ref_audio"


def test_only_a_model_that_clones_takes_a_clip_and_then_needs_it() -> None:
    for model_id in ("f5tts", "qwen3-tts:0.6B-Base"):
        with pytest.raises(InvalidRequest, match="no voice of its own"):
            clip_for(model(model_id), None)
    for model_id in ("qwen3-tts:0.6B", "qwen3-tts:1.7B-VoiceDesign", "kokoro", "piper"):
        assert clip_for(model(model_id), None) == b""
        with pytest.raises(InvalidRequest, match="clones no voice"):
            clip_for(model(model_id), sent())
