"""Runners that crash, run out of memory, or take long: who is told what, and what comes after."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from sirene_inference import pipe
from sirene_inference.environment import environment
from sirene_inference.request import Request
from sirene_inference.runner import Runner
from sirene_inference.templates import Templates
from sirene_shared import bus, errors
from sirene_shared.manifest import load_catalogue
from sirene_shared.messages import Suspicion
from sirene_shared.store import Store
from sirene_shared.subjects import SUSPICION
from tests.integration.inference.conftest import Start
from tests.support.inference import Inference, are_gone, is_runner
from tests.support.models_volume import ModelsVolume
from tests.support.waiting import until

LONG_TEXT = "All that is spoken. " * 60


@pytest.fixture(params=[True, False], ids=["forked", "from nothing"])
async def templates(request: pytest.FixtureRequest) -> AsyncIterator[Templates]:
    made = Templates(environment(os.environ), is_warm=request.param)
    yield made
    await made.close()


@pytest.fixture
def tone(volume: ModelsVolume) -> pipe.Load:
    """What loads a tone."""
    ref = volume.add_tone("plain")
    return pipe.Load(
        id=1,
        model=ref.id,
        manifest=load_catalogue(volume.manifests).find(ref.model, ref.variant).manifest,
        variant=ref.variant,
        files={"tone.json": str(volume.root / "tone" / "plain" / "tone.json")},
        device="cpu",
        threads=1,
    )


async def test_every_way_to_make_a_runner_makes_the_same(
    templates: Templates, tone: pipe.Load
) -> None:
    before = set(Path("/proc/self/fd").iterdir())
    process = await templates.start("tone")
    runner = Runner(process, "tone", stall_s=10)
    found = psutil.Process(runner.pid)
    loaded = await runner.load(tone, within_s=20)
    assert loaded.device == "cpu"
    assert is_runner(found)
    assert os.getpgid(runner.pid) == runner.pid
    assert found.environ()["HF_HUB_OFFLINE"] == "1"
    assert "Seccomp:\t2" in Path(f"/proc/{runner.pid}/status").read_text()  # offline.py
    frames = [frame async for frame in runner.speak(tone.model, Request(text="Heard"))]
    assert sum(len(frame.samples) for frame in frames) == 5 * 1600 * 2
    await runner.close()
    assert process.returncode == 0
    assert not found.is_running()
    await templates.close()
    await until(lambda: set(Path("/proc/self/fd").iterdir()) <= before)


async def test_what_a_crashed_runner_said_last_is_the_cause(
    templates: Templates, tone: pipe.Load
) -> None:
    causes: list[str] = []
    runner = Runner(await templates.start("tone"), "tone", stall_s=10, crashed=causes.append)
    await runner.load(tone, within_s=20)
    with pytest.raises(errors.RunnerCrashed, match="SIGSEGV"):
        async for _ in runner.speak(tone.model, Request(text="#crash")):
            pass
    assert len(causes) == 1
    assert "SIGSEGV" in causes[0]


async def test_a_runner_that_the_kernel_ended_for_memory_says_so(
    templates: Templates, tone: pipe.Load
) -> None:
    kills = iter((7, 8))
    runner = Runner(
        await templates.start("tone"), "tone", stall_s=10, oom_kills=lambda: next(kills)
    )
    await runner.load(tone, within_s=20)
    async with aclosing(runner.speak(tone.model, Request(text=LONG_TEXT))) as frames:
        await anext(frames)
        os.kill(runner.pid, signal.SIGKILL)
        with pytest.raises(errors.OutOfMemory):
            async for _ in frames:
                pass


async def test_a_template_that_dies_takes_its_runners_along_and_is_replaced(
    tone: pipe.Load,
) -> None:
    templates = Templates(environment(os.environ))
    runner = Runner(await templates.start("tone"), "tone", stall_s=10)
    await runner.load(tone, within_s=20)
    found = psutil.Process(runner.pid)
    found.parent().kill()
    await runner.ended.wait()
    await until(lambda: are_gone([found]))
    again = Runner(await templates.start("tone"), "tone", stall_s=10)
    await again.load(tone, within_s=20)
    assert psutil.Process(again.pid).ppid() != os.getpid()
    await again.close()
    await templates.close()


async def test_a_speech_that_comes_further_is_no_hang(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_tone("plain")
    await inference.ready(start(INFERENCE_STALL_TIMEOUT=1.5))
    await inference.speak(ref, "#work takes its time.")
    with pytest.raises(errors.RunnerCrashed, match="no audio"):
        await inference.speak(ref, "#hang")


async def test_memory_that_runs_out_fails_one_request_and_nobody_else(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref, full = volume.add_tone("plain"), volume.add_tone("full", load="memory")
    process = start()
    await inference.ready(process)
    async with aclosing(inference.frames(ref, LONG_TEXT)) as frames:
        await anext(frames)
        (runner,) = process.runners()
        with pytest.raises(errors.OutOfMemory, match="speaking"):
            await inference.speak(ref, "#memory")
        async for _ in frames:
            pass
    assert process.runners() == [runner]
    reply = await inference.load(full)
    assert reply.error
    assert reply.error.code == errors.OutOfMemory.code
    await inference.speak(ref, "Well")


async def test_the_third_crash_in_a_row_has_the_model_refused(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref, other = volume.add_tone("crashing", load="crash"), volume.add_tone("other")
    await inference.ready(start())
    codes = []
    async with asyncio.timeout(20):
        while not codes or codes[-1] != errors.RunnerUnstable.code:
            reply = await inference.load(ref)
            assert reply.error
            codes.append(reply.error.code)
    assert codes.count(errors.RunnerCrashed.code) == 3
    assert reply.error.retry_after_s
    assert "SIGSEGV" in reply.error.message
    await inference.speak(other, "Well")


async def test_a_model_that_is_damaged_is_told_to_whoever_can_repair_it(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_piper("en_US-tiny")
    graph = volume.root / ref.model / ref.variant / "model.onnx"
    graph.write_bytes(bytes(len(graph.read_bytes())))
    told = await inference.nc.subscribe(SUSPICION.of(ref))
    await bus.settle(inference.nc)
    await inference.ready(start())
    reply = await inference.load(ref)
    assert reply.error
    assert reply.error.code == errors.ModelDamaged.code
    suspicion = Suspicion.decode((await told.next_msg(timeout=5)).data)
    assert suspicion.ref == ref
    assert suspicion.reason == reply.error.message
    record = Store(volume.root).record(ref)
    assert record
    assert suspicion.installed_at == record.installed_at


async def test_no_code_beside_a_model_is_ever_run(
    start: Start, volume: ModelsVolume, inference: Inference, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    code = f"open({str(trace)!r}, 'a').write(__name__)\n"
    ref, spoken = volume.add_piper("en_US-tiny"), volume.add_tone("plain")
    for each in (ref, spoken):
        folder = volume.root / each.model / each.variant
        for name in ("numpy", "onnxruntime", "json", "sitecustomize", "usercustomize", "model"):
            (folder / f"{name}.py").write_text(code)
        (folder / "__init__.py").write_text(code)
    for warm in (True, False):
        await inference.ready(start(INFERENCE_WARM_START=warm, SIRENE_REPLICA_ID=f"r-{warm}"))
        await inference.speak(ref, "A fine day.")
        await inference.speak(spoken, "Well")
    assert not trace.exists()
