"""Which graphs are cut in front of their decoder, and that the others are run whole."""

import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirene_inference.cancellation import Cancellation
from sirene_inference.onnx_file import read_model
from sirene_inference.pace import Lead
from sirene_inference.piper_graph import WholeGraph, open_graph
from sirene_inference.piper_split import NoSplit, split
from tests.support import piper_voice, vits_voice
from tests.support.piper_voice import SAMPLE_RATE
from tests.support.split_graphs import LENGTHS, body, inputs, session
from tests.support.vits_voice import HOP

BODY = vits_voice.Network(2).model().SerializeToString()


@pytest.mark.parametrize("speakers", [1, 2])
def test_the_halves_are_valid_models_and_hold_every_weight_once(
    tmp_path: Path, speakers: int
) -> None:
    model = body(tmp_path, speakers=speakers)
    cut = split(model)
    assert (cut.hop, cut.takes_speaker) == (HOP, speakers > 1)
    halves = [onnx.load_from_string(part) for part in (cut.encoder, cut.decoder)]
    for half in halves:
        onnx.checker.check_model(half, full_check=True)
    assert {i.name for i in halves[1].graph.input} == {cut.latent} | {"sid"} & set(
        session(model).inputs
    )
    weights = [weight.name for half in halves for weight in half.graph.initializer]
    whole = [weight.name for weight in onnx.load_from_string(model).graph.initializer]
    assert set(weights) == set(whole)
    shared = len(weights) - len(whole)
    assert shared <= (2 if speakers > 1 else 0) + 1  # the speakers' table, and a constant


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ({"noisy_decoder": True}, "RandomNormalLike"),
        ({"normed_decoder": True}, "InstanceNormalization"),
    ],
)
def test_a_decoder_that_windows_would_change_is_run_whole_and_that_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, part: dict[str, bool], reason: str
) -> None:
    model = body(tmp_path, **part)
    with caplog.at_level(logging.INFO):
        graph = open_graph(lambda: model, "voice.onnx", SAMPLE_RATE, wants_cuda=False, threads=1)
        spoken = [list(graph.speak(inputs(ids), Cancellation(), Lead())) for ids in LENGTHS]
    assert isinstance(graph, WholeGraph)
    assert [len(pieces) for pieces in spoken] == [1] * len(LENGTHS)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert reason in said[0]
    assert "whole" in said[0]


def test_a_graph_of_another_kind_is_run_whole(tmp_path: Path) -> None:
    path = piper_voice.build(tmp_path / "voice.onnx")
    with pytest.raises(NoSplit, match="ConvTranspose"):
        split(read_model(path, "voice.onnx"))


def renamed(model: onnx.ModelProto) -> None:
    (made,) = [node for node in model.graph.node if "output" in node.output]
    made.output[0] = "audio"
    model.graph.output[0].name = "audio"


def strided(model: onnx.ModelProto) -> None:
    last = [node for node in model.graph.node if node.op_type == "Conv"][-1]
    last.attribute.append(onnx.helper.make_attribute("strides", [2]))


def lopsided(model: onnx.ModelProto) -> None:
    last = [node for node in model.graph.node if node.op_type == "Conv"][-1]
    (pads,) = [attribute for attribute in last.attribute if attribute.name == "pads"]
    pads.ints[:] = [6, 0]


def masked(model: onnx.ModelProto) -> None:
    model.graph.node[-1].input[0] = "masked"
    lengths = onnx.helper.make_node("Cast", ["input_lengths"], ["lengths"], to=1)
    product = onnx.helper.make_node("Mul", [model.graph.node[-2].output[0], "lengths"], ["masked"])
    last = model.graph.node.pop()
    model.graph.node.extend([lengths, product, last])


@pytest.mark.parametrize(
    ("change", "reason"),
    [(renamed, "output"), (strided, "Conv"), (lopsided, "Conv"), (masked, "input_lengths")],
)
def test_a_decoder_that_is_not_understood_is_not_cut(
    tmp_path: Path, change: Any, reason: str
) -> None:
    model = onnx.load_from_string(body(tmp_path))
    change(model)
    with pytest.raises(NoSplit, match=reason):
        split(model.SerializeToString())


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=20))
@settings(max_examples=150, deadline=None)
def test_a_damaged_graph_is_cut_or_is_said_to_be_none_that_can_be(
    changes: list[tuple[float, int]],
) -> None:
    damaged = bytearray(BODY)
    for place, value in changes:  # the nodes come before the weights
        damaged[round(place * 15_000)] = value
    with suppress(NoSplit):
        assert split(bytes(damaged)).hop > 0


def test_what_has_no_graph_is_not_cut() -> None:
    for nothing in (b"", b"\x08\x08", b"\x38\x01"):
        with pytest.raises(NoSplit, match="malformed"):
            split(nothing)
