"""What all downloaders are asked at once, since each has its own volume and settings."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import TypeVar

import msgspec
import nats.errors

from sirene_api.link import BusLink
from sirene_api.volume_answers import StorageView, VolumeView
from sirene_shared.ending import end
from sirene_shared.errors import BusUnavailable, Failure, SireneError
from sirene_shared.inquiries import Storage, StorageRequest
from sirene_shared.presence import present
from sirene_shared.subjects import DOWNLOADER_SERVICE, STORAGE, Subject
from sirene_shared.wire import Wire

# A walk over a large volume takes a while.
ANSWER_S = 10.0

Told = TypeVar("Told", bound=Wire)


class Downloaders:
    def __init__(self, link: BusLink) -> None:
        self._link = link

    async def storage(self) -> StorageView:
        """Raises: BusUnavailable when there is no downloader; VolumeUnwritable."""
        told = await self.ask_all(STORAGE, StorageRequest(), Storage)
        good = [each for each in told if each.error is None]
        if not good:
            raise first_error(each.error for each in told)
        volumes: dict[str, list[Storage]] = {}
        for each in sorted(good, key=lambda each: each.writer):
            volumes.setdefault(each.volume or each.writer, []).append(each)
        return StorageView(
            volumes=[_view(name, storages) for name, storages in sorted(volumes.items())]
        )

    async def ask_all(
        self, subject: Subject, question: Wire, kind: type[Told], *, within_s: float = ANSWER_S
    ) -> list[Told]:
        """What every downloader that is there answers, as far as it does in time.

        Raises: BusUnavailable.
        """
        await self._link.wait_for_state()
        told: list[Told] = []
        with self._link.asking() as client:
            inbox = client.new_inbox()
            subscription = await client.subscribe(inbox)
            counting = asyncio.create_task(present(client, DOWNLOADER_SERVICE))
            try:
                await client.publish(subject.all, question.encode(), reply=inbox)
                count = len(await counting)
                async with asyncio.timeout(within_s):
                    while len(told) < count:
                        message = await subscription.next_msg(timeout=within_s)
                        if not message.data:  # 503: nobody listens
                            break
                        with suppress(msgspec.MsgspecError, UnicodeDecodeError):
                            told.append(kind.decode(message.data))
            except (TimeoutError, nats.errors.TimeoutError):
                pass  # those that answered count
            finally:
                await end((counting,))
                with suppress(nats.errors.Error):
                    await subscription.unsubscribe()
        return told


def nobody() -> BusUnavailable:
    return BusUnavailable(
        "no downloader answers",
        hint="Start one; `nats micro ls` shows those that run.",
    )


def decoded(kind: type[Told], body: bytes) -> Told:
    """Raises: SireneError."""
    try:
        return kind.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise SireneError("a downloader gave an answer that cannot be read") from None


def first_error(failures: Iterable[Failure | None]) -> SireneError:
    """Of downloaders that all failed; of none, that there is none."""
    return next((failure.error() for failure in failures if failure), nobody())


def _view(name: str, storages: list[Storage]) -> VolumeView:
    """Of one volume, as its downloaders saw it, which was at almost the same time."""
    seen = storages[0]
    return VolumeView(
        volume=name,
        downloaders=[each.writer for each in storages],
        total_bytes=seen.total_bytes,
        free_bytes=seen.free_bytes,
        reserved_bytes=seen.reserved_bytes,
        installed_bytes=seen.installed_bytes,
        parts_bytes=seen.parts_bytes,
    )
