"""Over https as over http; and never from https back to http."""

import random
from pathlib import Path

import pytest
from nats.js import JetStreamContext

from sirene_shared.messages import InstallState
from tests.integration.downloader.rig import REF, REPO, Rig
from tests.support import certificate
from tests.support.hub import Fault, Hub
from tests.support.nats import NatsServer

CONTENT = random.Random(7).randbytes(3_000_001)
PATH = "small/model.onnx"


@pytest.fixture
def rig(tmp_path: Path, nats_server: NatsServer, js: JetStreamContext) -> Rig:
    return Rig(tmp_path, Hub(), nats_server.url, js)


async def test_a_model_is_pulled_over_https(rig: Rig, tmp_path: Path) -> None:
    trusted, tls = certificate.make(tmp_path)
    with rig.hub.serve(tls):
        rig.publish({"model.onnx": CONTENT})
        rig.hub.fault(PATH, Fault(drop_at=2_000_000, times=1))
        async with rig.process(SSL_CERT_FILE=str(trusted)):
            await rig.pull()
            await rig.reaches(InstallState.INSTALLED)
            await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})
    assert rig.hub.url.startswith("https://")


async def test_a_redirect_to_plain_http_is_refused(rig: Rig, tmp_path: Path, hub: Hub) -> None:
    trusted, tls = certificate.make(tmp_path)
    hub.add(REPO, PATH, CONTENT)
    with rig.hub.serve(tls):
        rig.publish({"model.onnx": CONTENT})
        rig.hub.fault(PATH, Fault(redirect=f"{hub.url}/{REPO}/resolve/main/{PATH}"))
        async with rig.process(SSL_CERT_FILE=str(trusted)):
            await rig.pull()
            status = await rig.reaches(InstallState.FAILED)
            await rig.answered()
    assert status.error is not None
    assert status.error.code == "hub_unavailable"
    assert status.error.hint
    assert not hub.log
    assert not rig.store.directory(REF).exists()
