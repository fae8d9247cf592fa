"""The services' lines on our standard error: theirs as they are, others' made to look alike."""

import json
import logging
import re
import sys
from collections.abc import Iterable
from contextlib import suppress

from sirene_shared.logs import OneLine

TEXT_LINE = re.compile(r"\d\d:\d\d:\d\d [a-z]+ +(?P<service>[a-z]+) ")


class Relay:
    """Called from one thread for each service."""

    def __init__(self, *, log_format: str, secrets: Iterable[str] = ()) -> None:
        self._as_json = log_format == "json"
        self._secrets = tuple(secrets)
        self._formatters: dict[str, OneLine] = {}

    def __call__(self, service: str, line: str) -> None:
        if not line.strip():
            return
        text = line if self._is_formatted(service, line) else self._format(service, line)
        # One write a line, so that two services never share one; a terminal that is gone is no
        # reason to end them.
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    def _is_formatted(self, service: str, line: str) -> bool:
        """Whether the service's own logging wrote it."""
        if not line.isprintable():
            return False
        if not self._as_json:
            match = TEXT_LINE.match(line)
            return match is not None and match["service"] == service
        try:
            entry = json.loads(line)
        except ValueError:
            return False
        return isinstance(entry, dict) and {"time", "level", "service", "message"} <= entry.keys()

    def _format(self, service: str, line: str) -> str:
        formatter = self._formatters.get(service)
        if formatter is None:
            formatter = OneLine(service, as_json=self._as_json, secrets=self._secrets)
            self._formatters[service] = formatter
        return formatter.format(
            logging.LogRecord(service, logging.INFO, "", 0, line.rstrip(), None, None)
        )
