"""Where the hub sends us."""

from tests.faults.scripts.script import LARGE, MIB, REPO, SOURCE, Script, Stage
from tests.support.hub import Fault


def _send_elsewhere(stage: Stage, *faults: Fault) -> None:
    stage.fault(Fault(redirect=stage.other_url))
    stage.elsewhere.fault(SOURCE, *faults)


SCRIPTS = (
    Script(
        name="another host",
        what="the bytes are at another host, which must not see the token",
        arrange=_send_elsewhere,
        size=LARGE,
        token="hf_secret",
    ),
    Script(
        name="another host that drops",
        what="the bytes are at another host, and its connection breaks",
        arrange=lambda stage: _send_elsewhere(stage, Fault(drop_at=20 * MIB, times=1)),
        size=LARGE,
        breaks=1,
        token="hf_secret",
    ),
    Script(
        name="another name of the host",
        what="the same machine under another name is another host",
        arrange=lambda stage: stage.fault(
            Fault(redirect=stage.other_url.replace("127.0.0.1", "localhost"))
        ),
        token="hf_secret",
    ),
    Script(
        name="five hops",
        what="five redirects, and then the file",
        arrange=lambda stage: stage.fault(Fault(hops=5)),
    ),
    Script(
        name="six hops",
        what="six redirects are one too many",
        arrange=lambda stage: stage.fault(Fault(hops=6)),
        outcome="hub_unavailable",
    ),
    Script(
        name="circle of redirects",
        what="the file is where we came from",
        arrange=lambda stage: stage.fault(Fault(redirect=f"/{REPO}/resolve/main/{SOURCE}")),
        outcome="hub_unavailable",
    ),
    Script(
        name="redirect to a file",
        what="the hub points at a file of this machine",
        arrange=lambda stage: stage.fault(Fault(redirect="file:///etc/hostname")),
        outcome="hub_unavailable",
    ),
    Script(
        name="redirect to nobody",
        what="where the hub points to, nobody listens",
        arrange=lambda stage: stage.fault(Fault(redirect="http://127.0.0.1:1/model.onnx")),
        outcome="hub_unavailable",
    ),
    Script(
        name="redirect without a place",
        what="the hub says 302 and not where to",
        arrange=lambda stage: stage.fault(Fault(status=302)),
        outcome="hub_unavailable",
    ),
)
