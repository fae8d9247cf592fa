"""A token for the hub, given while Sirene runs: used at once, kept on the volume, told nobody."""

import logging
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import NotFoundError

from sirene_shared import bus, logs
from sirene_shared.errors import HubTokenRefused, HubUnauthorized
from sirene_shared.messages import InstallState
from sirene_shared.store import KEPT_NAME
from tests.integration.api.serving import Api
from tests.integration.downloader.rig import REF, Rig
from tests.integration.together.conftest import Serving

FILES = {"model.onnx": b"m" * 100_000, "config.json": b"{}"}
GOOD, WRONG = "hf_GoodToken0123456789", "hf_WrongToken987654321"
ROUTE = "/api/settings/hub-token"


def stored(rig: Rig) -> Path:
    return rig.root / KEPT_NAME / "hub-token"


@pytest.fixture(autouse=True)
def gated(rig: Rig) -> None:
    rig.publish(FILES)
    rig.hub.token = GOOD


@asynccontextmanager
async def running(rig: Rig, api_of_rig: Serving, **settings: object) -> AsyncIterator[Api]:
    async with rig.running(**settings), api_of_rig() as api:  # type: ignore[arg-type]
        yield api


async def test_a_token_counts_for_the_next_pull_and_the_next_dry_run(
    rig: Rig, api_of_rig: Serving
) -> None:
    async with running(rig, api_of_rig) as api:
        dry = f"/api/models/{REF.id}/pull?dry_run=true"
        assert (await api.http.post(dry)).json()["token"] == "none"
        await rig.pull(job="job-1")
        failed = await rig.reaches(InstallState.FAILED, job="job-1")
        assert failed.error is not None
        assert failed.error.code == HubUnauthorized.code
        answer = await api.http.put(ROUTE, json={"token": GOOD})
        assert answer.json() == {"verdict": "accepted", "kept": True, "source": "stored"}
        assert (await api.http.post(dry)).json()["error"] is None
        await rig.pull(job="job-2")
        await rig.reaches(InstallState.INSTALLED, job="job-2")
    rig.check_installed(FILES)


async def test_it_lies_on_the_volume_for_its_user_alone_and_outlives_a_restart(
    rig: Rig, api_of_rig: Serving
) -> None:
    async with running(rig, api_of_rig) as api:
        await api.http.put(ROUTE, json={"token": GOOD})
    assert stored(rig).read_text() == GOOD
    assert stat.S_IMODE(stored(rig).stat().st_mode) == 0o600
    assert stat.S_IMODE(stored(rig).parent.stat().st_mode) == 0o700
    assert list(stored(rig).parent.glob("hub-token.*")) == []
    async with rig.running():
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
    assert list(rig.store.directories()) == [REF]


async def test_it_counts_before_the_environments_which_counts_again_when_it_is_cleared(
    rig: Rig, api_of_rig: Serving
) -> None:
    async def source(api: Api) -> str:
        (downloader,) = (await api.http.get("/api/settings")).json()["downloaders"]
        return str(downloader["hub"]["token"]["source"])

    async with running(rig, api_of_rig, hf_token=WRONG) as api:
        assert await source(api) == "environment"
        await api.http.put(ROUTE, json={"token": GOOD})
        assert await source(api) == "stored"
        await rig.pull(job="job-1")
        await rig.reaches(InstallState.INSTALLED, job="job-1")
        assert (await api.http.delete(ROUTE)).json() == {"source": "environment"}
        assert not stored(rig).exists()
        await rig.delete()
        await rig.reaches(InstallState.ABSENT, job="delete-1")
        await rig.pull(job="job-2")
        failed = await rig.reaches(InstallState.FAILED, job="job-2")
    assert failed.error is not None
    assert failed.error.code == HubTokenRefused.code


async def test_one_that_the_hub_refuses_is_not_kept_and_the_one_before_stays(
    rig: Rig, api_of_rig: Serving
) -> None:
    async with running(rig, api_of_rig) as api:
        await api.http.put(ROUTE, json={"token": GOOD})
        answer = await api.http.put(ROUTE, json={"token": WRONG})
    assert answer.status_code == 200
    assert answer.json() == {"verdict": "refused", "kept": False, "source": "stored"}
    assert stored(rig).read_text() == GOOD


