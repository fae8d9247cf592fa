"""The install record of what was just found right."""

import time
from collections.abc import Iterable, Mapping

from sirene_downloader.checking import Verdict
from sirene_shared import __version__
from sirene_shared.manifest import Model
from sirene_shared.store import InstallRecord, RecordedFile


def record_of(model: Model, revision: str, files: Iterable[RecordedFile]) -> InstallRecord:
    ref = model.ref
    return InstallRecord(
        model=ref.model,
        variant=ref.variant,
        manifest_digest=model.digest,
        revision=revision,
        files=tuple(files),
        installed_at=time.time(),
        sirene_version=__version__,
        license=model.manifest.license_of(ref.variant),
    )


def files_of(verdicts: Mapping[str, Verdict]) -> Iterable[RecordedFile]:
    """verdicts: all good, by the files' paths."""
    for path, verdict in verdicts.items():
        yield RecordedFile(path=path, size=verdict.size, sha256=verdict.sha256)
