"""Many workers load, unload, pin and speak at once: each gets his audio or a permitted error."""

import asyncio
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
import pytest

from sirene_inference.backends import tone
from sirene_inference.cache import Models
from sirene_inference.cancellation import Cancellation
from sirene_inference.room import Size
from sirene_inference.sizes import Sizes
from sirene_shared.errors import ModelDamaged, ModelInUse, ModelsBusy, ModelTooLarge, SireneError
from sirene_shared.manifest import Defaults, Manifest, Variant
from sirene_shared.names import ModelRef

CAPACITY, LIMIT = 3, 10
SIZES = {"a": 2, "b": 3, "c": 4, "d": 5, "e": 3, "damaged": 2, "giant": 11}
REFS = [ModelRef("tone", variant) for variant in SIZES]
# Whatever else is raised, or by another model, is a failure of the cache.
PERMITTED = {ModelsBusy: set(REFS), ModelInUse: set(REFS)}
PERMITTED |= {
    ModelDamaged: {ModelRef("tone", "damaged")},
    ModelTooLarge: {ModelRef("tone", "giant")},
}
SECONDS_IN_ALL = 540.0


class Spoken:
    """A voice of the tone backend, in a thread of this process."""

    def __init__(self, ref: ModelRef, voice: tone.ToneVoice, house: "House") -> None:
        self.device = "cpu"
        self.memory_bytes = SIZES[ref.variant]
        self.ended = asyncio.Event()
        self.voice = voice
        self.ref = ref
        self._house = house

    async def close(self) -> int:
        await asyncio.sleep(0)
        self._house.left(self.ref)
        self.voice.close()
        self.ended.set()
        return self.memory_bytes


class House:
    """Loads tones, and counts who is in at any moment, loads included."""

    def __init__(self, folder: Path, threads: ThreadPoolExecutor) -> None:
        self._folder = folder
        self._threads = threads
        self._inside: list[ModelRef] = []
        self.loads = 0
        variant = Variant(files=("tone.json",), url="https://example.org/")
        self._manifest = Manifest(
            name="tone",
            description="for tests",
            backend="tone",
            license="MIT",
            variants=dict.fromkeys(SIZES, variant),
            defaults=Defaults(variant="a"),
        )

    async def __call__(self, ref: ModelRef) -> Spoken:
        self.loads += 1
        self._inside.append(ref)
        assert len(self._inside) <= CAPACITY
        assert len(set(self._inside)) == len(self._inside), "two copies of one model"
        assert sum(SIZES[each.variant] for each in self._inside) <= LIMIT
        file = self._folder / f"{ref.variant}.json"
        file.write_bytes(
            msgspec.json.encode({"load": "fail" if ref.variant == "damaged" else "well"})
        )
        try:
            voice = await asyncio.get_running_loop().run_in_executor(
                self._threads,
                lambda: tone.load(
                    {tone.FILE: file}, self._manifest, ref.variant, device="cpu", threads=1
                ),
            )
        except BaseException:
            self.left(ref)
            raise
        return Spoken(ref, voice, self)

    def left(self, ref: ModelRef) -> None:
        self._inside.remove(ref)

    async def speak(self, spoken: Spoken, text: str) -> str:
        def work() -> str:
            pieces = spoken.voice.speak(
                text,
                voice="",
                language="",
                speed=1.0,
                seed=None,
                cancelled=Cancellation(),
            )
            return tone.decode(np.concatenate(list(pieces)), spoken.voice.sample_rate)

        assert not spoken.ended.is_set(), "it was closed while it was used"
        heard = await asyncio.get_running_loop().run_in_executor(self._threads, work)
        assert not spoken.ended.is_set(), "it was closed while it spoke"
        return heard


async def stress(folder: Path, *, workers: int, rounds: int) -> dict[str, int]:
    """How often each thing happened."""
    told: dict[str, int] = {}
    with ThreadPoolExecutor(4) as threads:
        house = House(folder, threads)
        models = Models(
            house,
            capacity=CAPACITY,
            busy_wait_s=0.5,
            memory={"cpu": LIMIT},
            sizes=Sizes(lambda ref: Size("cpu", SIZES[ref.variant])),
            keep_alive_s=0.2,
            reserve_s=0.01,
            cooling_s=0.05,
        )

        async def one(number: int) -> None:
            dice = random.Random(number)
            for turn in range(rounds):
                ref = dice.choices(REFS, [6, 5, 4, 3, 2, 1, 1])[0]
                what = dice.choices(["speak", "load", "unload", "pin", "unpin"], [80, 8, 6, 1, 5])[
                    0
                ]
                try:
                    match what:
                        case "speak":
                            keep_alive_s = dice.choice([None, None, 0.0, 0.05, float("inf")])
                            async with models.use(ref, keep_alive_s) as spoken:
                                assert spoken.ref == ref
                                text = f"{number} {turn}"
                                assert await house.speak(spoken, text) == text
                        case "load":
                            await models.bring(ref)
                        case "unload":
                            await models.unload(ref, within_s=dice.choice([0.0, 0.05]))
                        case _:
                            models.pin(ref, pinned=what == "pin")
                except SireneError as error:
                    if ref not in PERMITTED.get(type(error), ()):
                        raise
                    what = type(error).__name__
                told[what] = told.get(what, 0) + 1

        async with asyncio.timeout(SECONDS_IN_ALL):
            await asyncio.gather(*(one(number) for number in range(workers)))
        await models.close(within_s=5)
        assert list(models.holdings()) == []
    assert threading.active_count() < 20
    return told | {"loads": house.loads}


async def test_some_workers_are_each_served_or_told_why_not(tmp_path: Path) -> None:
    told = await stress(tmp_path, workers=8, rounds=64)
    assert told["speak"] > 200


@pytest.mark.slow
async def test_32_workers_times_1024_are_each_served_or_told_why_not(tmp_path: Path) -> None:
    told = await stress(tmp_path, workers=32, rounds=1024)
    print(told)
    assert sum(told.values()) - told["loads"] == 32 * 1024
    assert told["speak"] > 16_000
