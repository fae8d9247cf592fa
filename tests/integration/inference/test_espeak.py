"""Phonemes from a real espeak-ng, by each way to it that this machine has."""

import os
import signal
from collections.abc import Iterator

import psutil
import pytest

from sirene_inference.espeak import Espeak, Route, routes
from sirene_shared.errors import BackendMissing, ModelDamaged, SpeechFailed
from tests.support.inference import are_gone
from tests.support.waiting import until


@pytest.fixture(params=["program", "library"])
def route(request: pytest.FixtureRequest) -> Route:
    found = {each.name: each for each in routes()}
    if request.param == "program" and request.param not in found:
        pytest.skip("the program espeak-ng is not installed")
    return found[request.param]


@pytest.fixture
def espeak(route: Route) -> Iterator[Espeak]:
    one = Espeak("en-us", [route])
    yield one
    one.close()


def children() -> list[psutil.Process]:
    """Those of espeak-ng, by either way."""
    found = psutil.Process().children()
    return [child for child in found if any("espeak" in word for word in child.cmdline())]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Hello, world!", "həlˈoʊ, wˈɜːld!"),
        ("Dr. Smith", "dˈɑːktɚ smˈɪθ"),
        ("a (b; c)", "ɐ bˈiː; sˈiː"),
        ("zz", "zˌiːzˈiː"),  # the marker's own text
        ("zz zz", "zˌiːzˈiː zˌiːzˈiː"),
        ("---", ""),
        ("?!", ""),
        ("", ""),
        ("--version", "vˈɜːʒən"),
    ],
)
def test_phonemes_come_with_their_marks(espeak: Espeak, sentence: str, expected: str) -> None:
    assert espeak.phonemize(sentence) == expected
    assert espeak.phonemize("Hello, world!") == "həlˈoʊ, wˈɜːld!"


def test_answers_stay_in_step_with_questions(espeak: Espeak) -> None:
    odd = [
        "-",
        "",
        "“",
        "a. b. c. d",
        "\x00\n\n\n",
        "[[zz]]",
        "x" * 5000,
        "zz zz zz",
        "\u200b",
        "。",
    ]
    for text in odd:
        espeak.phonemize(text)
        assert espeak.phonemize("Hello") == "həlˈoʊ"


def test_words_of_another_language_leave_no_flag(route: Route) -> None:
    french = Espeak("fr-fr", [route])
    try:
        assert "(" not in french.phonemize("Il dit hello world, mais pourquoi ?")
    finally:
        french.close()


def test_letters_of_one_phoneme_can_be_tied(route: Route) -> None:
    tied = Espeak("en-us", [route], ties=True)
    try:
        assert tied.phonemize("Oh, choose.") == "ˈo^ʊ, t^ʃˈuːz."
    finally:
        tied.close()


def test_words_of_another_language_leave_no_flag_with_ties_either(route: Route) -> None:
    japanese = Espeak("ja", [route], ties=True)
    try:
        phonemes = japanese.phonemize("これは hello world です。")
    finally:
        japanese.close()
    assert "o^ʊ" in phonemes or "ə^ʊ" in phonemes
    assert "(" not in phonemes


def test_a_voice_that_there_is_not_is_refused(route: Route) -> None:
    for name in ("qqx", "../etc", "", "en us"):
        with pytest.raises(ModelDamaged, match="voice"):
            Espeak(name, [route])
    assert children() == []


def test_without_any_espeak_it_is_said_what_to_install() -> None:
    with pytest.raises(BackendMissing) as caught:
        Espeak("en-us", [])
    assert "espeakng-loader" in caught.value.hint


def test_one_that_dies_fails_one_question_and_is_started_again(espeak: Espeak) -> None:
    (child,) = children()
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(SpeechFailed):
        espeak.phonemize("Hello")
    assert espeak.phonemize("Hello") == "həlˈoʊ"


async def test_it_ends_with_its_input(route: Route) -> None:
    one = Espeak("en-us", [route])
    found = children()
    assert len(found) == 1
    one.close()
    await until(lambda: are_gone(found))
