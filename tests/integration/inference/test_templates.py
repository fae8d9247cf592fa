"""Runners forked from a template: many at once, and none from one that is not fit for it."""

import asyncio
import os
from pathlib import Path

import psutil
import pytest

from sirene_inference.environment import environment
from sirene_inference.forking import Template, TemplateUnusable
from sirene_inference.runner_process import TEMPLATE_NAME
from sirene_inference.templates import LIGHT, TORCH, Templates
from tests.support.inference import are_gone, is_runner
from tests.support.waiting import until


@pytest.mark.parametrize("modules", [LIGHT, TORCH], ids=["light", "torch"])
async def test_what_a_template_imports_starts_no_thread(modules: tuple[str, ...]) -> None:
    template = await Template.start(modules, environment(os.environ))
    try:
        process = await template.fork()
        runner = psutil.Process(process.pid)
        parent = psutil.Process(runner.ppid())
        assert (parent.name(), parent.ppid()) == (TEMPLATE_NAME, os.getpid())
        assert parent.num_threads() == 1
        process.stdin.write_eof()
        assert await process.wait() == 0
    finally:
        await template.close()


async def test_a_template_with_a_thread_is_not_forked(tmp_path: Path) -> None:
    (tmp_path / "threaded.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    environ = environment(os.environ) | {"PYTHONPATH": str(tmp_path)}
    template = await Template.start(("threaded",), environ)
    with pytest.raises(TemplateUnusable):
        await template.fork()
    await template.close()


async def test_what_cannot_be_imported_is_left_to_the_runner() -> None:
    template = await Template.start(("no_such_library",), environment(os.environ))
    process = await template.fork()
    process.stdin.write_eof()
    assert await process.wait() == 0
    await template.close()


async def test_many_runners_are_made_at_once_and_all_are_gone_in_the_end() -> None:
    templates = Templates(environment(os.environ))
    before = set(Path("/proc/self/fd").iterdir())
    processes = await asyncio.gather(*(templates.start("tone") for _ in range(12)))
    runners = [psutil.Process(process.pid) for process in processes]
    assert len({runner.pid for runner in runners}) == 12
    await until(lambda: all(is_runner(runner) for runner in runners))
    for process in processes[:6]:
        assert process.stdin
        process.stdin.write_eof()
        assert await process.wait() == 0
    await templates.close()
    assert [await process.wait() for process in processes[6:]] == [-9] * 6
    await until(lambda: are_gone(runners))
    await until(lambda: set(Path("/proc/self/fd").iterdir()) <= before)


async def test_a_load_that_is_given_up_leaves_no_process() -> None:
    templates = Templates(environment(os.environ))
    first = await templates.start("tone")
    assert first.stdin
    first.stdin.write_eof()
    await first.wait()
    asking = [asyncio.create_task(templates.start("tone")) for _ in range(8)]
    await asyncio.sleep(0)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    await until(lambda: not [p for p in psutil.Process().children(recursive=True) if is_runner(p)])
    await templates.close()
