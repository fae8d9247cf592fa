"""The volume looked into and mended: verified, repaired, shared files stored once."""

import random

from sirene_downloader.space import allocated_bytes
from sirene_shared.inquiries import (
    FileState,
    PartsReply,
    PartsRequest,
    Preflight,
    PreflightRequest,
    TokenVerdict,
    Verification,
    VerifyRequest,
)
from sirene_shared.messages import InstallState, PullCommand
from sirene_shared.names import ModelRef
from sirene_shared.subjects import PARTS, PREFLIGHT, PULL, VERIFY
from tests.integration.downloader.rig import PATIENT, REF, Rig
from tests.support.hub import Fault

OTHER = ModelRef("voice", "other")
BIG = random.Random(11).randbytes(2_000_003)
FILES = {"model.onnx": BIG, "config.json": b'{"sample_rate": 22050}'}


async def installed(rig: Rig, ref: ModelRef = REF, job: str = "job-1") -> None:
    await rig.pull(ref, job=job)
    await rig.reaches(InstallState.INSTALLED, ref=ref, job=job)
    await rig.answered()


async def repair(rig: Rig, job: str) -> None:
    command = PullCommand(model=REF.model, variant=REF.variant, job=job, repair=True)
    await rig.js.publish(PULL.of(REF), command.encode(), timeout=5)


async def verified(rig: Rig) -> dict[str, FileState]:
    inbox = rig.nc.new_inbox()
    answers = await rig.nc.subscribe(inbox)
    asked = VerifyRequest(model=REF.model, variant=REF.variant, job="verify-1")
    await rig.nc.publish(VERIFY.of(REF), asked.encode(), reply=inbox)
    told = Verification()
    while not told.is_over:
        told = Verification.decode((await answers.next_msg(timeout=10)).data)
        assert told.error is None
    await answers.unsubscribe()
    assert told.checked_bytes <= told.total_bytes
    return {file.path: file.state for file in told.files}


async def preflight(rig: Rig, ref: ModelRef = REF) -> Preflight:
    asked = PreflightRequest(model=ref.model, variant=ref.variant)
    return Preflight.decode((await rig.nc.request(PREFLIGHT.all, asked.encode(), timeout=10)).data)


async def parts(rig: Rig, *, delete: bool = False) -> PartsReply:
    asked = PartsRequest(delete=delete)
    return PartsReply.decode((await rig.nc.request(PARTS.all, asked.encode(), timeout=10)).data)


async def test_a_repair_fetches_only_the_bad_file_and_a_verify_finds_it(rig: Rig) -> None:
    rig.publish(FILES)
    async with rig.running():
        await installed(rig)
        assert set((await verified(rig)).values()) == {FileState.OK}
        altered = rig.store.directory(REF) / "model.onnx"
        altered.write_bytes(BIG[:-1] + b"x")
        (rig.store.directory(REF) / "config.json").chmod(0o640)
        assert await verified(rig) == {
            "model.onnx": FileState.WRONG_HASH if BIG[-1:] != b"x" else FileState.OK,
            "config.json": FileState.OK,
        }
        fetched = len(rig.hub.requests("GET", "small/config.json"))
        opened = altered.open("rb")
        await repair(rig, "repair-1")
        await rig.reaches(InstallState.INSTALLED, job="repair-1")
        await rig.answered()
        assert set((await verified(rig)).values()) == {FileState.OK}
    with opened:
        assert opened.read() == BIG[:-1] + b"x"  # replaced by rename, never written in place
    assert len(rig.hub.requests("GET", "small/config.json")) == fetched
    assert len(rig.hub.requests("GET", "small/model.onnx")) == 2
    rig.check_installed(FILES)


async def test_a_repair_of_what_is_right_changes_nothing_even_without_a_hub(rig: Rig) -> None:
    rig.publish(FILES)
    async with rig.running():
        await installed(rig)
    before = rig.store.directory(REF).stat().st_ino
    async with rig.running(hf_hub_offline=True):
        await repair(rig, "repair-1")
        status = await rig.reaches(InstallState.INSTALLED, job="repair-1")
        assert status.error is None
        await rig.answered()
    assert rig.store.directory(REF).stat().st_ino == before
    rig.check_installed(FILES)


