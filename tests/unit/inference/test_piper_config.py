"""Phonemes into the ids that Piper voices were trained on."""

import json
import logging
from typing import Any

import pytest

from sirene_inference.piper_config import PhonemeIds, parse
from sirene_shared.errors import ModelDamaged

IDS = {
    "_": [0],
    "^": [1],
    "$": [2],
    " ": [3],
    "a": [4],
    "b": [5],
    ".": [6],
    "\u0303": [7],
    "1": [8],
}


def config(**fields: Any) -> bytes:
    return json.dumps({"audio": {"sample_rate": 22050}, "phoneme_id_map": IDS} | fields).encode()


def test_a_pad_follows_everything_but_the_end() -> None:
    assert PhonemeIds(parse(config(), "c"))("ab.") == [1, 0, 4, 0, 5, 0, 6, 0, 2]


def test_phonemes_are_decomposed_and_mapped() -> None:
    ids = PhonemeIds(parse(config(phoneme_map={"x": ["a", "b"]}), "c"))
    assert ids("ã") == [1, 0, 4, 0, 7, 0, 2]
    assert ids("x") == [1, 0, 4, 0, 5, 0, 2]


def test_an_unknown_phoneme_is_left_out_and_noted_once(caplog: pytest.LogCaptureFixture) -> None:
    ids = PhonemeIds(parse(config(), "c"))
    with caplog.at_level(logging.WARNING):
        assert ids("aʘʘb") == [1, 0, 4, 0, 5, 0, 2]
        assert ids("ʘa") == [1, 0, 4, 0, 2]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("phonemes", ["", ". .", "ʘ", " 1 "])
def test_what_has_no_sound_has_no_ids(phonemes: str) -> None:
    assert PhonemeIds(parse(config(), "c"))(phonemes) == []


def test_speakers_are_named_in_the_order_of_their_ids() -> None:
    body = config(num_speakers=3, speaker_id_map={"zoe": 0, "amy": 2})
    assert parse(body, "c").speakers == ("zoe", "1", "amy")
    assert parse(config(), "c").speakers == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        config(audio={}),
        config(phoneme_id_map={"_": [0], "^": [1]}),
        config(phoneme_type="pinyin"),
        config(num_speakers=0),
    ],
)
def test_a_damaged_config_is_called_by_its_name(body: bytes) -> None:
    with pytest.raises(ModelDamaged, match=r"model\.onnx\.json"):
        parse(body, "model.onnx.json")
