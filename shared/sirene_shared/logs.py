"""One log line an event: text for people, JSON for machines, secrets for nobody."""

import datetime
import json
import logging
import sys
from collections.abc import Iterable

# Anything shorter would mask what is none.
SHORTEST_SECRET = 4
# Libraries whose own lines repeat what ours say.
QUIET = (
    *("aiohttp", "asyncio", "faststream", "filelock", "httpcore", "httpcore2", "httpx", "httpx2"),
    *("huggingface_hub", "nats", "urllib3", "watchfiles"),
)


class OneLine(logging.Formatter):
    """Escapes what could forge a second line or steer a terminal, and masks secrets."""

    def __init__(self, service: str, *, as_json: bool, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._service = service
        self._as_json = as_json
        self._secrets = [secret for secret in secrets if len(secret) >= SHORTEST_SECRET]

    def mask(self, secret: str) -> None:
        if len(secret) >= SHORTEST_SECRET and secret not in self._secrets:
            self._secrets.append(secret)

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            text = f"{text} | {self.formatException(record.exc_info)}"
        for secret in self._secrets:
            text = text.replace(secret, "***")
        if self._as_json:
            moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
            return json.dumps(
                {
                    "time": moment.isoformat(timespec="milliseconds"),
                    "level": record.levelname.lower(),
                    "service": self._service,
                    "logger": record.name,
                    "message": text,
                }
            )
        visible = "".join(
            char if char.isprintable() else ascii(char)[1:-1] for char in text.replace("\n", " ⏎ ")
        )
        moment = datetime.datetime.fromtimestamp(record.created).astimezone()
        return f"{moment:%H:%M:%S} {record.levelname.lower():7} {self._service:10} {visible}"


def mask(secret: str) -> None:
    """From now on, too: a secret that became known while we run."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, OneLine):
            handler.formatter.mask(secret)


def configure(
    service: str, *, level: str = "info", log_format: str = "text", secrets: Iterable[str] = ()
) -> None:
    """Send the whole process's log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(service, as_json=log_format == "json", secrets=secrets))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
