"""A Piper voice cut in front of its decoder: windows put together are what the whole makes."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sirene_inference import memory
from sirene_inference.backends import Audio, piper
from sirene_inference.cancellation import Cancellation
from sirene_inference.leftovers import trim
from sirene_inference.pace import FIRST_WINDOW, LARGEST_WINDOW, Lead, Pace
from sirene_inference.piper_graph import SplitGraph, open_graph
from sirene_inference.piper_split import split
from sirene_shared.manifest import load_catalogue
from sirene_shared.settings import repository_folder
from tests.support import vits_voice
from tests.support.models_volume import ModelsVolume
from tests.support.piper_voice import SAMPLE_RATE
from tests.support.split_graphs import LENGTHS, body, in_windows, inputs, joined, paced, whole_of
from tests.support.vits_voice import HOP, MOST_FRAMES

AS_WHOLE = 1e-4


@pytest.mark.parametrize("speaker", [None, 0, 2])
def test_streamed_equals_whole_with_the_noise_of_both_drawn_alike(
    tmp_path: Path, speaker: int | None
) -> None:
    model = body(tmp_path, speakers=1 if speaker is None else 3, seed=11)
    whole = whole_of(model)
    cut = open_graph(lambda: model, "voice.onnx", SAMPLE_RATE, wants_cuda=False, threads=1)
    assert isinstance(cut, SplitGraph)
    assert cut.inputs == whole.inputs
    heard = []
    for ids in LENGTHS:  # the noise goes on from sentence to sentence
        asked = inputs(ids, speaker=speaker)
        expected = joined(whole.speak(asked, Cancellation(), Lead()))
        pieces = list(cut.speak(asked, Cancellation(), Lead()))
        assert np.abs(np.concatenate(pieces) - expected).max() < AS_WHOLE
        assert expected.std() > 0.01
        assert len(expected) == sum(map(len, pieces))
        heard.append(pieces)
    assert len(heard[-1]) > 2
    assert len(heard[-1][0]) == FIRST_WINDOW * HOP


@pytest.mark.parametrize("size", [1, 5, 16, 33])
def test_windows_of_any_size_make_the_same(tmp_path: Path, size: int) -> None:
    model = body(tmp_path, speakers=2, seed=3)
    asked = inputs(41, speaker=1)
    expected = joined(whole_of(model).speak(asked, Cancellation(), Lead()))
    made = joined(in_windows(split(model), size).speak(asked, Cancellation(), Lead()))
    assert np.abs(made - expected).max() < AS_WHOLE


def test_less_overlap_than_was_found_to_be_needed_is_heard(tmp_path: Path) -> None:
    model = body(tmp_path)
    cut = split(model)
    asked = inputs(41, noise=0)
    expected = joined(whole_of(model).speak(asked, Cancellation(), Lead()))
    assert cut.overlap == MOST_FRAMES
    short = in_windows(cut._replace(overlap=MOST_FRAMES // 2), 16)
    assert np.abs(joined(short.speak(asked, Cancellation(), Lead())) - expected).max() > AS_WHOLE


def test_the_noise_is_drawn_once_for_all_windows_and_anew_for_each_sentence(
    tmp_path: Path,
) -> None:
    cut = in_windows(split(body(tmp_path)), 16)
    asked = inputs(41, noise=0.667)
    one, other = (joined(cut.speak(asked, Cancellation(), Lead())) for _ in range(2))
    shorter = min(len(one), len(other))
    assert np.abs(one[:shorter] - other[:shorter]).max() > 0.01


def test_a_cancel_ends_a_sentence_between_two_windows(tmp_path: Path) -> None:
    cancelled = Cancellation()
    pieces = in_windows(split(body(tmp_path)), 16).speak(inputs(160), cancelled, Lead())
    next(pieces)
    cancelled.set()
    assert list(pieces) == []


def test_a_long_sentence_of_a_voice_comes_in_pieces_the_first_of_which_is_short(
    tmp_path: Path,
) -> None:
    volume = ModelsVolume(tmp_path / "data")
    ref = volume.add_vits("small")
    manifest = load_catalogue(volume.manifests)["piper"]
    folder = volume.root / "piper" / "small"
    files = {name: folder / name for name in ("model.onnx", "model.onnx.json")}
    voice = piper.load(files, manifest, ref.variant, device="auto", threads=1)
    try:
        said = voice.speak(
            "One sentence that goes on for rather long, so that nobody wants to wait for its end.",
            voice="",
            language="",
            speed=1.0,
            seed=None,
            cancelled=Cancellation(),
        )
        pieces = list(said)
    finally:
        voice.close()
    assert len(pieces[0]) == FIRST_WINDOW * HOP
    assert sum(map(len, pieces)) > 10 * len(pieces[0])


def test_a_later_sentence_is_made_at_once_while_the_first_is_still_heard(tmp_path: Path) -> None:
    cut, lead = split(body(tmp_path)), Lead()
    graph = paced(cut, Pace(HOP / SAMPLE_RATE, cut.overlap))
    first, second = (list(graph.speak(inputs(160), Cancellation(), lead)) for _ in range(2))
    assert len(first[0]) == FIRST_WINDOW * HOP
    assert len(second) < len(first)
    assert len(second[0]) > len(first[0])


@pytest.mark.parametrize("kind", ["split", "whole"])
def test_most_of_what_a_long_sentence_took_is_given_back_and_it_speaks_on(
    tmp_path: Path, kind: str
) -> None:
    model = body(tmp_path)
    graph = whole_of(model) if kind == "whole" else in_windows(split(model), LARGEST_WINDOW)
    short = joined(graph.speak(inputs(7, noise=0), Cancellation(), Lead()))
    before = memory.measure(os.getpid())
    for _ in graph.speak(inputs(2500), Cancellation(), Lead()):
        pass
    taken = memory.measure(os.getpid()) - before
    assert taken > 100e6
    graph.give_back()
    trim()
    assert memory.measure(os.getpid()) - before < taken / 2
    again = joined(graph.speak(inputs(7, noise=0), Cancellation(), Lead()))
    assert np.abs(again - short).max() < AS_WHOLE


@pytest.mark.parametrize("parts", [{}, {"noisy_decoder": True}], ids=["split", "whole"])
def test_the_same_seed_makes_the_same_audio_and_no_seed_another_each_time(
    tmp_path: Path, parts: dict[str, bool]
) -> None:
    path = vits_voice.build(tmp_path / "voice.onnx", **parts)
    files = {"model.onnx": path, "model.onnx.json": Path(f"{path}.json")}
    manifest = load_catalogue(repository_folder("manifests"))["piper"]
    voice = piper.load(files, manifest, manifest.defaults.variant, device="cpu", threads=1)

    def spoken(seed: int | None) -> Audio:
        text = "A fine day. And another sentence."
        options: dict[str, Any] = {"voice": "", "language": "", "speed": 1.0, "seed": seed}
        return joined(voice.speak(text, cancelled=Cancellation(), **options))

    def alike(one: Audio, other: Audio) -> bool:
        return one.shape == other.shape and bool(np.abs(one - other).max() < AS_WHOLE)

    first, free = spoken(7), spoken(None)
    assert not alike(first, free)
    assert not alike(free, spoken(None))
    # Neither what was spoken before nor what is spoken beside it makes a difference.
    with ThreadPoolExecutor(3) as pool:
        again, other, largest = pool.map(spoken, (7, 8, (1 << 63) - 1))
    assert alike(first, again)
    assert not alike(first, other)
    assert not alike(largest, other)
    assert not alike(spoken(None), spoken(None))
    voice.close()