@pytest.mark.parametrize(
    "settings", [{"hf_hub_offline": True}, {"hf_endpoint": "http://127.0.0.1:9"}]
)
async def test_where_the_hub_cannot_be_asked_it_is_kept_and_its_worth_unknown(
    rig: Rig, api_of_rig: Serving, settings: dict[str, object]
) -> None:
    async with running(rig, api_of_rig, **settings) as api:
        answer = await api.http.put(ROUTE, json={"token": GOOD})
    assert answer.json() == {"verdict": "unknown", "kept": True, "source": "stored"}


async def test_what_is_no_token_is_refused_before_it_goes_anywhere(
    rig: Rig, api_of_rig: Serving
) -> None:
    async with running(rig, api_of_rig) as api:
        for token in ("", "hf with spaces", "hf_x\n", "hf_ü", "h" * 513, None, 7):
            answer = await api.http.put(ROUTE, json={"token": token})
            assert answer.status_code == 400, token
            assert answer.json()["error"]["code"] == "invalid_request"
    assert not stored(rig).exists()


async def test_every_downloader_of_the_volume_uses_it_also_one_that_did_not_hear_of_it(
    rig: Rig, api_of_rig: Serving
) -> None:
    async with running(rig, api_of_rig, replica="one") as api:
        await api.http.put(ROUTE, json={"token": WRONG})
        stored(rig).parent.mkdir(exist_ok=True)
        beside = stored(rig).with_name("by-another")
        beside.write_text(GOOD)
        beside.rename(stored(rig))
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)


@pytest.fixture
def masked_log(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Every line of the service's log, as it is written."""
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Lines()
    handler.setFormatter(logs.OneLine("downloader", as_json=False))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


async def test_no_log_no_answer_no_stream_and_no_bucket_ever_holds_it(
    rig: Rig, api_of_rig: Serving, nc: Client, masked_log: list[str]
) -> None:
    said: list[str] = []
    async with running(rig, api_of_rig) as api:
        for method, path, body in (
            ("PUT", ROUTE, {"token": GOOD}),
            ("PUT", ROUTE, {"token": WRONG}),
            ("PUT", ROUTE, {"token": GOOD + " "}),
            ("GET", "/api/settings", None),
            ("POST", f"/api/models/{REF.id}/pull?dry_run=true", None),
        ):
            said.append((await api.http.request(method, path, json=body)).text)
        logging.getLogger("test").warning("a careless line with %s", GOOD)
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        said.append((await api.http.get("/api/models")).text)
    for name in [stream.config.name for stream in await rig.js.streams_info()]:
        assert name is not None
        info = await rig.js.stream_info(name)
        for sequence in range(max(1, info.state.first_seq), info.state.last_seq + 1):
            with suppress(NotFoundError):
                said.append(str((await rig.js.get_msg(name, sequence)).data))
    assert masked_log
    assert any("a careless line with ***" in line for line in masked_log)
    for text in (*said, *masked_log):
        assert GOOD not in text
        assert WRONG not in text


async def test_a_broken_token_file_is_no_token_and_harms_nothing(
    rig: Rig, api_of_rig: Serving, tmp_path: Path
) -> None:
    stored(rig).parent.mkdir()
    secret = tmp_path / "elsewhere"
    secret.write_text(GOOD)
    stored(rig).symlink_to(secret)
    async with running(rig, api_of_rig) as api:
        (downloader,) = (await api.http.get("/api/settings")).json()["downloaders"]
        assert downloader["hub"]["token"]["source"] == "none"
        stored(rig).unlink()
        stored(rig).write_text("not a token")
        (downloader,) = (await api.http.get("/api/settings")).json()["downloaders"]
        assert downloader["hub"]["token"]["source"] == "none"


async def test_the_bus_carries_it_by_request_only(
    rig: Rig, api_of_rig: Serving, nc: Client
) -> None:
    heard: list[str] = []

    async def hear(message: Msg) -> None:
        if GOOD.encode() in message.data:
            heard.append(message.subject)

    await nc.subscribe(">", cb=hear)
    await bus.settle(nc)
    async with running(rig, api_of_rig) as api:
        await api.http.put(ROUTE, json={"token": GOOD})
        await api.http.get("/api/settings")
    await bus.settle(nc)
    assert set(heard) == {"sirene.v1.token"}
