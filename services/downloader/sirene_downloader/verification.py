"""An install held against its record, file by file, told as it goes on."""

from collections.abc import Callable

from sirene_downloader.checking import Expected, check_all, expected_of
from sirene_downloader.pull import Workshop
from sirene_downloader.remote import Digest
from sirene_shared.errors import ModelNotInstalled
from sirene_shared.inquiries import CheckedFile, Verification
from sirene_shared.manifest import Model


async def verify(
    workshop: Workshop, model: Model, tell: Callable[[Verification], None]
) -> Verification:
    """tell: called with what is known so far, after every block.

    Raises: ModelNotInstalled, ModelDamaged (no readable record), PullError.
    """
    expected = await _expected(workshop, model)
    total = sum(file.size or 0 for file in expected)
    files: list[CheckedFile] = []
    counted = 0

    def hashed(count: int) -> None:
        nonlocal counted
        counted += count
        tell(so_far())

    def so_far(*, is_over: bool = False) -> Verification:
        return Verification(
            files=tuple(files), checked_bytes=counted, total_bytes=total, is_over=is_over
        )

    folder = workshop.store.directory(model.ref)
    await check_all(folder, expected, workshop.executor, hashed, files.append)
    return so_far(is_over=True)


async def _expected(workshop: Workshop, model: Model) -> list[Expected]:
    """Of the record; where the manifest says more of a file, that counts too."""
    record = await workshop.on_disk(workshop.store.record, model.ref)
    if record is None:
        raise ModelNotInstalled(
            f"{model.ref.id!r} is not installed",
            hint=f"Install it first: sirene pull {model.ref.id}.",
            param="model",
        )
    expected = expected_of(record)
    if record.manifest_digest != model.digest:
        return expected
    known = {file.path: file for file in model.variant.file_list}
    return [
        file._replace(digests=(*file.digests, Digest("sha256", sha256)))
        if (sha256 := known[file.path].sha256 if file.path in known else None)
        else file
        for file in expected
    ]
