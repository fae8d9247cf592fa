"""Bodies that are too short, too long, altered, of another file, or of another place in it."""

from tests.faults.scripts.script import LARGE, MIB, REPO, SOURCE, Script, Stage
from tests.support.hub import Fault

PAGE = b"<!doctype html><title>Log in</title><form action=/login></form>"
PAGE_HEADERS = {"Content-Type": "text/html"}


def _tell_no_hash(stage: Stage) -> None:
    stage.hub.add(REPO, SOURCE, stage.content, is_large=False)
    told, files = stage.told()
    for file in files:
        file["blobId"] = ""
    stage.tell(told)


def _change_the_file(stage: Stage) -> None:
    """Only the ETag shows it."""
    _tell_no_hash(stage)
    stage.expected = stage.other
    stage.fault(Fault(drop_at=30 * MIB, times=1), Fault(content=stage.other))


def _answer_another_range(stage: Stage) -> None:
    """Only the Content-Range shows it."""
    _tell_no_hash(stage)
    elsewhere = {"Content-Range": f"bytes 4096-8191/{stage.size}"}
    stage.fault(Fault(drop_at=30 * MIB, times=1), Fault(headers=elsewhere, shift=4096, times=1))


SCRIPTS = (
    Script(
        name="short",
        what="the file is shorter than it should be, and says so",
        arrange=lambda stage: stage.fault(Fault(length=MIB)),
        outcome="size_mismatch",
    ),
    Script(
        name="long",
        what="the file is longer than it should be, and says so",
        arrange=lambda stage: stage.fault(Fault(length=3 * MIB)),
        outcome="size_mismatch",
        breaks=1,
    ),
    Script(
        name="empty",
        what="200, and nothing in it",
        arrange=lambda stage: stage.fault(Fault(body=b"")),
        outcome="size_mismatch",
    ),
    Script(
        name="endless",
        what="no length is announced, and the body never ends",
        arrange=lambda stage: stage.fault(Fault(endless=True)),
        outcome="size_mismatch",
        breaks=1,
    ),
    Script(
        name="no length",
        what="no length is announced, and the body is right",
        arrange=lambda stage: stage.fault(Fault(chunked=True)),
        size=LARGE,
    ),
    Script(
        name="flipped once",
        what="a byte is altered on the way, once",
        arrange=lambda stage: stage.fault(Fault(flip_at=30 * MIB, times=1)),
        size=LARGE,
        fetches=2,
    ),
    Script(
        name="flipped for ever",
        what="a byte is altered, each time",
        arrange=lambda stage: stage.fault(Fault(flip_at=MIB)),
        outcome="hash_mismatch",
        fetches=2,
    ),
    Script(
        name="page of the right length",
        what="a web page with 200, as long as the file",
        arrange=lambda stage: stage.fault(Fault(html=True)),
        outcome="hub_unavailable",
    ),
    Script(
        name="login page",
        what="a web page with 200 instead of the file",
        arrange=lambda stage: stage.fault(Fault(body=PAGE, headers=PAGE_HEADERS)),
        outcome="hub_unavailable",
    ),
    Script(
        name="page in disguise",
        what="a web page as long as the file that says it is bytes",
        arrange=lambda stage: stage.fault(Fault(body=PAGE.ljust(stage.size))),
        outcome="hash_mismatch",
        fetches=2,
    ),
    Script(
        name="gzip",
        what="the body comes compressed, which was not asked for",
        arrange=lambda stage: stage.fault(Fault(gzip=True)),
        outcome="size_mismatch",
    ),
    Script(
        name="bytes of another place",
        what="under the right headers come bytes from later in the file, once",
        arrange=lambda stage: stage.fault(Fault(shift=4096, covering=30 * MIB, times=1)),
        size=LARGE,
        fetches=2,
    ),
    Script(
        name="wrong Content-Range",
        what="after a drop, an answer is from another place; nobody has told a hash: never spliced",
        arrange=_answer_another_range,
        size=LARGE,
        fetches=2,
        breaks=2,
    ),
    Script(
        name="range ignored",
        what="after a drop, every answer is the whole file",
        arrange=lambda stage: stage.fault(
            Fault(drop_at=3 * MIB, times=1), Fault(ignores_ranges=True)
        ),
        size=LARGE,
        fetches=3,
        breaks=1,
    ),
    Script(
        name="changed ETag",
        what="after a drop, the same bytes have another ETag",
        arrange=lambda stage: stage.fault(Fault(drop_at=30 * MIB, times=1), Fault(etag="another")),
        size=LARGE,
        fetches=2,
        breaks=1,
    ),
    Script(
        name="changed file",
        what="after a drop, the file is another one; nobody has told its hash: never spliced",
        arrange=_change_the_file,
        size=LARGE,
        fetches=2,
        breaks=1,
    ),
    Script(
        name="weak ETag",
        what="the ETag cannot hold a range, and the connection breaks",
        arrange=lambda stage: stage.fault(
            Fault(drop_at=30 * MIB, times=1, headers={"ETag": 'W/"weak"'}),
            Fault(headers={"ETag": 'W/"weak"'}),
        ),
        size=LARGE,
        fetches=2,
        breaks=1,
    ),
    Script(
        name="no ETag",
        what="there is no ETag, and the connection breaks",
        arrange=lambda stage: stage.fault(
            Fault(drop_at=30 * MIB, times=1, headers={"ETag": ""}), Fault(headers={"ETag": ""})
        ),
        size=LARGE,
        fetches=2,
        breaks=1,
    ),
)
