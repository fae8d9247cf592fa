"""`sirene say` against a server that speaks the contract."""

import asyncio
import base64
import signal
import wave
from pathlib import Path

from aiohttp import web

from tests.integration.cli.conftest import Call, Spawn, lines
from tests.integration.cli.contract_server import (
    MODEL,
    RATE,
    SAMPLES,
    ContractServer,
    cut,
    model,
    streaming_wav,
)
from tests.support.waiting import until


async def broken(request: web.Request, response: web.StreamResponse) -> None:
    await response.write(streaming_wav() + SAMPLES[:5000])
    cut(request)


async def endless(_: web.Request, response: web.StreamResponse) -> None:
    await response.write(streaming_wav() + SAMPLES[:5000])
    await asyncio.Event().wait()


async def test_the_file_is_a_wav_of_the_right_length(
    server: ContractServer, call: Call, tmp_path: Path
) -> None:
    path = tmp_path / "out.wav"
    result = await call("say", "Bonjour.", "-m", MODEL, "-o", str(path), "--speed", "1.5")
    assert (result.exit_code, "1.0 s of audio" in result.stderr) == (0, True)
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.readframes(1 << 20)) == (RATE, SAMPLES)
    assert server.bodies == [
        {"model": MODEL, "input": "Bonjour.", "response_format": "wav", "speed": 1.5}
    ]
    assert list(tmp_path.iterdir()) == [path]


async def test_a_clip_goes_along_as_base64_and_everything_else_as_it_is(
    server: ContractServer, call: Call, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"RIFF\x00\xff")
    path = str(tmp_path / "out.wav")
    told = ["--clip", str(clip), "--transcript", "What is said.", "--instruct", "Whisper."]
    told += ["--language", "fr", "--seed", "7"]
    result = await call("say", "Bonjour.", "-m", MODEL, "-o", path, *told)
    assert result.exit_code == 0
    (body,) = server.bodies
    assert body == {
        "model": MODEL,
        "input": "Bonjour.",
        "response_format": "wav",
        "language": "fr",
        "instructions": "Whisper.",
        "ref_audio": base64.b64encode(clip.read_bytes()).decode(),
        "ref_text": "What is said.",
        "seed": 7,
    }
    missing = await call("say", "Bonjour.", "-m", MODEL, "-o", path, "--clip", "nowhere.wav")
    assert (missing.exit_code, "nowhere.wav" in missing.stderr) == (2, True)


async def test_without_a_model_the_only_installed_one_speaks(
    server: ContractServer, call: Call, tmp_path: Path
) -> None:
    path = str(tmp_path / "out.pcm")
    result = await call("say", "-", "-o", path, "--voice", "siwis", "--json", input="Bonjour.\n")
    assert lines(result)[0]["model"] == MODEL
    assert server.bodies == [
        {"model": MODEL, "input": "Bonjour.", "response_format": "pcm", "voice": "siwis"}
    ]


async def test_several_models_must_be_chosen_from(
    server: ContractServer, call: Call, tmp_path: Path
) -> None:
    server.models.append(model("kokoro:v1.0", "installed"))
    result = await call("say", "Bonjour.", "-o", str(tmp_path / "out.wav"))
    assert result.exit_code == 2
    assert f"{MODEL}, kokoro:v1.0" in result.stderr
    server.models = []
    assert (await call("say", "Bonjour.", "-o", str(tmp_path / "out.wav"))).exit_code == 4


async def test_a_stream_that_breaks_leaves_the_old_file_and_no_half_one(
    server: ContractServer, call: Call, tmp_path: Path
) -> None:
    path = tmp_path / "out.wav"
    path.write_text("old")
    server.speech = broken
    result = await call("say", "Bonjour.", "-m", MODEL, "-o", str(path))
    assert (result.exit_code, "broke off" in result.stderr) == (1, True)
    assert [(one, one.read_text()) for one in tmp_path.iterdir()] == [(path, "old")]


async def test_an_interrupt_leaves_no_half_file(
    server: ContractServer, spawn: Spawn, tmp_path: Path
) -> None:
    server.speech = endless
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process = await spawn("say", "Bonjour.", "-m", MODEL, "-o", str(tmp_path / "out.wav"))
        await until(lambda: list(tmp_path.iterdir()))
        process.send_signal(number)
        async with asyncio.timeout(10):
            assert await process.wait() == status
        assert list(tmp_path.iterdir()) == []


async def test_a_refusal_is_told_and_makes_no_file(
    server: ContractServer, call: Call, tmp_path: Path
) -> None:
    server.refuse("POST /v1/audio/speech", 503, "no_replica", "nobody speaks", "Start one.")
    result = await call("say", "Bonjour.", "-m", MODEL, "-o", str(tmp_path / "out.wav"))
    assert (result.exit_code, result.stderr) == (5, "sirene: nobody speaks\n  Start one.\n")
    assert list(tmp_path.iterdir()) == []


async def test_a_pipe_gets_the_audio_as_it_comes(server: ContractServer, spawn: Spawn) -> None:
    server.speech = endless
    process = await spawn("say", "Bonjour.", "-m", MODEL)
    assert process.stdout
    async with asyncio.timeout(20):
        assert await process.stdout.readexactly(44 + 5000) == streaming_wav() + SAMPLES[:5000]


async def test_what_cannot_be_written_is_an_error(call: Call, tmp_path: Path) -> None:
    result = await call("say", "Bonjour.", "-m", MODEL, "-o", str(tmp_path / "no" / "out.wav"))
    assert (result.exit_code, "cannot be written" in result.stderr) == (1, True)
    result = await call("say", "Bonjour.", "-m", MODEL, "-o", str(tmp_path / "out.mp3"))
    assert (result.exit_code, "no format 'mp3'" in result.stderr) == (2, True)


async def test_a_device_is_written_to_as_a_pipe_is(call: Call) -> None:
    assert (await call("say", "Bonjour.", "-m", MODEL, "-o", "/dev/null")).exit_code == 0
