"""What must end in `failed`, with its own code, said once, and nothing half installed."""

import logging
import random

import pytest

from sirene_shared.dead_letter import DeadLetter
from sirene_shared.messages import InstallState, PullCommand
from sirene_shared.names import ModelRef
from sirene_shared.subjects import COMMANDS, DEAD_LETTERS, PULL
from tests.integration.downloader.rig import QUICK, REF, REPO, Rig
from tests.support.hub import Fault, Hub

CONTENT = random.Random(4).randbytes(1_500_000)
PATH = "small/model.onnx"


async def dead_letter(rig: Rig) -> DeadLetter:
    message = await rig.js.get_last_msg(DEAD_LETTERS, "sirene.v1.dead.>")
    assert message.data is not None
    return DeadLetter.decode(message.data)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(status=404, heads=True), "hub_file_missing"),
        (Fault(status=401, heads=True), "hub_unauthorized"),
        (Fault(status=403, heads=True, headers={"X-Error-Code": "GatedRepo"}), "hub_forbidden"),
        (Fault(status=500), "hub_unavailable"),
        (Fault(status=429, headers={"Retry-After": "9999"}), "hub_rate_limited"),
        (Fault(stall_at=1000), "hub_unavailable"),
        (Fault(drop_at=1000), "hub_unavailable"),
        (Fault(length=1_000_000), "size_mismatch"),
        (Fault(length=2_000_000), "size_mismatch"),
        (Fault(flip_at=700_000), "hash_mismatch"),
        (Fault(html=True), "hub_unavailable"),
        (Fault(headers={"Content-Encoding": "gzip"}), "size_mismatch"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_faulty_hub_is_refused(
    rig: Rig, fault: Fault, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, fault)
    caplog.set_level(logging.WARNING, "sirene_downloader")
    async with rig.running(limits=QUICK):
        await rig.pull()
        status = await rig.reaches(InstallState.FAILED, InstallState.INSTALLED)
        await rig.answered()
    assert status.error is not None
    assert status.error.code == code
    assert status.error.message
    assert status.error.hint
    assert not rig.store.directory(REF).exists()
    said = [each for each in caplog.records if each.name.startswith("sirene_downloader")]
    assert len(said) == 1
    assert code in said[0].getMessage()
    if not status.error.retryable:
        assert rig.staged_bytes() == 0


async def test_a_file_of_another_size_is_refused_before_a_byte_is_fetched(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT}, size=len(CONTENT) + 1)
    async with rig.running():
        await rig.pull()
        status = await rig.reaches(InstallState.FAILED)
        await rig.answered()
    assert status.error is not None
    assert status.error.code == "size_mismatch"
    assert not rig.hub.requests("GET", PATH)


async def test_an_unknown_model_fails_and_becomes_a_dead_letter(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    unknown = ModelRef("nobody", "knows")
    async with rig.running():
        await rig.pull(unknown)
        status = await rig.reaches(InstallState.FAILED, ref=unknown)
        await rig.answered()
    assert status.error is not None
    assert status.error.code == "model_not_found"
    assert (await dead_letter(rig)).error.code == "model_not_found"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"model": "voice"}',
        PullCommand(model="voice", variant="other", job="job-1").encode(),
        PullCommand(model="voice", variant="small", job="../x").encode(),
    ],
    ids=["cut", "bytes", "deep", "fields", "another model", "job"],
)
async def test_a_malformed_command_becomes_a_dead_letter_and_stops_nobody(
    rig: Rig, body: bytes
) -> None:
    rig.publish({"model.onnx": CONTENT})
    async with rig.running():
        # The header makes FastStream decode the body before we see it.
        headers = {"content-type": "application/json"}
        await rig.js.publish(PULL.of(REF), body, headers=headers, timeout=5)
        await rig.answered()
        assert (await dead_letter(rig)).error.code == "invalid_request"
        await rig.pull(job="job-2")
        await rig.reaches(InstallState.INSTALLED, job="job-2")
        await rig.answered()
    assert (await rig.js.stream_info(COMMANDS)).state.messages == 0


async def test_an_offline_hub_is_not_asked(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    async with rig.running(hf_hub_offline=True):
        await rig.pull()
        status = await rig.reaches(InstallState.FAILED)
        await rig.answered()
    assert status.error is not None
    assert status.error.code == "hub_offline"
    assert not rig.hub.log


async def test_a_volume_that_cannot_be_written_is_said_at_start_and_at_each_pull(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.publish({"model.onnx": CONTENT})
    (rig.root / "file").touch()
    async with rig.running(models_path=rig.root / "file" / "models"):
        assert "cannot be written" in caplog.text
        await rig.pull()
        status = await rig.reaches(InstallState.FAILED)
        await rig.answered()
    assert status.error is not None
    assert status.error.code == "volume_unwritable"
    assert str(rig.root) not in status.error.message
    assert not rig.hub.log


async def test_the_token_goes_to_the_hub_and_to_nobody_else(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    elsewhere = Hub()
    elsewhere.add(REPO, "cdn/model.onnx", CONTENT)
    with elsewhere.serve() as other_url:
        rig.hub.fault(PATH, Fault(redirect=f"{other_url}/{REPO}/resolve/main/cdn/model.onnx"))
        async with rig.running(hf_token="hf_secret", private_origins="127.0.0.1:*"):
            await rig.pull()
            await rig.reaches(InstallState.INSTALLED)
            await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})
    assert all(request.had_authorization for request in rig.hub.log)
    assert elsewhere.log
    assert not any(request.had_authorization for request in elsewhere.log)


async def test_a_circle_of_redirects_is_left(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, Fault(redirect=f"/{REPO}/resolve/main/{PATH}"))
    async with rig.running():
        await rig.pull()
        status = await rig.reaches(InstallState.FAILED)
        await rig.answered()
    assert status.error is not None
    assert status.error.code == "hub_unavailable"
    assert len(rig.hub.requests("GET", PATH)) == 6
