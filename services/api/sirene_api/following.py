"""A question to one downloader that is long in answering: it tells how far it is, to the end."""

from contextlib import suppress
from typing import TypeVar

import nats.errors

from sirene_api.downloaders import decoded, nobody
from sirene_api.link import BusLink
from sirene_shared.imports import ImportReply
from sirene_shared.inquiries import Verification

# It says every two seconds that it goes on.
SILENCE_S = 15.0

Told = TypeVar("Told", Verification, ImportReply)


async def follow(link: BusLink, subject: str, request: bytes, kind: type[Told]) -> Told:
    """The last answer. Raises: BusUnavailable, the error that the downloader tells."""
    with link.asking() as client:
        inbox = client.new_inbox()
        subscription = await client.subscribe(inbox)
        try:
            await client.publish(subject, request, reply=inbox)
            while True:
                message = await subscription.next_msg(timeout=SILENCE_S)
                if (message.headers or {}).get("Status") == "503":
                    raise nobody()
                told = decoded(kind, message.data)
                if told.error:
                    raise told.error.error()
                if told.is_over:
                    return told
        except nats.errors.TimeoutError:
            raise nobody() from None
        finally:
            with suppress(nats.errors.Error):
                await subscription.unsubscribe()
