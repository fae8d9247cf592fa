"""Answers whoever brings files: takes them one by one, and installs the model of them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from sirene_downloader.bringing import Bringing
from sirene_downloader.installing import Installing
from sirene_shared import upload_stream
from sirene_shared.ending import end
from sirene_shared.errors import InvalidRequest, SireneError
from sirene_shared.imports import ImportReply, ImportRequest, UploadRequest
from sirene_shared.subjects import DOWNLOADERS, IMPORT, UPLOAD
from sirene_shared.wire import Wire

log = logging.getLogger(__name__)

# While a file is hashed that takes long, the asker hears that we live.
TELL_S = 2.0

Asked = TypeVar("Asked", bound=Wire)


class Imports:
    def __init__(self, nc: Client, bringing: Bringing, installing: Installing) -> None:
        self._nc = nc
        self._bringing = bringing
        self._installing = installing
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        for subject, answer in ((UPLOAD, self._upload), (IMPORT, self._import)):
            await self._nc.subscribe(subject.all, queue=DOWNLOADERS, cb=self._taking(answer))

    async def close(self) -> None:
        """End what is on its way: whoever sends it is told by the server."""
        await end(self._tasks)

    def _taking(
        self, answer: Callable[[Msg], Coroutine[Any, Any, None]]
    ) -> Callable[[Msg], Awaitable[None]]:
        async def take(message: Msg) -> None:
            task = asyncio.create_task(answer(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return take

    async def _upload(self, message: Msg) -> None:
        try:
            await self._bringing.receive(_decode(UploadRequest, message), message.reply)
        except (nats.errors.Error, OSError) as error:
            log.info("a file did not arrive: %r", error)
        except Exception as error:  # noqa: BLE001 - the edge; _told() logs it
            with suppress(nats.errors.Error, OSError):
                await upload_stream.refuse(self._nc, message.reply, _told(error))

    async def _import(self, message: Msg) -> None:
        known = ImportReply()

        def tell(so_far: ImportReply) -> None:
            nonlocal known
            known = so_far

        async def keep_telling() -> None:
            while True:
                await self._respond(message, known)
                await asyncio.sleep(TELL_S)

        telling = asyncio.create_task(keep_telling())
        try:
            asked = _decode(ImportRequest, message)
            told = await self._installing.install(asked, tell)
        except Exception as error:  # noqa: BLE001 - the edge; _told() logs it
            told = msgspec.structs.replace(known, error=_told(error).failure())
        finally:
            await end((telling,))
        await self._respond(message, msgspec.structs.replace(told, is_over=True))

    async def _respond(self, message: Msg, told: ImportReply) -> None:
        with suppress(nats.errors.Error, OSError):
            await message.respond(told.encode())


def _told(error: Exception) -> SireneError:
    if isinstance(error, SireneError):
        return error
    log.error("files that were brought could not be dealt with", exc_info=error)
    return SireneError(
        "the downloader could not do that, in a way nobody foresaw",
        hint="Its log has the details; please report it.",
    )


def _decode(kind: type[Asked], message: Msg) -> Asked:
    """Raises: InvalidRequest."""
    try:
        return kind.decode(message.data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"the request is malformed: {error}") from error
