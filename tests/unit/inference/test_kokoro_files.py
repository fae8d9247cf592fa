"""A Kokoro model's vocabulary and voices, and what is said of those that are damaged."""

import json
from pathlib import Path

import numpy as np
import pytest

from sirene_inference.kokoro.files import Styles, vocabulary
from sirene_shared.errors import ModelDamaged
from tests.support.kokoro_voice import VOCABULARY, style_table

TOKENIZER = {"model": {"vocab": {"$": 0, "a": 43, "ab": 44}}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tokenizer.json").write_text(json.dumps(TOKENIZER))
    (tmp_path / "config.json").write_text(json.dumps({"vocab": VOCABULARY, "n_token": 178}))
    (tmp_path / "voices").mkdir()
    for voice in ("bm_george", "af_heart", "zz_new"):
        style_table(voice).tofile(tmp_path / "voices" / f"{voice}.bin")
    return tmp_path


def files(folder: Path, *names: str) -> dict[str, Path]:
    return {name: folder / name for name in names}


def voices(folder: Path) -> dict[str, Path]:
    return {f"voices/{path.name}": path for path in (folder / "voices").iterdir()}


def test_the_vocabulary_comes_from_the_tokenizer_or_else_from_the_config(folder: Path) -> None:
    assert vocabulary(files(folder, "tokenizer.json", "config.json")) == {"a": 43}
    assert vocabulary(files(folder, "config.json")) == VOCABULARY


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json"])
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"model": {"vocab": {"a": "b"}}, "vocab": 1}', b"\xff\xfe"]
)
def test_a_damaged_vocabulary_is_called_by_its_name(folder: Path, name: str, body: bytes) -> None:
    (folder / name).write_bytes(body)
    with pytest.raises(ModelDamaged, match=name) as caught:
        vocabulary(files(folder, name))
    assert str(folder) not in str(caught.value)


def test_a_config_without_a_vocabulary_is_told(folder: Path) -> None:
    # As the ONNX repository has one.
    (folder / "config.json").write_text('{"model_type": "style_text_to_speech_2"}')
    with pytest.raises(ModelDamaged, match="vocabulary"):
        vocabulary(files(folder, "config.json"))
    with pytest.raises(ModelDamaged, match=r"tokenizer\.json"):
        vocabulary({})


def test_voices_come_in_the_manifests_order_and_others_after_them(folder: Path) -> None:
    styles = Styles(voices(folder), ("af_heart", "bm_george", "am_absent"))
    assert styles.voices == ("af_heart", "bm_george", "zz_new")


def test_the_style_is_the_row_of_the_count_of_tokens(folder: Path) -> None:
    styles, table = Styles(voices(folder), ()), style_table("af_heart")
    for tokens in (1, 30, 510):
        assert np.array_equal(styles.of("af_heart", tokens), table[tokens - 1])


@pytest.mark.parametrize("size", [0, 522_239, 522_244])
def test_a_voice_of_the_wrong_length_is_called_by_its_name(folder: Path, size: int) -> None:
    with (folder / "voices" / "bm_george.bin").open("r+b") as file:
        file.truncate(size)
    with pytest.raises(ModelDamaged, match=rf"bm_george.*{size} bytes"):
        Styles(voices(folder), ())


def test_a_voice_that_holds_no_numbers_is_called_by_its_name(folder: Path) -> None:
    np.full((510, 1, 256), np.nan, "<f4").tofile(folder / "voices" / "zz_new.bin")
    styles = Styles(voices(folder), ())
    with pytest.raises(ModelDamaged, match="zz_new"):
        styles.of("zz_new", 10)


def test_a_voice_that_was_removed_or_cut_meanwhile_is_called_by_its_name(folder: Path) -> None:
    styles = Styles(voices(folder), ())
    (folder / "voices" / "zz_new.bin").unlink()
    with pytest.raises(ModelDamaged, match="zz_new") as caught:
        styles.of("zz_new", 10)
    assert str(folder) not in str(caught.value)


def test_a_model_without_voices_is_damaged() -> None:
    with pytest.raises(ModelDamaged, match="voices"):
        Styles({"model.onnx": Path("model.onnx")}, ())