async def test_a_shared_file_is_fetched_and_stored_once_and_survives_a_delete(rig: Rig) -> None:
    rig.publish(FILES)
    rig.publish({"codec.onnx": BIG, "own.json": b"{}"}, ref=OTHER)
    async with rig.running():
        await installed(rig)
        told = await preflight(rig, OTHER)
        assert (told.total_bytes, told.missing_bytes) == (len(BIG) + 2, 2)
        await installed(rig, OTHER, "job-2")
        assert not rig.hub.requests("GET", "other/codec.onnx")
        one, two = (
            rig.store.directory(REF) / "model.onnx",
            rig.store.directory(OTHER) / "codec.onnx",
        )
        assert one.stat().st_ino == two.stat().st_ino
        await rig.delete()
        status = await rig.reaches(InstallState.ABSENT, job="delete-1")
        assert status.freed_bytes == len(FILES["config.json"])
        await rig.answered()
    assert two.stat().st_nlink == 1
    assert two.read_bytes() == BIG


async def test_a_damaged_shared_file_is_fetched_and_not_taken(rig: Rig) -> None:
    rig.publish(FILES)
    rig.publish({"codec.onnx": BIG}, ref=OTHER)
    async with rig.running():
        await installed(rig)
        (rig.store.directory(REF) / "model.onnx").write_bytes(bytes(len(BIG)))
        await installed(rig, OTHER, "job-2")
    assert (rig.store.directory(OTHER) / "codec.onnx").read_bytes() == BIG
    assert rig.hub.requests("GET", "other/codec.onnx")


async def test_a_preflight_counts_what_is_here_and_what_running_pulls_reserve(rig: Rig) -> None:
    rig.publish(FILES)
    rig.publish({"other.onnx": b"1" * 3_000_000}, ref=OTHER)
    rig.hub.fault("small/model.onnx", Fault(stall_at=1_000_000))
    async with rig.running(limits=PATIENT):
        await rig.pull()
        await rig.has_received(900_000)
        told = await preflight(rig, OTHER)
        assert told.error is None
        assert told.fits
        total = len(BIG) + len(FILES["config.json"])
        (tree,) = rig.store.staging.glob(f"*/{REF.key}/tree")
        # What the running pull will take is noted, or on the disk already.
        assert total - allocated_bytes(tree) <= told.reserved_bytes <= total
        assert (told.total_bytes, told.missing_bytes) == (3_000_000, 3_000_000)
        assert (told.license, told.gated, told.token) == ("MIT", False, TokenVerdict.NOT_NEEDED)
        (part,) = (await parts(rig)).parts
        assert part.in_use
        assert not (await parts(rig, delete=True)).parts
        await rig.cancel("job-1", keep=True)
        await rig.reaches(InstallState.ABSENT)
        await rig.answered()
        assert (await preflight(rig, OTHER)).reserved_bytes == 0
        missing = (await preflight(rig)).missing_bytes
        assert missing is not None
        assert missing < len(BIG) - 500_000
        (removed,) = (await parts(rig, delete=True)).parts
        assert removed.size_bytes > 500_000
    assert rig.staged_bytes() == 0


async def test_a_preflight_tells_what_the_hub_makes_of_the_token(rig: Rig) -> None:
    rig.publish(FILES)
    for fault, token, verdict in (
        (Fault(status=401, heads=True), "", TokenVerdict.NONE),
        (Fault(status=401, heads=True), "hf_wrong", TokenVerdict.WRONG),
        (Fault(status=403, heads=True), "hf_new", TokenVerdict.TERMS_NOT_ACCEPTED),
    ):
        rig.hub.fault("small/model.onnx", fault)
        async with rig.running(hf_token=token):
            told = await preflight(rig)
        assert told.token is verdict
        assert told.gated
        assert told.error is not None


async def test_what_a_dead_downloader_left_is_listed_and_collected_on_request(rig: Rig) -> None:
    rig.publish(FILES)
    dead = rig.store.staging / "gone-1" / OTHER.key / "tree"
    dead.mkdir(parents=True)
    (dead / "half").write_bytes(bytes(100_000))
    async with rig.running():
        (part,) = (await parts(rig)).parts
        assert part.is_orphan
        assert not part.in_use
        assert part.size_bytes >= 100_000
        assert len((await parts(rig, delete=True)).parts) == 1
        assert not (await parts(rig)).parts
    assert not dead.exists()
