"""Messages on the bus: bytes that were once sent decode for ever."""

from pathlib import Path

import msgspec
import pytest

from sirene_shared import dead_letter, imports, inference_requests, inquiries, messages
from sirene_shared.inference_requests import SpeakRequest
from sirene_shared.messages import ModelStatus
from sirene_shared.subjects import BUCKETS, SUBJECTS
from sirene_shared.wire import AboutModel, Wire

GOLDEN = Path(__file__).parent / "golden_messages"
SENT = {entry.message for entry in (*SUBJECTS, *BUCKETS)}


@pytest.mark.parametrize("kind", sorted(SENT, key=lambda kind: kind.__name__))
def test_bytes_of_every_earlier_version_still_decode(kind: type[Wire]) -> None:
    recorded = sorted(GOLDEN.glob(f"{kind.__name__}.*.json"))
    assert recorded, "record one message of each version: it must decode for ever"
    for path in recorded:
        kind.decode(path.read_bytes())


@pytest.mark.parametrize("kind", sorted(SENT, key=lambda kind: kind.__name__))
def test_a_field_of_a_newer_version_is_ignored(kind: type[Wire]) -> None:
    body = msgspec.json.decode(next(GOLDEN.glob(f"{kind.__name__}.*.json")).read_bytes())
    newer = msgspec.json.encode(body | {"added_later": {"deep": [1, 2]}})
    assert kind.decode(newer) == kind.decode(msgspec.json.encode(body))


def test_every_message_is_sent_on_a_subject_or_kept_in_a_bucket_or_answers_one() -> None:
    kinds = {
        kind
        for module in (messages, inference_requests, inquiries, imports, dead_letter)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Wire) and kind not in (Wire, AboutModel)
    }
    replies = {
        inference_requests.LoadReply,
        inference_requests.UnloadReply,
        inference_requests.PinReply,
    }
    answers = {inquiries.Preflight, inquiries.Verification, inquiries.PartsReply, inquiries.Storage}
    answers |= {inquiries.Setup, inquiries.TokenReply, imports.ImportReply}
    assert kinds == SENT | replies | answers | {messages.LoadedModel, messages.Transfer}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"{}", b'{"model":1,"variant":"x","state":"absent"}',
     b'{"model":"a","variant":"b","state":"of-the-art"}', b"\xff\xfe", b"[" * 100_000],
)  # fmt: skip
def test_a_malformed_message_is_a_decode_error(body: bytes) -> None:
    with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError, RecursionError)):
        ModelStatus.decode(body)


@pytest.mark.parametrize("field", [{"speed": 9}, {"text": ""}, {"text": "x" * 4097}])
def test_a_speak_request_is_checked_where_it_is_decoded(field: dict[str, object]) -> None:
    body = {"model": "a", "variant": "b", "request_id": "1", "text": "x"} | field
    with pytest.raises(msgspec.ValidationError):
        SpeakRequest.decode(msgspec.json.encode(body))
