"""Answers what the API asks, beside the commands: about models, about the volume, about us.

Each question is a task of its own, so that a long one holds up no other; they are few at a time,
since they read the disk that pulls write to.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from sirene_downloader.parts import Parts
from sirene_downloader.preflight import Preflights
from sirene_downloader.pull import Workshop
from sirene_downloader.reception import Reception
from sirene_downloader.storages import Storages
from sirene_downloader.verification import verify
from sirene_shared.ending import end
from sirene_shared.errors import InvalidRequest, SireneError
from sirene_shared.inquiries import (
    PartsReply,
    PartsRequest,
    Preflight,
    PreflightRequest,
    Setup,
    SetupRequest,
    Storage,
    StorageRequest,
    TokenReply,
    TokenRequest,
    Verification,
    VerifyRequest,
)
from sirene_shared.manifest import Catalogue
from sirene_shared.messages import Control
from sirene_shared.names import check_job
from sirene_shared.subjects import (
    CONTROL,
    DOWNLOADERS,
    PARTS,
    PREFLIGHT,
    SETUP,
    STORAGE,
    TOKEN,
    VERIFY,
)
from sirene_shared.wire import Wire

log = logging.getLogger(__name__)

AT_A_TIME = 4
# No queue group: every downloader answers.
TO_ALL = ""
# While a file is hashed that takes long, the asker hears that we live.
TELL_S = 2.0

Question = TypeVar("Question", bound=Wire)
Answer = Callable[[Msg], Awaitable[Wire]]


class Desk:
    def __init__(
        self,
        nc: Client,
        catalogue: Catalogue,
        workshop: Workshop,
        preflights: Preflights,
        parts: Parts,
        storages: Storages,
        reception: Reception,
    ) -> None:
        self._nc = nc
        self._catalogue = catalogue
        self._workshop = workshop
        self._preflights = preflights
        self._parts = parts
        self._storages = storages
        self._reception = reception
        self._slots = asyncio.Semaphore(AT_A_TIME)
        self._tasks: set[asyncio.Task[None]] = set()
        self._verifying: dict[str, asyncio.Task[Verification]] = {}

    async def open(self) -> None:
        for subject, answer, broken, queue in (
            (PREFLIGHT, self._preflight, Preflight, DOWNLOADERS),
            (VERIFY, self._verify, Verification, DOWNLOADERS),
            (PARTS, self._left, PartsReply, DOWNLOADERS),
            (STORAGE, self._storage, Storage, TO_ALL),
            (SETUP, self._setup, Setup, TO_ALL),
            (TOKEN, self._token, TokenReply, TO_ALL),
        ):
            await self._nc.subscribe(subject.all, queue=queue, cb=self._taking(answer, broken))
        await self._nc.subscribe(CONTROL.all, cb=self._on_control)

    async def close(self) -> None:
        """End every answer that is being made: whoever asked asks another downloader."""
        await end(self._tasks)

    def _taking(
        self, answer: Answer, broken: Callable[..., Wire]
    ) -> Callable[[Msg], Awaitable[None]]:
        async def take(message: Msg) -> None:
            task = asyncio.create_task(self._reply(message, answer, broken))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return take

    async def _reply(self, message: Msg, answer: Answer, broken: Callable[..., Wire]) -> None:
        async with self._slots:
            try:
                told = await answer(message)
            except SireneError as error:
                told = broken(error=error.failure())
            except Exception:
                log.exception("a question on %r could not be answered", message.subject)
                told = broken(
                    error=SireneError(
                        "the downloader could not answer, in a way nobody foresaw",
                        hint="Its log has the details; please report it.",
                    ).failure()
                )
        with suppress(nats.errors.Error, OSError):
            await message.respond(told.encode())

    async def _preflight(self, message: Msg) -> Wire:
        asked = _decode(PreflightRequest, message)
        return await self._preflights.look(self._catalogue.find(asked.model, asked.variant))

    async def _verify(self, message: Msg) -> Wire:
        asked = _decode(VerifyRequest, message)
        model = self._catalogue.find(asked.model, asked.variant)
        job, known = check_job(asked.job), Verification()

        def tell(so_far: Verification) -> None:
            nonlocal known
            known = so_far

        async def keep_telling() -> None:
            while True:
                with suppress(nats.errors.Error, OSError):
                    await message.respond(known.encode())
                await asyncio.sleep(TELL_S)

        work = asyncio.create_task(verify(self._workshop, model, tell))
        telling = asyncio.create_task(keep_telling())
        self._verifying[job] = work
        try:
            return await work
        except asyncio.CancelledError:
            if job in self._verifying:
                raise  # the service ends
            raise InvalidRequest("the verification was cancelled") from None
        finally:
            self._verifying.pop(job, None)
            await end((work, telling))

    async def _left(self, message: Msg) -> Wire:
        asked = _decode(PartsRequest, message)
        if asked.delete:
            return PartsReply(parts=tuple(await self._parts.collect(asked.model)))
        return PartsReply(parts=tuple(await self._parts.left(asked.model)))

    async def _storage(self, message: Msg) -> Wire:
        _decode(StorageRequest, message)
        return await self._storages.look()

    async def _setup(self, message: Msg) -> Wire:
        _decode(SetupRequest, message)
        return await self._reception.tell()

    async def _token(self, message: Msg) -> Wire:
        return await self._reception.take_token(_decode(TokenRequest, message))

    async def _on_control(self, message: Msg) -> None:
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            control = Control.decode(message.data)
            work = self._verifying.get(control.job)
            if work is not None and control.action == "cancel":
                del self._verifying[control.job]
                work.cancel()


def _decode(kind: type[Question], message: Msg) -> Question:
    """Raises: InvalidRequest."""
    try:
        return kind.decode(message.data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"the question is malformed: {error}") from error
