"""Names that reach subjects, keys and paths: plain ones pass, hostile ones never do."""

import pytest

from sirene_shared.errors import InvalidRequest
from sirene_shared.names import (
    ModelRef,
    check_job,
    check_model,
    check_path,
    check_variant,
    split_id,
)

HOSTILE = [
    "", ".", "..", "../x", "a/../b", "/etc/passwd", "~", "~root", "-rf", "--version", "a\x00b",
    "a\nb", "a\\b", "..\\x", "C:", "C:\\x", "//host/share", "a b", "a*b", "a>b", "%2e%2e", "%00",
    "a%2fb", "．．", "\u2024\u2024", "a\u202eb", "\ud800", "é", "con", "CON", "nul.txt",
    "com1", "a" * 300, "a;b", "`id`", "$(id)", "a|b", "a\rb", "a\tb", "\ufeffa", "a\u200bb",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_no_model_variant_job_or_path(name: str) -> None:
    for check in (check_model, check_variant, check_path):
        with pytest.raises(InvalidRequest) as caught:
            check(name)
        assert caught.value.message.isascii()
        assert caught.value.message.isprintable()
    if name not in ("con", "CON", "com1", "-rf", "--version"):  # a job is no path and no option
        with pytest.raises(InvalidRequest):
            check_job(name)


@pytest.mark.parametrize("name", ["piper", "qwen3-tts", "a", "0", "x" * 64])
def test_plain_model_names_pass(name: str) -> None:
    assert check_model(name) == name


@pytest.mark.parametrize("name", ["Piper", "a.b", "a_b", "-a", "x" * 65])
def test_a_model_name_has_no_dot_no_capital_and_at_most_64_characters(name: str) -> None:
    with pytest.raises(InvalidRequest):
        check_model(name)


@pytest.mark.parametrize("name", ["v1.0", "fr_FR-siwis-medium", "1.7B", "default"])
def test_plain_variants_pass(name: str) -> None:
    assert check_variant(name) == name


@pytest.mark.parametrize("name", ["v1.", ".v1", "v1..0", "_x", "v/1"])
def test_a_variant_that_is_no_valid_key_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest):
        check_variant(name)


@pytest.mark.parametrize("path", ["model.onnx", "speech_tokenizer/config.json", "voices/af.bin"])
def test_plain_paths_pass(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize("path", ["a//b", "a/", "/a", "./a", "a/.", "a/./b", ".sirene.json"])
def test_a_path_is_normalised_and_never_the_install_record(path: str) -> None:
    with pytest.raises(InvalidRequest):
        check_path(path)


def test_a_key_with_dots_in_its_variant_gives_its_model_back() -> None:
    ref = ModelRef("kokoro", "v1.0")
    assert ModelRef.from_key(ref.key) == ref


def test_an_id_is_a_name_or_a_name_and_a_variant() -> None:
    assert split_id("piper") == ("piper", None)
    assert split_id("kokoro:v1.0") == ("kokoro", "v1.0")
    with pytest.raises(InvalidRequest):
        split_id("piper:")
