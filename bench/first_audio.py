"""When the first audio comes, in process: a Piper voice cut against whole, Kokoro in chunks.

    python -m bench.first_audio [--piper VOICE.onnx] [--kokoro FOLDER] [--peer] [--rounds 7]

Both of a pair run in turns, sentence by sentence, on the same input. FOLDER holds model.onnx (or
onnx/model.onnx), tokenizer.json and voices/, as the published model does. --peer: kokoro-onnx's
create_stream beside it, where that is installed.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from sirene_inference import piper_config
from sirene_inference.backends import Audio, kokoro
from sirene_inference.cancellation import Cancellation
from sirene_inference.espeak import Espeak
from sirene_inference.kokoro.files import STYLE_SIZE
from sirene_inference.onnx_file import read_model
from sirene_inference.onnx_session import OnnxSession
from sirene_inference.piper_graph import SplitGraph, WholeGraph, open_graph
from sirene_shared.manifest import parse

TEXTS = {
    "short": "Hello there, how are you?",
    "medium": "The quick brown fox jumps over the lazy dog, and then it has a rest.",
    "long": (
        "When the first light of the morning came over the hills, the travellers had already "
        "packed their tents, put out the fire, and gone down to the river, where a boat was "
        "waiting for them as it had been promised."
    ),
}


class Heard(NamedTuple):
    first_s: float
    took_s: float
    audio_s: float


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--piper", type=Path)
    parser.add_argument("--kokoro", type=Path)
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.piper:
        measure_piper(arguments.piper, arguments.rounds, arguments.threads)
    if arguments.kokoro:
        measure_kokoro(arguments.kokoro, arguments.rounds, arguments.threads, arguments.peer)


def measure_piper(path: Path, rounds: int, threads: int) -> None:
    config = piper_config.parse(Path(f"{path}.json").read_bytes(), path.name)
    rate = config.audio.sample_rate
    body = read_model(path, path.name)
    began = time.monotonic()
    session = OnnxSession(body, path.name, wants_cuda=False, threads=threads)
    loaded = time.monotonic()
    cut = open_graph(lambda: body, path.name, rate, wants_cuda=False, threads=threads)
    print(
        f"load   whole {1000 * (loaded - began):.0f} ms,"
        f" cut {1000 * (time.monotonic() - loaded):.0f} ms ({type(cut).__name__})"
    )
    whole, ids_of = WholeGraph(session, lambda: session), piper_config.PhonemeIds(config)
    espeak = Espeak(config.espeak.voice)
    try:
        for name, text in TEXTS.items():
            ids = ids_of(espeak.phonemize(text))
            # Without noise, so that both make the same audio.
            asked = {
                "input": np.array([ids], np.int64),
                "input_lengths": np.array([len(ids)], np.int64),
                "scales": np.array([0, config.inference.length_scale, 0], np.float32),
            }
            if config.speakers:
                asked["sid"] = np.array([0], np.int64)
            compare(name, rounds, rate, {"whole": (whole, asked), "cut": (cut, asked)})
    finally:
        espeak.close()


def compare(
    name: str,
    rounds: int,
    rate: int,
    graphs: dict[str, tuple[WholeGraph | SplitGraph, dict[str, np.ndarray]]],
) -> None:
    heard: dict[str, list[Heard]] = {which: [] for which in graphs}
    audio: dict[str, Audio] = {}
    for _ in range(rounds + 1):  # the first round only warms up
        for which, (graph, asked) in graphs.items():
            pieces: list[Audio] = []
            heard[which].append(listen(kept(graph.speak(asked, Cancellation()), pieces), rate))
            audio[which] = np.concatenate(pieces)
    medians = {which: middle(found[1:]) for which, found in heard.items()}
    whole, cut = medians["whole"], medians["cut"]
    difference = np.abs(audio["whole"] - audio["cut"]).max()
    print(
        f"{name:7}{whole.audio_s:5.1f} s: first audio {1000 * whole.first_s:.0f} ->"
        f" {1000 * cut.first_s:.0f} ms ({cut.first_s / whole.first_s:.2f} x),"
        f" real-time factor {whole.took_s / whole.audio_s:.3f} ->"
        f" {cut.took_s / cut.audio_s:.3f}, difference {difference:.0e}",
        flush=True,
    )


def measure_kokoro(folder: Path, rounds: int, threads: int, has_peer: bool) -> None:
    graph = next(p for p in (folder / "model.onnx", folder / "onnx" / "model.onnx") if p.exists())
    files = {f"voices/{path.name}": path for path in sorted((folder / "voices").glob("*.bin"))}
    files |= {"model.onnx": graph, "tokenizer.json": folder / "tokenizer.json"}
    described = {
        "name": "kokoro",
        "description": "the measured model",
        "backend": "kokoro",
        "license": "unknown",
        "variants": {"v1.0": {"files": list(files), "url": "https://example.org/"}},
        "defaults": {"variant": "v1.0", "sample_rate": kokoro.SAMPLE_RATE},
    }
    manifest = parse(msgspec.json.encode(described), "kokoro")
    began = time.monotonic()
    voice = kokoro.load(files, manifest, "v1.0", device="cpu", threads=threads)
    print(f"load   {time.monotonic() - began:.2f} s")
    peer = peer_of(graph, files, threads) if has_peer else None
    try:
        for name, text in (*TEXTS.items(), ("all", " ".join(TEXTS.values()))):
            ours, theirs = [], []
            for _ in range(rounds + 1):  # the first round only warms up
                if peer:
                    theirs.append(peer(text))
                ours.append(listen(said(voice, text), kokoro.SAMPLE_RATE))
            print(name.ljust(7), shown("Sirene", ours), flush=True)
            if peer:
                print(" " * 7, shown("kokoro-onnx", theirs), flush=True)
    finally:
        voice.close()


def said(voice: kokoro.KokoroVoice, text: str) -> Iterator[Audio]:
    return voice.speak(
        text,
        voice=voice.voices[0],
        language="",
        speed=1.0,
        seed=None,
        cancelled=Cancellation(),
    )


def shown(who: str, found: list[Heard]) -> str:
    made = middle(found[1:])
    return (
        f"{made.audio_s:5.1f} s by {who}: first audio {1000 * made.first_s:.0f} ms of"
        f" {1000 * made.took_s:.0f}, real-time factor {made.took_s / made.audio_s:.3f}"
    )


def peer_of(graph: Path, files: dict[str, Path], threads: int) -> Callable[[str], Heard]:
    """kokoro-onnx on the same files, in its own words."""
    import onnxruntime
    from kokoro_onnx import Kokoro

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    voices = {
        path.stem: np.fromfile(path, "<f4").reshape(-1, 1, STYLE_SIZE)
        for path in files.values()
        if path.suffix == ".bin"
    }
    with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        np.savez(file.name, **voices)
        peer = Kokoro.from_session(session, file.name)

    async def speak(text: str) -> Heard:
        began, first, samples = time.monotonic(), 0.0, 0
        async for piece, _ in peer.create_stream(text, next(iter(voices)), lang="en-us"):
            first = first or time.monotonic() - began
            samples += len(piece)
        return Heard(first, time.monotonic() - began, samples / kokoro.SAMPLE_RATE)

    return lambda text: asyncio.run(speak(text))


def listen(pieces: Iterable[Audio], rate: int) -> Heard:
    began, first, samples = time.monotonic(), 0.0, 0
    for piece in pieces:
        first = first or time.monotonic() - began
        samples += len(piece)
    return Heard(first, time.monotonic() - began, samples / rate)


def kept(pieces: Iterable[Audio], into: list[Audio]) -> Iterator[Audio]:
    for piece in pieces:
        into.append(piece)
        yield piece


def middle(found: list[Heard]) -> Heard:
    return Heard(*(statistics.median(values) for values in zip(*found, strict=True)))


if __name__ == "__main__":
    main()
