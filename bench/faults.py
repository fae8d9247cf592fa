"""What a hub can do wrong, and what becomes of a download: Sirene against `hf download`.

    python -m bench.faults [--only WORD] [--deadline 60]

The scripts are those of tests/faults. Sirene is right when the model is installed with the right
bytes, or fails with the code that the script names. `hf download` is judged by its exit status and
the file it leaves; it gets timeouts as short as Sirene's, so that it is not blamed for patience.
"""

import argparse
import asyncio
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import huggingface_hub

from sirene_shared import bus
from tests.faults.playing import Player, set_up
from tests.faults.scripts import INSTALLED, REPO, SCRIPTS, SOURCE, Script
from tests.support.hub import Hub
from tests.support.nats import NatsServer

HF = Path(sys.executable).with_name("hf")
TIMEOUT_S = 2
AT_A_TIME = 4
RIGHT, WRONG, FAILED, HUNG = "right", "accepted wrong bytes", "failed", "hung"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="scripts with this word in their name")
    parser.add_argument("--deadline", type=float, default=60, help="seconds until hf is killed")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)  # the table says what became of each
    scripts = [script for script in SCRIPTS if arguments.only in script.name]
    with tempfile.TemporaryDirectory() as folder:
        sirene = asyncio.run(play_all(scripts, Path(folder)))
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            peers = list(pool.map(lambda script: download(script, arguments.deadline), scripts))
    print("| script | right is | Sirene | s | `hf download` | s |\n|---|---|---|---|---|---|")
    for script, (ours, ours_s), (theirs, theirs_s) in zip(scripts, sirene, peers, strict=True):
        print(
            f"| {script.name} | {script.outcome} | {ours} | {ours_s:.1f}"
            f" | {theirs} | {theirs_s:.1f} |"
        )
    print(f"\nSirene: {_counted(scripts, [outcome for outcome, _ in sirene])}")
    print(
        f"hf download (huggingface_hub {huggingface_hub.__version__}, timeouts of {TIMEOUT_S} s):"
        f" {_counted(scripts, [outcome for outcome, _ in peers])}"
    )


async def play_all(scripts: list[Script], folder: Path) -> list[tuple[str, float]]:
    server = NatsServer(folder / "nats").start()
    folders = [Path(tempfile.mkdtemp(dir=folder)) for _ in scripts]
    try:
        return [
            await play(script, corner, server.url)
            for script, corner in zip(scripts, folders, strict=True)
        ]
    finally:
        server.stop()


async def play(script: Script, folder: Path, nats_url: str) -> tuple[str, float]:
    """What became of it by Sirene, and after how many seconds."""
    client = await bus.connect(nats_url, "bench")
    began = time.monotonic()
    try:
        js = client.jetstream()
        for stream in await js.streams_info():
            await js.delete_stream(stream.config.name or "")
        js = await bus.bootstrap_when_ready(client)
        async with Player.on(script, folder, nats_url, js) as player:
            played = await player.play()
            if played.outcome == INSTALLED:
                player.rig.check_installed(player.files)
        return (RIGHT if played.outcome == script.outcome else played.outcome), played.took_s
    except AssertionError as error:
        return f"wrong: {error}".splitlines()[0], time.monotonic() - began
    finally:
        await client.close()


def download(script: Script, deadline_s: float) -> tuple[str, float]:
    """What became of it by `hf download`, and after how many seconds."""
    hub, elsewhere = Hub(), Hub()
    with hub.serve(), elsewhere.serve(), tempfile.TemporaryDirectory() as folder:
        stage = set_up(script, hub, elsewhere)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "HF_HOME": f"{folder}/hf",
            "HF_ENDPOINT": hub.url,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DOWNLOAD_TIMEOUT": str(TIMEOUT_S),
            "HF_HUB_ETAG_TIMEOUT": str(TIMEOUT_S),
        }
        if script.token:
            environment["HF_TOKEN"] = script.token
        began = time.monotonic()
        try:
            ended = subprocess.run(
                [HF, "download", REPO, "--local-dir", f"{folder}/out"],
                env=environment,
                capture_output=True,
                timeout=deadline_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return HUNG, deadline_s
        took_s = time.monotonic() - began
        if ended.returncode != 0:
            return (RIGHT if script.outcome != INSTALLED else FAILED), took_s
        left = Path(folder, "out", SOURCE)
        is_whole = left.exists() and left.read_bytes() == stage.expected
        return (RIGHT if is_whole else WRONG), took_s


def _counted(scripts: list[Script], outcomes: list[str]) -> str:
    counts = Counter(outcomes)
    rest = [f"{counts[outcome]} {outcome}" for outcome in counts if outcome != RIGHT]
    return ", ".join([f"{counts[RIGHT]} of {len(scripts)} right", *sorted(rest)])


if __name__ == "__main__":
    main()
