"""A clip over HTTP: it reaches the replica as it is, and only where it is of use."""

import base64

from nats.aio.client import Client
from nats.js import JetStreamContext

from sirene_shared.inference_requests import MAX_CLIP_BYTES
from sirene_shared.messages import InstallState
from sirene_shared.names import ModelRef
from tests.integration.api.roles import BODY, SPEECH, Downloader, Replica
from tests.integration.api.serving import Api
from tests.support.waiting import until

CLONES = ModelRef("f5tts", "default")
ASKED = {"model": "f5tts", "input": "Hello.", "ref_text": "What is said."}


def as_base64(clip: bytes) -> str:
    return base64.b64encode(clip).decode()


async def test_the_largest_clip_and_all_that_goes_with_it_reaches_the_replica(
    api: Api, downloader: Downloader, replica: Replica
) -> None:
    await downloader.write(CLONES, InstallState.INSTALLED)
    await until(lambda: list(api.app.catalog.models(installed=True)))
    await replica.serve(CLONES)
    clip = bytes(range(256)) * (MAX_CLIP_BYTES // 256)
    more = {"ref_audio": as_base64(clip), "language": "zh", "seed": 7, "instructions": "Whisper."}
    answer = await api.http.post(SPEECH, json=ASKED | more)
    assert answer.status_code == 200, answer.text
    (request,) = replica.spoken
    assert request.clip == clip
    assert request.transcript == "What is said."
    assert (request.language, request.seed, request.voice) == ("zh", 7, "")

    for changed, param in (
        ({"ref_audio": None}, "ref_audio"),
        ({"ref_audio": as_base64(clip + b"!")}, "ref_audio"),
        ({"ref_audio": "https://example.org/clip.wav"}, "ref_audio"),
        ({"ref_audio": "%%%"}, "ref_audio"),
        ({"ref_audio": "AAAA", "ref_text": "a" * 4097}, "ref_text"),
        ({"ref_audio": "AAAA", "language": "e" * 41}, "language"),
        ({"ref_audio": "AAAA", "seed": -1}, "seed"),
    ):
        answer = await api.http.post(SPEECH, json=ASKED | changed)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["param"]) == (
            400,
            "invalid_request",
            param,
        ), changed
    assert len(replica.spoken) == 1


async def test_a_model_that_does_not_clone_is_not_even_loaded_for_a_clip(
    api: Api, speaking: Replica, nc: Client, js: JetStreamContext
) -> None:
    answer = await api.http.post(SPEECH, json=BODY | {"ref_audio": "AAAA"})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "ref_audio"
    assert speaking.spoken == []
