"""Several origins of one model: in order, with fallback, and the token for the hub alone."""

import random
import socket
from collections.abc import Iterator

import pytest

from sirene_shared.messages import InstallState
from tests.integration.downloader.rig import PATIENT, REF, REPO, Rig
from tests.support.hub import Fault, Hub

MIB = 1 << 20
CONTENT = random.Random(11).randbytes(4 * MIB)
PATH = "small/model.onnx"
TOKEN = "hf_secret"


@pytest.fixture
def mirror() -> Iterator[Hub]:
    """Files only, as most mirrors are."""
    hub = Hub(has_api=False)
    hub.add(REPO, PATH, CONTENT)
    with hub.serve():
        yield hub


@pytest.fixture
def other_mirror() -> Iterator[Hub]:
    hub = Hub()
    hub.add(REPO, PATH, CONTENT)
    with hub.serve():
        yield hub


@pytest.fixture
def down() -> Iterator[str]:
    """An address that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def gets(hub: Hub) -> int:
    return len(hub.requests("GET", PATH))


async def test_the_hub_is_asked_first_and_the_mirrors_for_nothing_while_it_answers(
    rig: Rig, mirror: Hub
) -> None:
    rig.publish({"model.onnx": CONTENT})
    async with rig.running(mirrors=mirror.url, hf_token=TOKEN):
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})
    assert not mirror.asked


async def test_mirrors_are_asked_in_order_and_never_with_the_token(
    rig: Rig, mirror: Hub, other_mirror: Hub, down: str, caplog: pytest.LogCaptureFixture
) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, Fault(status=503))
    mirror.fault(PATH, Fault(status=404))
    mirrors = ",".join((down, mirror.url, other_mirror.url))
    async with rig.running(mirrors=mirrors, hf_token=TOKEN):
        await rig.pull()
        status = await rig.reaches(InstallState.INSTALLED, InstallState.FAILED)
        await rig.answered()
    assert status.state is InstallState.INSTALLED
    rig.check_installed({"model.onnx": CONTENT})
    assert gets(mirror) == gets(other_mirror) == 1
    assert not any(seen.had_authorization for seen in (*mirror.log, *other_mirror.log))
    assert all(seen.had_authorization for seen in rig.hub.log)
    left = [each.getMessage() for each in caplog.records if "is left" in each.getMessage()]
    assert len(left) == 3
    for url, line in zip((rig.hub.url, down, mirror.url), left, strict=True):
        assert line.startswith(url)
    record = rig.store.record(REF)
    assert record is not None
    assert record.revision == rig.hub.commit(REPO)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(flip_at=700_000),
        Fault(length=1_000_000),
        Fault(length=5 * MIB),
        Fault(html=True),
        Fault(stall_at=MIB),
        Fault(drop_at=MIB),
        Fault(status=401),
        Fault(status=403, headers={"X-Error-Code": "GatedRepo"}),
        Fault(redirect="http://169.254.169.254/latest/meta-data/"),
        Fault(redirect="file:///etc/passwd"),
        Fault(headers={"Content-Encoding": "gzip"}),
    ],
    ids=str,
)
async def test_a_mirror_that_lies_or_refuses_is_left_for_the_next(
    rig: Rig, mirror: Hub, other_mirror: Hub, fault: Fault
) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, Fault(status=404))
    mirror.fault(PATH, fault)
    async with rig.running(mirrors=f"{mirror.url},{other_mirror.url}"):
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})
    assert gets(mirror)
    assert gets(other_mirror)


async def test_a_part_goes_on_at_the_next_origin_when_its_sha256_is_known(
    rig: Rig, mirror: Hub
) -> None:
    rig.publish({"model.onnx": CONTENT})
    # Not a break of the connection, which loses what is on its way.
    rig.hub.fault(PATH, Fault(stall_at=3 * MIB))
    # Each origin has names of its own for one content.
    mirror.fault(PATH, Fault(etag="the mirror's"))
    async with rig.running(mirrors=mirror.url), rig.watching() as ticks:
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})
    assert all(seen.range for seen in mirror.requests("GET", PATH))
    assert rig.hub.sent_bytes[PATH] + mirror.sent_bytes[PATH] < 1.3 * len(CONTENT)
    done = [tick.transfer.done_bytes for tick in ticks]
    assert done == sorted(done)


async def test_a_lying_origin_costs_the_next_one_nothing_of_its_own_retry(
    rig: Rig, mirror: Hub
) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, Fault(flip_at=MIB))
    mirror.fault(PATH, Fault(flip_at=MIB, times=1))
    async with rig.running(mirrors=mirror.url):
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})


async def test_a_part_starts_anew_at_the_next_origin_when_no_sha256_is_known(
    rig: Rig, mirror: Hub
) -> None:
    path = "small/config.txt"
    content = CONTENT[: MIB // 2]
    rig.publish({"config.txt": content})
    mirror.add(REPO, path, content)
    rig.hub.fault(path, Fault(drop_at=MIB // 4))
    # The mirror has another file beside, and so another commit.
    mirror.revisions.add(rig.hub.commit(REPO))
    async with rig.running(mirrors=mirror.url):
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"config.txt": content})
    assert mirror.sent_bytes[path] == len(content)
    assert not any(seen.range for seen in mirror.requests("GET", path))


async def test_a_hub_that_is_down_is_replaced_from_the_first_question_on(
    rig: Rig, other_mirror: Hub, down: str
) -> None:
    rig.publish({"model.onnx": CONTENT})
    async with rig.running(hf_endpoint=down, mirrors=other_mirror.url, hf_token=TOKEN):
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})
    assert not any(seen.had_authorization for seen in other_mirror.log)


async def test_a_mirror_is_no_way_round_terms_that_are_not_accepted(rig: Rig, mirror: Hub) -> None:
    rig.publish({"model.onnx": CONTENT})
    gated = Fault(status=403, heads=True, headers={"X-Error-Code": "GatedRepo"})
    rig.hub.fault(PATH, gated)
    async with rig.running(mirrors=mirror.url, hf_token=TOKEN):
        await rig.pull()
        status = await rig.reaches(InstallState.FAILED)
        await rig.answered()
    assert status.error is not None
    assert status.error.code == "hub_forbidden"
    assert not mirror.asked


@pytest.mark.parametrize("has_api", [True, False])
async def test_files_are_fetched_at_a_commit_and_never_at_a_branch(
    rig: Rig, mirror: Hub, has_api: bool
) -> None:
    rig.hub.has_api = has_api
    rig.publish({"model.onnx": CONTENT, "config.json": b"{}"})
    commit = rig.hub.commit(REPO)
    mirror.revisions.add(commit)
    rig.hub.fault(PATH, Fault(status=404))
    async with rig.running(mirrors=mirror.url):
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    record = rig.store.record(REF)
    assert record is not None
    assert record.revision == commit
    places = [path for path in rig.hub.asked | mirror.asked if "/resolve/" in path]
    at_branch = {path for path in places if "/resolve/main/" in path}
    # Where nobody lists the files, the first question about one tells the commit.
    assert at_branch == (set() if has_api else {f"/{REPO}/resolve/main/{PATH}"})
    assert f"/{REPO}/resolve/{commit}/{PATH}" in places


async def test_a_branch_that_moved_starts_what_changed_anew_and_keeps_the_rest(rig: Rig) -> None:
    old, new = CONTENT, CONTENT[::-1]
    rig.publish({"a.onnx": CONTENT, "b.onnx": old})
    before = rig.hub.commit(REPO)
    rig.hub.fault("small/b.onnx", Fault(stall_at=3 * MIB, times=1))
    async with rig.running(limits=PATIENT):
        await rig.pull()
        # By the downloader: what was only sent may still be on its way.
        await rig.has_received(len(CONTENT) + 2 * MIB)
    rig.hub.add(REPO, "small/b.onnx", new)
    async with rig.running():
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"a.onnx": CONTENT, "b.onnx": new})
    record = rig.store.record(REF)
    assert record is not None
    assert record.revision == rig.hub.commit(REPO) != before
    # What was on its way when the first one ended is all that came twice.
    assert rig.hub.sent_bytes["small/a.onnx"] < 2 * len(CONTENT)
    assert rig.hub.sent_bytes["small/b.onnx"] == 3 * MIB + len(new)
