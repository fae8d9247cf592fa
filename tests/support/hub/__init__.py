"""A model hub over real HTTP, on this machine: what huggingface.co answers, and faults on demand.

    hub = Hub()
    hub.add("rhasspy/piper-voices", "en/…/en_US-lessac-medium.onnx", b"…")
    hub.fault("en/…/en_US-lessac-medium.onnx", Fault(drop_at=1000, times=2), Fault(flip_at=5))
    with hub.serve() as url: ...

`/{repo}/resolve/{revision}/{path}` answers HEAD and GET with ranges, ETags and the hub's own
headers; `/api/models/{repo}/revision/{revision}` and `…/tree/{revision}` list a repository at its
commit, so that `hf download` works against it too.
"""

from tests.support.hub.fault import Fault, Storm
from tests.support.hub.files import File
from tests.support.hub.server import LISTING, TREE, Hub, Request

__all__ = ["LISTING", "TREE", "Fault", "File", "Hub", "Request", "Storm"]
