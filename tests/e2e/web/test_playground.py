"""The playground: every kind of model speaks, and is heard from its first chunk."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.web.conftest import NewPage
from tests.e2e.web.playground import (
    LOAD_MS,
    LONG,
    SENTENCE,
    SHORT,
    at,
    expect_speech,
    gaps_between_pieces,
    in_flight,
    note_what_is_scheduled,
    player,
    position,
    speak,
    stage,
    streamed_samples,
)
from tests.support import browser
from tests.support.families import KOKORO, QWEN, QWEN_DESIGN, SIWIS
from tests.support.product import Product
from tests.support.waiting import until_true


@pytest.fixture(scope="module")
def environ() -> dict[str, str]:
    return {
        "INFERENCE_MAX_LOADED_MODELS": "6",
        "INFERENCE_CONCURRENCY": "1",
        "INFERENCE_BUSY_WAIT": "0.5",
    }


@pytest.fixture(scope="module", autouse=True)
def _installed(product: Product) -> None:
    for model in (SIWIS, KOKORO, QWEN, QWEN_DESIGN):
        product.pull(model)


def test_a_piper_voice_is_heard(new_page: NewPage, product: Product) -> None:
    page = new_page(at(SIWIS))
    expect(page.get_by_label("Voice", exact=True)).to_have_value("siwis")
    assert page.get_by_label("Language").count() == 0
    speak(page)
    rate, _ = expect_speech(page)
    assert rate == 22050
    expect(player(page, "finished")).to_be_visible()
    figures = page.locator("[data-first-audio-ms]")
    expect(figures).to_have_attribute("data-first-audio-ms", re.compile(r"^[1-9]"))
    expect(figures).to_have_attribute("data-factor", re.compile(r"^\d"))


def test_kokoro_speaks_with_the_chosen_voice_speed_and_language(
    new_page: NewPage, product: Product
) -> None:
    page = new_page(at(KOKORO))
    voices = page.get_by_label("Voice", exact=True)
    expect(voices).to_contain_text("American English")
    voice = voices.locator("option").last.get_attribute("value") or ""
    voices.select_option(voice)
    page.get_by_label("Language").select_option("fr")
    page.get_by_label("Speed as a number").fill("1.5")
    speak(page, "Bonjour à tous.")
    _, heard = expect_speech(page)
    asked = {"voice": voice, "language": "fr", "speed": 1.5}
    same = product.speak("Bonjour à tous.", KOKORO, **asked)
    assert len(heard) == streamed_samples(same)


def test_a_preset_voice_of_qwen_says_the_same_for_the_same_seed(
    new_page: NewPage, product: Product
) -> None:
    page = new_page(at(QWEN))
    page.get_by_text("Advanced").click()
    page.get_by_label("Seed").fill("7")
    speak(page, SHORT)
    _, heard = expect_speech(page)
    assert len(heard) == streamed_samples(product.speak(SHORT, QWEN, seed=7))


def test_a_voice_is_designed_by_its_description(new_page: NewPage) -> None:
    page = new_page(at(QWEN_DESIGN))
    speak(page, SHORT)
    expect(page.locator("[data-problem=needsInstructions]")).to_be_visible()
    page.get_by_label("Description of the voice").fill("A calm, low voice.")
    speak(page)
    expect_speech(page)


def test_it_is_heard_while_it_is_still_made(new_page: NewPage) -> None:
    page = new_page(at(KOKORO))
    note_what_is_scheduled(page)
    speak(page, LONG)
    expect(stage(page, "coming").locator("[data-player=playing]")).to_be_visible(timeout=LOAD_MS)
    expect(stage(page, "whole").locator("[data-player=playing]")).to_be_visible(timeout=LOAD_MS)
    assert len(gaps_between_pieces(page)) > 5


def test_a_stream_that_is_too_slow_shifts_what_follows(new_page: NewPage) -> None:
    page = new_page(at(SIWIS))
    note_what_is_scheduled(page)
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 0, "uploadThroughput": -1}
    # Less than the 44 kB of a second.
    network.send("Network.emulateNetworkConditions", slow | {"downloadThroughput": 20_000})
    speak(page)
    expect(stage(page, "coming").locator("[data-player=playing]")).to_be_visible(timeout=LOAD_MS)
    expect(stage(page, "whole")).to_be_visible(timeout=LOAD_MS)
    expect(player(page, "finished")).to_be_visible(timeout=LOAD_MS)
    assert max(gaps_between_pieces(page)) > 0.02


def test_stop_ends_it_here_and_on_the_server(new_page: NewPage, product: Product) -> None:
    page = new_page(at(KOKORO))
    speak(page, LONG)
    expect(stage(page, "coming")).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(stage(page, "stopped")).to_be_visible()
    expect(player(page, "paused")).to_be_visible()
    assert until_true(lambda: in_flight(product) == 0, within_s=5)
    expect(page.locator("[data-take]")).to_contain_text("stopped")


def test_leaving_the_page_ends_the_work_on_the_server(new_page: NewPage, product: Product) -> None:
    page = new_page(at(KOKORO))
    speak(page, LONG)
    expect(stage(page, "coming")).to_be_visible()
    page.get_by_role("link", name="Memory").first.click()
    expect(page.get_by_role("heading", level=1, name="Memory")).to_be_visible()
    assert until_true(lambda: in_flight(product) == 0, within_s=5)


def test_a_model_that_is_not_in_memory_is_waited_for_in_plain_sight(
    new_page: NewPage, product: Product
) -> None:
    product.http.post("/models/unload", json={"model": KOKORO}).raise_for_status()
    page = new_page(at(KOKORO))
    speak(page)
    expect(page.locator("[data-waiting=load]")).to_have_text("Loading the model…")
    expect(stage(page, "whole")).to_be_visible(timeout=LOAD_MS)
    expect(page.get_by_text("Of it, loading")).to_be_visible()


def test_it_plays_pauses_seeks_and_replays_by_keyboard_alone(new_page: NewPage) -> None:
    page = new_page(at(KOKORO))
    text = page.get_by_role("textbox", name="Text", exact=True)
    text.focus()
    page.keyboard.type(SENTENCE)
    page.keyboard.press("Control+Enter")
    expect(player(page, "finished")).to_be_visible()
    while not position(page).evaluate("slider => slider === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("Home")
    expect(position(page)).to_have_attribute("aria-valuetext", re.compile(r"^0\.0 of \d"))
    page.keyboard.press("ArrowRight")
    expect(position(page)).to_have_attribute("aria-valuetext", re.compile(r"^1\.0 of \d"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(player(page, "playing")).to_be_visible()
    page.keyboard.press("Enter")
    expect(player(page, "paused")).to_be_visible()
    page.keyboard.press("Enter")
    expect(player(page, "finished")).to_be_visible()
    page.keyboard.press("Enter")
    expect(player(page, "playing")).to_be_visible()


def test_a_click_into_the_waveform_seeks(new_page: NewPage) -> None:
    page = new_page(at(SIWIS))
    speak(page)
    expect(player(page, "finished")).to_be_visible()
    box = position(page).bounding_box()
    assert box
    position(page).click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    length_s = float(position(page).get_attribute("aria-valuemax") or "nan")
    expect(player(page, "paused")).to_be_visible()

    def is_at_half() -> bool:
        at_s = float(position(page).get_attribute("aria-valuenow") or "nan")
        return abs(at_s - length_s / 2) <= 0.15

    # The slider tells its place with the next frame.
    assert until_true(is_at_half)


def test_the_waveform_follows_the_theme_and_the_size(new_page: NewPage) -> None:
    page = new_page(at(SIWIS), color_scheme="light")
    speak(page)
    expect(player(page, "finished")).to_be_visible()
    drawing = "() => document.querySelector('canvas').toDataURL()"
    drawn = page.evaluate(drawing)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"before => ({drawing})() !== before", arg=drawn)
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function("() => document.querySelector('canvas').width < 390")


def test_an_empty_text_speaks_a_sentence_in_the_language_of_the_choice(new_page: NewPage) -> None:
    page = new_page(at(KOKORO))
    text = page.get_by_role("textbox", name="Text", exact=True)
    expect(text).to_have_attribute("placeholder", re.compile("The morning"))
    page.get_by_label("Language").select_option("fr")
    expect(text).to_have_attribute("placeholder", re.compile("Le matin"))
    page.get_by_role("button", name="Speak", exact=True).click()
    expect_speech(page)
    expect(page.locator("[data-take]")).to_contain_text("Le matin")


def test_a_text_beyond_the_limit_is_counted_and_not_sent(new_page: NewPage) -> None:
    page = new_page(at(SIWIS))
    speak(page, "ä" * 4097)
    expect(page.locator("[data-count]")).to_have_attribute("data-count", "4097")
    expect(page.locator("[data-problem=tooLong]")).to_be_visible()
    expect(stage(page, "empty")).to_be_visible()
    assert browser.violations(page) == []


def test_the_choice_of_a_model_is_in_the_address_and_remembered(new_page: NewPage) -> None:
    page = new_page(at(SIWIS))
    page.get_by_label("Model").select_option(KOKORO)
    expect(page).to_have_url(re.compile(r"model=kokoro"))
    page.goto("/playground")
    expect(page.get_by_label("Model")).to_have_value(KOKORO)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_accessible_in_both_themes_and_fits_every_width(
    new_page: NewPage, theme: str
) -> None:
    page = new_page(at(SIWIS), color_scheme=theme, locale="fr-FR")
    expect(page.get_by_role("heading", level=1, name="Essayer")).to_be_visible()
    expect(stage(page, "empty")).to_be_visible()
    assert browser.violations(page) == []
    page.get_by_role("button", name="Parler", exact=True).click()
    expect(stage(page, "whole")).to_be_visible(timeout=LOAD_MS)
    expect(page.locator("[data-take]")).to_be_visible()
    for width in (1280, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert browser.violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
