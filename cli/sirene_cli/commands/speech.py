"""`sirene say`."""

import base64
import sys
import time
from pathlib import Path

import click
import httpx

from sirene_cli import output
from sirene_cli.api_client import ApiClient
from sirene_cli.audio_file import Pipe, Sink, open_sink
from sirene_cli.context import MODEL, Context, json_option, pass_context
from sirene_cli.failures import CliError, NotFound, WrongUse
from sirene_cli.views import Models

# Before the first sound a model may have to load; the API itself gives up after 25 s.
SILENCE_S = 90.0
FORMATS = ("wav", "pcm")


@click.command()
@click.argument("text")
@click.option("--model", "-m", type=MODEL, help="Default: the one that is installed.")
@click.option("--output", "-o", "path", type=click.Path(path_type=Path), help="The file to write.")
@click.option("--voice", metavar="NAME", help="Default: the model's first.")
@click.option("--speed", type=click.FloatRange(0.25, 4.0), help="1.0 is the voice's own.")
@click.option("--keep-alive", metavar="TIME", help="The model stays idle so long: 90, 5m, 0, -1.")
@click.option("--language", metavar="CODE", help="Of the text, like en; default: found out.")
@click.option("--instruct", metavar="TEXT", help="How to speak, for models that follow it.")
@click.option(
    "--clip",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A sound file whose voice is cloned: WAV, FLAC, Ogg or MP3, a few seconds.",
)
@click.option("--transcript", metavar="TEXT", help="What is said in the clip.")
@click.option("--seed", type=click.IntRange(min=0), help="The same seed makes the same audio.")
@click.option(
    "--format",
    "audio_format",
    type=click.Choice(FORMATS),
    help="pcm: 24 kHz, mono, 16 bit, no header. Default: as the file's name ends, else wav.",
)
@json_option
@pass_context
def say(
    context: Context,
    text: str,
    model: str | None,
    path: Path | None,
    voice: str | None,
    speed: float | None,
    keep_alive: str | None,
    language: str | None,
    instruct: str | None,
    clip: Path | None,
    transcript: str | None,
    seed: int | None,
    audio_format: str | None,
) -> None:
    """Speak TEXT (- reads standard input) into a file, or into a pipe.

    An interrupted or failed stream leaves no file behind.
    """
    if path is None:
        _check_pipe(context)
    audio_format = audio_format or _format_of(path)
    if text == "-":
        text = _standard_input()
    if not text.strip():
        raise click.UsageError("There is no text to speak.")
    with context.api() as api:
        model = model or _only_model(api)
        asked: dict[str, object] = {
            "model": model,
            "input": text,
            "response_format": audio_format,
            "voice": voice,
            "speed": speed,
            "language": language,
            "instructions": instruct,
            "ref_audio": base64.b64encode(clip.read_bytes()).decode() if clip else None,
            "ref_text": transcript,
            "seed": seed,
            "keep_alive": keep_alive,
        }
        request = {name: value for name, value in asked.items() if value is not None}
        started = time.monotonic()
        sink = open_sink(path, audio_format) if path else Pipe(sys.stdout.buffer)
        with sink, api.reachable():
            _receive(api, request, sink)
    _tell(context, path, model, sink, time.monotonic() - started)


def _receive(api: ApiClient, request: dict[str, object], sink: Sink) -> None:
    """The whole audio into `sink`. Raises: CliError."""
    try:
        with api.stream("POST", "/v1/audio/speech", body=request, silence_s=SILENCE_S) as answer:
            for chunk in answer.iter_bytes():
                sink.write(chunk)
    except (httpx.RemoteProtocolError, httpx.ReadError) as error:
        if not sink.size_bytes:
            raise
        raise CliError(
            "the speech broke off before its end",
            hint="The service's log says why; try again.",
            code="audio_lost",
        ) from error


def _check_pipe(context: Context) -> None:
    """Raises: UsageError when standard output is no place for audio."""
    if context.as_json:
        raise click.UsageError("--json needs --output: the audio goes to standard output else.")
    if sys.stdout.isatty():
        raise click.UsageError("Name a file with --output, or pipe the audio into a player.")


def _format_of(path: Path | None) -> str:
    ending = path.suffix.lower().removeprefix(".") if path else ""
    if ending in ("", "wav", "wave"):
        return "wav"
    if ending in ("pcm", "raw"):
        return "pcm"
    raise click.UsageError(
        f"There is no format {ending!r} yet: end the name in .wav or .pcm, or say --format."
    )


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode().strip()
    except UnicodeDecodeError as error:
        raise click.UsageError("Standard input is not UTF-8 text.") from error


def _only_model(api: ApiClient) -> str:
    """The model to use when none is named. Raises: CliError unless exactly one is installed."""
    models = api.ask(Models, "GET", "/api/models", query={"installed": "true"}).models
    if len(models) == 1:
        return models[0].id
    if not models:
        raise NotFound(
            "no model is installed",
            hint="See them with `sirene list --all`, install one with `sirene pull MODEL`.",
            code="model_not_installed",
        )
    names = ", ".join(model.id for model in models[:20])
    raise WrongUse("several models are installed", hint=f"Name one with -m: {names}.")


def _tell(context: Context, path: Path | None, model: str, sink: Sink, elapsed_s: float) -> None:
    if context.as_json:
        output.as_json(
            {
                "path": str(path),
                "model": model,
                "bytes": sink.size_bytes,
                "seconds": sink.seconds,
                "elapsed_s": round(elapsed_s, 3),
            }
        )
    elif path is not None and sink.seconds is not None:
        output.note(f"{path}: {sink.seconds:.1f} s of audio in {elapsed_s:.1f} s")
