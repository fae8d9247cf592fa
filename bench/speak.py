"""How soon and how fast Sirene speaks, each thing beside its peer, in turns on the same files.

    python -m bench.speak --piper VOICE.onnx --kokoro FOLDER --peers ENVIRONMENT [--rounds 9]

1. Kokoro: Sirene's backend in this process beside kokoro-onnx's create_stream in another.
2. A Piper graph cut in front of its decoder beside the whole one, in this process.
3. Piper: Sirene's whole product (NATS and API) beside piper-tts's own HTTP server.
4. What bus and API add to the first audio: the product beside the backend in this process.
5. A load with the graph kept from an earlier one beside one without.

ENVIRONMENT is made, with pip and outside Sirene's, unless it is there. FOLDER holds model.onnx,
tokenizer.json and voices/, as bench.speaking.full_kokoro writes it. Either model may be left out.
"""

import argparse
import asyncio
import os
import platform
import signal
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import onnxruntime

from bench import load
from bench.speaking import peers
from bench.speaking.heard import TEXTS, Speaker, ahead_s, first_s, in_turns
from bench.speaking.speakers import in_process, over_http, product
from bench.speaking.split import whole_and_cut
from bench.speaking.table import HEAD, Pair, milliseconds, row, verdict
from sirene_shared.names import ModelRef
from tests.support.models_volume import ModelsVolume
from tests.support.product import Product

PARTS = ("kokoro", "split", "loads", "servers", "way")
# Of the peer's first audio.
PIPER_AIMS = {"short": 0.65, "medium": 0.40, "long": 0.33, "paragraph": 0.10}
KOKORO_AIM = 0.5
ADDED_AIM_S = 0.0025
# A tone is made in a moment, so that little else is seen than the way; and it varies little.
TONE_TEXT, TONE_ROUNDS, PIPER_ROUNDS = "Hello.", 300, 40


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--piper", type=Path)
    parser.add_argument("--kokoro", type=Path)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--kokoro-rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    # A shell's background job ignores Ctrl-C, which ends `sirene up`, and all that it starts would.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments.peers = arguments.peers.resolve()
    peers.make(arguments.peers)
    print(
        f"Python {platform.python_version()}, onnxruntime {onnxruntime.__version__},"
        f" {arguments.threads} cores, load average {os.getloadavg()[0]:.1f} at the start,"
        f" medians of {arguments.rounds} (Kokoro: {arguments.kokoro_rounds})\n"
    )
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        measure(arguments, Path(folder), opened)
    print(f"\nload average {os.getloadavg()[0]:.1f} at the end")


def measure(arguments: argparse.Namespace, folder: Path, opened: ExitStack) -> None:
    volume = ModelsVolume(folder / "data")
    tone = volume.add_tone("short")
    piper = volume.add_piper_files("measured", arguments.piper) if arguments.piper else None
    parts = set(arguments.parts)
    print(HEAD)
    if arguments.kokoro and "kokoro" in parts:
        # Before the product starts, so that less is in memory.
        show(kokoro(arguments, volume.add_kokoro_files("measured", arguments.kokoro), volume))
    if piper and "split" in parts:
        show(split(arguments))
    if piper and "loads" in parts:
        loads(arguments, folder / "loads")
    if parts & {"servers", "way"}:
        sirene = opened.enter_context(product(folder, volume, *filter(None, (tone, piper))))
    if piper and "servers" in parts:
        show(servers(arguments, sirene, piper, folder))
    if "way" in parts:
        for kind in ("wav", "pcm"):
            added(f"tone as {kind}", sirene, volume, tone, kind, TONE_TEXT, TONE_ROUNDS)
    if piper and "way" in parts:
        for kind in ("wav", "pcm"):
            added(f"Piper as {kind}", sirene, volume, piper, kind, TEXTS["short"], PIPER_ROUNDS)


def show(pairs: Iterator[Pair]) -> None:
    for pair in pairs:
        print(row(pair), flush=True)


def servers(
    arguments: argparse.Namespace, sirene: Product, ref: ModelRef, folder: Path
) -> Iterator[Pair]:
    ours = over_http(sirene, ref)
    with peers.piper_server(arguments.peers, arguments.piper, folder) as theirs:
        for name, text in TEXTS.items():
            heard = in_turns({"theirs": theirs, "ours": ours}, text, arguments.rounds)
            how = "when all is made" if theirs.is_whole else "streamed"
            who = f"Piper: piper-tts's server ({how}), Sirene"
            yield Pair(who, name, heard["theirs"], heard["ours"], PIPER_AIMS[name])
            print(f"{name}: heard as it comes, {1000 * ahead_s(heard['ours']):+.0f} ms to a gap")


def split(arguments: argparse.Namespace) -> Iterator[Pair]:
    with whole_and_cut(arguments.piper, arguments.threads) as both:
        for name, text in TEXTS.items():
            heard = in_turns(both.speakers, text, arguments.rounds)
            who = f"Piper: graph whole, cut (the same to {both.difference():.0e})"
            yield Pair(who, name, heard["whole"], heard["cut"], is_pace_aimed=False)


def kokoro(arguments: argparse.Namespace, ref: ModelRef, volume: ModelsVolume) -> Iterator[Pair]:
    graph = volume.root / ref.model / ref.variant / "model.onnx"
    voice = min((graph.parent / "voices").glob("*.bin"))
    with (
        peers.kokoro_onnx(arguments.peers, graph, voice, volume.root.parent) as theirs,
        in_process(volume, ref, arguments.threads) as ours,
    ):
        for name, text in TEXTS.items():
            heard = in_turns({"theirs": theirs, "ours": ours}, text, arguments.kokoro_rounds)
            who = "Kokoro: kokoro-onnx, Sirene"
            yield Pair(who, name, heard["theirs"], heard["ours"], KOKORO_AIM)


def added(
    what: str,
    sirene: Product,
    volume: ModelsVolume,
    ref: ModelRef,
    kind: str,
    text: str,
    rounds: int,
) -> None:
    """What the way from the runner to a client costs."""
    with in_process(volume, ref, len(os.sched_getaffinity(0))) as backend:
        speakers: dict[str, Speaker] = {"backend": backend, "product": over_http(sirene, ref, kind)}
        heard = in_turns(speakers, text, rounds)
    alone_s, through_s = first_s(heard["backend"]), first_s(heard["product"])
    # Of each round, since both are as slow as the machine then is.
    added_s = statistics.median(
        through.first_s - alone.first_s
        for alone, through in zip(heard["backend"], heard["product"], strict=True)
    )
    print(
        f"bus and API, {what}, medians of {rounds}: first audio {1000 * alone_s:.2f} ms in process,"
        f" {1000 * through_s:.2f} ms through the product: {1000 * added_s:.2f} ms more,"
        f" aim ≤ {1000 * ADDED_AIM_S} ms: {verdict(added_s <= ADDED_AIM_S)}",
        flush=True,
    )


def loads(arguments: argparse.Namespace, folder: Path) -> None:
    taken = asyncio.run(load.measure(arguments.piper, arguments.rounds, folder))
    without_s, with_s = (
        statistics.median(taken[way][load.FIRST_ONES :]) for way in (load.FORKED, load.CACHED)
    )
    print(
        f"load of the Piper voice: {milliseconds(without_s)}, with the graph kept from an earlier"
        f" one {milliseconds(with_s)}: {with_s / without_s:.2f} x"
    )


if __name__ == "__main__":
    main()
