"""What a speech request may say, and what its voice means."""

import json

from tests.integration.api.roles import BODY, SPEECH, Replica
from tests.integration.api.serving import Api

WRONG: list[tuple[dict[str, object], int, str, str | None]] = [
    ({"input": ""}, 400, "invalid_request", "input"),
    ({"input": " \n"}, 400, "invalid_request", "input"),
    ({"input": "a" * 4097}, 400, "invalid_request", "input"),
    ({"input": 3}, 400, "invalid_request", "input"),
    ({"voice": "nobody"}, 400, "voice_not_found", "voice"),
    ({"voice": {"name": "siwis"}}, 400, "invalid_request", "voice"),
    ({"response_format": "mp3"}, 400, "invalid_request", "response_format"),
    ({"response_format": "exe"}, 400, "invalid_request", "response_format"),
    ({"speed": 0.2}, 400, "invalid_request", "speed"),
    ({"speed": 1e999}, 400, "invalid_request", None),
    ({"stream_format": "sse"}, 400, "invalid_request", "stream_format"),
    ({"sample_rate": 96_000}, 400, "invalid_request", "sample_rate"),
    ({"instructions": "a" * 4097}, 400, "invalid_request", "instructions"),
    ({"model": "nope"}, 404, "model_not_found", "model"),
    ({"model": "piper:nope"}, 404, "variant_not_found", "variant"),
    ({"model": "../etc"}, 400, "invalid_request", "model"),
    ({"model": "kokoro"}, 404, "model_not_installed", "model"),
]


async def test_a_wrong_request_is_refused_and_named(api: Api, speaking: Replica) -> None:
    for change, status, code, param in WRONG:
        body = BODY | ({"voice": None} if "model" in change else {}) | change
        # Not json=: that refuses to send Infinity.
        content, headers = json.dumps(body), {"content-type": "application/json"}
        answer = await api.http.post(SPEECH, content=content, headers=headers)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["param"]) == (status, code, param), change
    assert speaking.spoken == []


async def test_openais_names_mean_the_first_voice_of_the_model(api: Api, speaking: Replica) -> None:
    for voice in ("alloy", "cedar", "default", None, ""):
        assert (await api.http.post(SPEECH, json=BODY | {"voice": voice})).status_code == 200
    assert {request.voice for request in speaking.spoken} == {"siwis"}
