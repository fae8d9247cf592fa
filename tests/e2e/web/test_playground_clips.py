"""Cloning in the playground: a clip that is chosen, dropped or recorded, and what it must be."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.web.conftest import NewPage
from tests.e2e.web.playground import SHORT, at, expect_speech, speak
from tests.support import browser, speech_clip
from tests.support.families import F5, QWEN_BASE
from tests.support.product import Product

CLIP = {"name": "clip.wav", "mimeType": "audio/wav", "buffer": speech_clip.wav(2.0)}


@pytest.fixture(scope="module", autouse=True)
def _installed(product: Product) -> None:
    for model in (F5, QWEN_BASE):
        product.pull(model)


def test_f5_clones_an_uploaded_clip_once_it_knows_what_is_said_in_it(new_page: NewPage) -> None:
    page = new_page(at(F5))
    speak(page, SHORT)
    expect(page.locator("[data-problem=needsClip]")).to_be_visible()
    expect(page.get_by_role("button", name="Choose a file")).to_be_focused()
    page.locator("input[type=file]").set_input_files(CLIP)  # type: ignore[arg-type]
    expect(page.locator("[data-clip]")).to_contain_text("2.0 s")
    page.get_by_role("button", name="Speak", exact=True).click()
    expect(page.locator("[data-problem=needsTranscript]")).to_be_visible()
    transcript = page.get_by_label("What is said in the clip")
    expect(transcript).to_be_focused()
    assert browser.violations(page) == []
    transcript.fill(speech_clip.TRANSCRIPT)
    speak(page, SHORT)
    expect_speech(page)


def test_a_clip_is_taken_by_drop_and_can_be_heard(new_page: NewPage) -> None:
    page = new_page(at(F5))
    dropped = page.evaluate_handle(
        """bytes => {
          const dropped = new DataTransfer();
          dropped.items.add(new File([new Uint8Array(bytes)], "dropped.wav"));
          return dropped;
        }""",
        list(speech_clip.wav(2.0)),
    )
    page.locator("[data-drop]").dispatch_event("drop", {"dataTransfer": dropped})
    expect(page.locator("[data-clip]")).to_contain_text("dropped.wav")
    page.get_by_role("button", name="Play the clip").click()
    expect(page.get_by_role("button", name="Pause the clip")).to_be_visible()
    expect(page.get_by_role("button", name="Play the clip")).to_be_visible()
    page.get_by_role("button", name="Remove the clip").click()
    expect(page.get_by_role("button", name="Choose a file")).to_be_visible()


def test_a_clip_that_cannot_serve_says_why(new_page: NewPage) -> None:
    page = new_page(at(F5))
    for name, content, fault in (
        ("clip.txt", b"words", "kind"),
        ("clip.wav", b"no sound at all", "unreadable"),
        ("clip.wav", bytes(4 * 1024 * 1024 + 1), "large"),
        ("clip.wav", speech_clip.wav(0.5), "short"),
    ):
        file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
        expect(page.locator("[data-clip-fault]")).to_have_attribute("data-clip-fault", fault)


def test_a_clip_may_be_too_long_for_one_model_and_right_for_another(new_page: NewPage) -> None:
    page = new_page(at(F5))
    clip = {"name": "clip.flac", "mimeType": "", "buffer": speech_clip.wav(16.0, kind="FLAC")}
    page.locator("input[type=file]").set_input_files(clip)  # type: ignore[arg-type]
    expect(page.locator("[data-clip-fault=long]")).to_be_visible()
    page.get_by_label("Model").select_option(QWEN_BASE)
    expect(page.locator("[data-clip]")).to_contain_text("16.0 s")
    expect(page.locator("[data-clip-fault]")).to_have_count(0)


def test_the_microphone_records_a_clip_that_qwen_clones(new_page: NewPage) -> None:
    page = new_page(at(QWEN_BASE))
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator("[data-recording]")).to_have_attribute(
        "data-recording", re.compile(r"^1\.[1-9]")
    )
    assert browser.violations(page) == []
    page.get_by_role("button", name="Stop recording").click()
    expect(page.locator("[data-clip]")).to_contain_text("recording.wav")
    speak(page)
    expect_speech(page)
