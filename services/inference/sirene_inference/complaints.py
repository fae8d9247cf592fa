"""What a runner writes to its standard error: passed on, and the last of it kept as its cause."""

import asyncio
import logging
import re
import signal

log = logging.getLogger(__name__)

PATH_IN_TEXT = re.compile(r"(?:/[^\s/:'\"]+){2,}|[A-Za-z]:\\\S+")
MAX_CAUSE_CHARACTERS = 200
MAX_LINE_BYTES = 65536
# What a runner says with this is no cause of its end.
NEWS = "INFO: "


class Complaints:
    def __init__(self, name: str) -> None:
        """name: what the log calls the runner."""
        self._name = name
        self._last_line = ""

    async def listen(self, stream: asyncio.StreamReader) -> None:
        """Until the runner closes it."""
        rest = b""
        while received := await stream.read(MAX_LINE_BYTES):
            *lines, rest = (rest + received).split(b"\n")
            for line in lines:
                self._note(line)
            rest = rest[-MAX_LINE_BYTES:]
        self._note(rest)

    def cause(self, status: int) -> str:
        """Why it ended, for people who may not see paths. status: negative for a signal."""
        how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        said = PATH_IN_TEXT.sub("…", self._last_line)[:MAX_CAUSE_CHARACTERS]
        return f"{how}; it last said: {said}" if said else how

    def _note(self, line: bytes) -> None:
        text = line.decode(errors="replace").strip()
        if text.startswith(NEWS):
            log.info("%s: %s", self._name, text.removeprefix(NEWS))
        elif text:
            self._last_line = text
            log.warning("runner of %s: %s", self._name, text)
