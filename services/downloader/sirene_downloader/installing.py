"""Files that were brought become an install, by the same steps as a pull's: verified, recorded,
renamed."""

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sirene_downloader import volume
from sirene_downloader.adoption import by_manifest, expected_files
from sirene_downloader.checking import Expected, check_all
from sirene_downloader.custody import Custody
from sirene_downloader.draft import Draft
from sirene_downloader.pull import Workshop
from sirene_downloader.record import files_of, record_of
from sirene_downloader.statements import Statements
from sirene_downloader.states import StateRefused, States
from sirene_shared.errors import FilesRefused, ModelDamaged, SireneError
from sirene_shared.imports import ImportReply, ImportRequest
from sirene_shared.inquiries import CheckedFile, FileState
from sirene_shared.manifest import Catalogue, Model
from sirene_shared.messages import InstallState, ModelStatus, Phase, Transfer
from sirene_shared.names import ModelRef
from sirene_shared.store import InstallRecord

log = logging.getLogger(__name__)

Tell = Callable[[ImportReply], None]


class Installing:
    def __init__(
        self, states: States, catalogue: Catalogue, workshop: Workshop, custody: Custody
    ) -> None:
        self._states = states
        self._catalogue = catalogue
        self._work = workshop
        self._custody = custody

    async def install(self, asked: ImportRequest, tell: Tell) -> ImportReply:
        """Raises: SireneError."""
        work, ref = self._work, asked.ref
        model = self._catalogue.find(asked.model, asked.variant)
        async with self._custody.of(ref) as (lease, draft):
            statements = Statements(self._states, lease, (await self._states.read(ref))[1])

            async def say(state: InstallState, record: InstallRecord | None = None) -> None:
                is_new = state is InstallState.VERIFYING
                transfer = Transfer(phase=Phase.VERIFYING, total_bytes=model.variant.size_bytes)
                await statements.put_surely(
                    ModelStatus(
                        model=ref.model,
                        variant=ref.variant,
                        state=state,
                        job=asked.job,
                        transfer=transfer if is_new else None,
                        size_bytes=record.size_bytes if record else 0,
                        revision=record.revision if record else "",
                    )
                )

            standing = await work.installed(ref)
            await say(InstallState.VERIFYING, standing)
            try:
                record, unverified = await self._verified(model, draft, tell)
                await work.on_disk(draft.finish, record)
                await lease.confirm()
                await work.on_disk(_commit, work, draft, ref)
            except BaseException:
                # The volume has the last word: an older install that stays is still one.
                state = InstallState.INSTALLED if standing else InstallState.ABSENT
                with suppress(SireneError, StateRefused):
                    await say(state, standing)
                raise
            await say(InstallState.INSTALLED, record)
        log.info("%s is installed from files that were brought", ref.id)
        return ImportReply(
            files=tuple(
                CheckedFile(path=file.path, size=file.size, state=FileState.OK)
                for file in record.files
            ),
            checked_bytes=record.size_bytes,
            total_bytes=record.size_bytes,
            size_bytes=record.size_bytes,
            unverified=unverified,
        )

    async def _verified(
        self, model: Model, draft: Draft, tell: Tell
    ) -> tuple[InstallRecord, tuple[str, ...]]:
        """And the files that nobody tells a hash of.

        Raises: FilesRefused naming each file that is not right.
        """
        work, ref = self._work, model.ref
        expected, revision = await _expected(work, model)
        so_far: list[CheckedFile] = []
        hashed_bytes = 0

        def said() -> None:
            total = model.variant.size_bytes or 0
            tell(ImportReply(files=tuple(so_far), checked_bytes=hashed_bytes, total_bytes=total))

        def hashed(count: int) -> None:
            nonlocal hashed_bytes
            hashed_bytes += count
            said()

        def checked(file: CheckedFile) -> None:
            so_far.append(file)
            said()

        verdicts = await check_all(
            draft.tree, expected, work.executor, hashed, checked, durably=True
        )
        bad = {path: each.state for path, each in verdicts.items() if not each.is_good}
        if bad:
            what = "; ".join(f"{path!r}: {state.replace('_', ' ')}" for path, state in bad.items())
            raise FilesRefused(
                f"the files are not those of {ref.id!r}: {what}",
                hint="Nothing was installed. Bring these files anew, or remove what came:"
                f" sirene parts --delete --model {ref.id}",
                param=next(iter(bad)),
            )
        await work.on_disk(_remove_others, draft.tree, set(verdicts))
        record = record_of(model, revision, files_of(verdicts))
        unverified = tuple(file.path for file in expected if not file.digests)
        if unverified:
            log.warning("nobody tells a hash of %s of %s", ", ".join(unverified), ref.id)
        return record, unverified


def _remove_others(tree: Path, wanted: set[str]) -> None:
    """What an earlier try left of another manifest."""
    for path in sorted(tree.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            volume.remove_if_empty(path)
        elif path.relative_to(tree).as_posix() not in wanted:
            path.unlink()


def _commit(work: Workshop, draft: Draft, ref: ModelRef) -> None:
    trash = work.staging.trash()
    volume.put_in_place(draft.tree, work.store.directory(ref), trash)
    draft.remove()
    volume.remove(trash)


async def _expected(work: Workshop, model: Model) -> tuple[list[Expected], str]:
    """Of the manifest, as far as that can tell; else of the hub; else nobody tells, and what the
    person has brought is what it should be."""
    known = by_manifest(model)
    if not all(file.digests for file in known):
        with suppress(ModelDamaged):
            return await expected_files(work, model)
    return known, model.variant.revision or ""
