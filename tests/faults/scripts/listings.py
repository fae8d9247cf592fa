"""What the hub's API and headers say of the repository: nothing, nonsense, or lies."""

from tests.faults.scripts.script import SOURCE, Script, Stage
from tests.support.hub import Fault

NOBODY = "0" * 64


def _lie(stage: Stage, **lies: object) -> None:
    """The listing says something else of the file."""
    told, files = stage.told()
    for file in files:
        if file["rfilename"] == SOURCE:
            lfs = file["lfs"]
            assert isinstance(lfs, dict)
            file |= {"size": lies.get("size", file["size"]), "lfs": lfs | lies}
    stage.tell(told)


def _list_much(stage: Stage) -> None:
    told, files = stage.told()
    files += [{"rfilename": f"{'x' * 90}/{number}", "size": 1} for number in range(50_000)]
    stage.tell(told)


def _list_the_way_out(stage: Stage) -> None:
    told, files = stage.told()
    files += [{"rfilename": name, "size": 1} for name in ("../../evil", "/etc/evil", "a\\..\\b")]
    stage.tell(told)


def _refuse_heads(stage: Stage) -> None:
    stage.fault_api(status=404)
    stage.fault(Fault(gets=False, heads=True, status=405))


def _say(stage: Stage, **headers: str) -> None:
    """No API, and other headers with the file."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    stage.fault_api(status=404)
    stage.fault(Fault(heads=True, headers=named))


SCRIPTS = (
    Script(
        name="no API",
        what="the hub is a mirror with files only",
        arrange=lambda stage: stage.fault_api(status=404),
    ),
    Script(
        name="API broken",
        what="the listing is cut in the middle of its JSON",
        arrange=lambda stage: stage.fault_api(
            body=b'{"sha": "', headers={"Content-Type": "application/json"}
        ),
    ),
    Script(
        name="API is a page",
        what="instead of the listing comes a web page with 200",
        arrange=lambda stage: stage.fault_api(
            body=b"<html>", headers={"Content-Type": "text/html"}
        ),
    ),
    Script(
        name="API fails",
        what="the listing is answered with 500",
        arrange=lambda stage: stage.fault_api(status=500),
    ),
    Script(
        name="API silent",
        what="the listing is never answered",
        arrange=lambda stage: stage.fault_api(silent=True),
    ),
    Script(
        name="API tells much",
        what="the listing has 50,000 files more",
        arrange=_list_much,
    ),
    Script(
        name="API tells of ways out",
        what="the listing has files that would lie outside",
        arrange=_list_the_way_out,
    ),
    Script(
        name="wrong size in the API",
        what="the listing says one byte more than there is",
        arrange=lambda stage: _lie(stage, size=stage.size + 1),
        outcome="size_mismatch",
    ),
    Script(
        name="wrong hash in the API",
        what="the listing names another sha256",
        arrange=lambda stage: _lie(stage, sha256=NOBODY, oid=NOBODY),
        outcome="hash_mismatch",
        fetches=2,
    ),
    Script(
        name="another version than the manifest's",
        what="the manifest names a sha256, the hub has another file: no byte is fetched",
        arrange=lambda stage: _lie(stage, sha256=NOBODY, oid=NOBODY),
        outcome="hash_mismatch",
        known=("size", "sha256"),
        fetches=0,
    ),
    Script(
        name="wrong X-Linked-Size",
        what="there is no API, and the header says one byte less",
        arrange=lambda stage: _say(stage, X_Linked_Size=str(stage.size - 1)),
        outcome="size_mismatch",
    ),
    Script(
        name="wrong X-Linked-Etag",
        what="there is no API, and the header names another sha256",
        arrange=lambda stage: _say(stage, X_Linked_Etag=f'"{NOBODY}"'),
        outcome="hash_mismatch",
        fetches=2,
    ),
    Script(
        name="no metadata",
        what="there is no API, and the headers tell a length and no more",
        arrange=lambda stage: _say(
            stage, X_Linked_Etag="", X_Linked_Size="", X_Repo_Commit="", ETag=""
        ),
    ),
    Script(
        name="HEAD not allowed",
        what="there is no API, HEAD is refused, and the manifest knows all",
        arrange=_refuse_heads,
        known=("size", "sha256"),
    ),
)
