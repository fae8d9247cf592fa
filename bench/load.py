"""How long a load takes, by how the runner is made and whether the engine's graph is cached.

    python -m bench.load VOICE.onnx [--rounds 9]

Each way is taken in turn, round after round, in one run; times are medians of wall time, from the
request to a voice that can speak.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sirene_inference.environment import environment
from sirene_inference.loader import Loader
from sirene_inference.settings import Settings
from sirene_inference.templates import Templates
from sirene_shared.manifest import load_catalogue
from tests.support.models_volume import ModelsVolume

NOTHING, FORKED, CACHED = "from nothing", "forked", "forked, graph cached"
# The first makes the template, the second the graph that is kept.
FIRST_ONES = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("voice", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        taken = asyncio.run(measure(arguments.voice, arguments.rounds, Path(folder)))
    for way, times in taken.items():
        later = times[FIRST_ONES:]
        least, middle, most = (1000 * of(later) for of in (min, statistics.median, max))
        print(
            f"{way:22} {middle:4.0f} ms ({least:.0f} to {most:.0f}),"
            f" the first {1000 * times[0]:.0f}"
        )


async def measure(voice: Path, rounds: int, folder: Path) -> dict[str, list[float]]:
    """Seconds of each way's loads, the first ones included."""
    volume = ModelsVolume(folder)
    ref = volume.add_piper_files("measured", voice)
    environ = environment(os.environ)
    ways = {
        NOTHING: (Templates(environ, is_warm=False), False),
        FORKED: (Templates(environ), False),
        CACHED: (Templates(environ), True),
    }
    taken: dict[str, list[float]] = {way: [] for way in ways}
    with ThreadPoolExecutor(2) as disk:
        for _ in range(rounds + FIRST_ONES):
            for way, (templates, is_cached) in ways.items():
                settings = Settings(
                    models_path=volume.root,
                    manifests_path=volume.manifests,
                    cache_path=folder / "cache",
                    cache_size="1GiB" if is_cached else "0",
                )
                catalogue = load_catalogue(settings.manifests_path)
                loader = Loader(settings, catalogue, disk, templates)
                began = time.monotonic()
                loaded = await loader(ref)
                taken[way].append(time.monotonic() - began)
                await loaded.close()
    for templates, _ in ways.values():
        await templates.close()
    return taken


if __name__ == "__main__":
    main()
