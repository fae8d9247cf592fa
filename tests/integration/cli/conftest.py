"""The commands, called as a shell calls them, and the server that they speak to."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from click.testing import CliRunner, Result

from sirene_cli.main import sirene
from tests.integration.cli.contract_server import ContractServer

Call = Callable[..., Awaitable[Result]]


@pytest.fixture
async def server() -> AsyncIterator[ContractServer]:
    started = await ContractServer().start()
    yield started
    await started.stop()


@pytest.fixture
def call(server: ContractServer) -> Call:
    """Run `sirene` with these arguments; standard output and error come apart."""

    def run(arguments: tuple[str, ...], input: str | None) -> Result:
        runner = CliRunner(env={"SIRENE_URL": server.url, "NO_COLOR": "1"})
        return runner.invoke(sirene, list(arguments), input=input)

    async def invoke(*arguments: str, input: str | None = None) -> Result:
        result = await asyncio.to_thread(run, arguments, input)
        assert "Traceback" not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result

    return invoke


Spawn = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def spawn(server: ContractServer) -> AsyncIterator[Spawn]:
    """Run `sirene` as a process, for what only a process has: signals and pipes."""
    started: list[asyncio.subprocess.Process] = []

    async def start(*arguments: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sirene_cli", "--url", server.url, *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def lines(result: Result) -> list[dict[str, object]]:
    """The JSON lines on standard output."""
    return [json.loads(line) for line in result.stdout.splitlines()]
