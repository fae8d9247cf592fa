"""The playground beyond the easy case: commands for elsewhere, plain http, and what goes wrong."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.web.conftest import NewPage, expect_live
from tests.e2e.web.playground import (
    LOAD_MS,
    LONG,
    SENTENCE,
    expect_speech,
    in_flight,
    player,
    speak,
    stage,
    streamed_samples,
)
from tests.support import browser, speech_clip
from tests.support.families import F5, KOKORO, LESSAC, SIWIS
from tests.support.product import SIRENE, Product
from tests.support.waiting import until_true

# Short, since F5 speaks it four times.
NASTY = 'It\'s "a" $HOME `id` \\ 1% %s\nété.'
CLIP_NAME = "it's a clip.wav"
CLIP = {"name": CLIP_NAME, "mimeType": "audio/wav", "buffer": speech_clip.wav(2.0)}
COMMAND_S = 60.0

NewContext = Callable[..., BrowserContext]


@pytest.fixture(scope="module")
def environ() -> dict[str, str]:
    return {
        "SIRENE_ALLOWED_HOSTS": "lan.test",
        "INFERENCE_BUSY_WAIT": "0.5",
    }


def test_with_nothing_installed_it_leads_to_the_models(new_page: NewPage) -> None:
    page = new_page("/playground")
    expect(page.get_by_text("No model is installed yet")).to_be_visible()
    assert browser.violations(page) == []
    page.get_by_role("main").get_by_role("link", name="To the models").click()
    expect(page.get_by_role("heading", level=1, name="Models")).to_be_visible()


@pytest.fixture(scope="module")
def installed(product: Product) -> Product:
    for model in (SIWIS, LESSAC, KOKORO, F5):
        product.pull(model)
    return product


@pytest.mark.parametrize("model", [KOKORO, F5])
def test_each_copied_command_speaks_what_the_page_would(
    new_context: NewContext, new_page: NewPage, installed: Product, model: str, tmp_path: Path
) -> None:
    context = new_context(permissions=["clipboard-read", "clipboard-write"])
    page = new_page(f"/playground?model={model}", context=context)
    page.get_by_role("textbox", name="Text", exact=True).fill(NASTY)
    page.get_by_label("Speed as a number").fill("2")
    if model == F5:
        (tmp_path / CLIP_NAME).write_bytes(speech_clip.wav(2.0))
        page.locator("input[type=file]").set_input_files(CLIP)  # type: ignore[arg-type]
        page.get_by_label("What is said in the clip").fill(speech_clip.TRANSCRIPT)
        page.get_by_text("Advanced").click()
        page.get_by_label("Seed").fill("7")
    else:
        page.get_by_label("Language").select_option("fr")
    lengths = set()
    for kind, run in (
        ("curl", ["bash", "-c"]),
        ("OpenAI SDK", [sys.executable, "-c"]),
        ("sirene", ["bash", "-c"]),
    ):
        page.get_by_role("radio", name=kind).check()
        shown = page.locator("[data-command]").text_content() or ""
        page.get_by_role("button", name=re.compile("^Cop(y|ied)")).click()
        copied = "async shown => await navigator.clipboard.readText() === shown"
        page.wait_for_function(copied, arg=shown)
        lengths.add(_spoken(tmp_path, [*run, shown]))
    assert len(lengths) == 1
    speak(page, NASTY)
    _, heard = expect_speech(page)
    assert lengths == {len(heard)}


def _spoken(folder: Path, command: list[str]) -> int:
    """Runs it as a user in `folder` would; how many samples its WAV file holds."""
    path = f"{SIRENE.parent}{os.pathsep}{os.environ['PATH']}"
    environ = {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"}
    run = subprocess.run(
        command,
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    file = folder / "speech.wav"
    content = file.read_bytes()
    file.unlink()
    assert content.startswith(b"RIFF")
    return streamed_samples(content)


def test_on_plain_http_all_but_the_microphone_works(
    new_page: NewPage, new_context: NewContext, installed: Product
) -> None:
    lan = installed.url.replace("127.0.0.1", "lan.test")
    page = new_page(f"/playground?model={F5}", context=new_context(base_url=lan))
    assert page.evaluate("isSecureContext") is False
    expect(page.locator("[data-microphone=missing]")).to_contain_text("https")
    assert page.get_by_role("button", name="Record", exact=True).count() == 0
    page.locator("input[type=file]").set_input_files(CLIP)  # type: ignore[arg-type]
    expect(page.locator("[data-clip]")).to_be_visible()
    assert browser.violations(page) == []
    page.get_by_label("Model").select_option(SIWIS)
    speak(page)
    expect_speech(page)
    expect(page.locator("[data-command]")).to_contain_text("lan.test")
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    page.reload()
    page.get_by_role("button", name=f"Play “{SENTENCE}”").click()
    expect(player(page, "finished")).to_be_visible()


def test_when_all_models_are_busy_it_asks_again_as_soon_as_the_server_says(
    new_context: NewContext, installed: Product
) -> None:
    page = _opened(new_context(), LESSAC, with_clock=True)
    for model in (SIWIS, KOKORO):
        installed.http.post(f"/api/models/{model}/pin").raise_for_status()
    try:
        speak(page)
        expect(page.locator("[data-error=models_busy]")).to_be_visible()
        expect(page.locator("[data-retries-in]")).to_be_visible()
        assert browser.violations(page) == []
    finally:
        for model in (SIWIS, KOKORO):
            installed.http.post(f"/api/models/{model}/unpin").raise_for_status()
    page.clock.fast_forward(60_000)
    expect(stage(page, "whole")).to_be_visible(timeout=LOAD_MS)
    expect(page.locator("[data-error]")).to_have_count(0)


def test_a_cut_stream_is_told_as_cut(new_context: NewContext, installed: Product) -> None:
    page = _opened(new_context(), KOKORO)
    speak(page, LONG)
    expect(stage(page, "coming")).to_be_visible(timeout=LOAD_MS)
    for runner in installed.runners():
        runner.kill()
    expect(stage(page, "cut")).to_be_visible()
    expect(page.locator("[data-cut]")).to_contain_text("only its beginning")
    expect(page.locator("[data-take]")).to_contain_text("broken off")
    assert browser.violations(page) == []
    assert until_true(lambda: in_flight(installed) == 0)


def test_a_server_that_does_not_answer_is_said_in_place(
    new_context: NewContext, installed: Product
) -> None:
    context = new_context()
    page = _opened(context, SIWIS)
    context.set_offline(True)
    speak(page)
    expect(page.locator("[data-error=unreachable]")).to_be_visible()
    context.set_offline(False)
    page.get_by_role("button", name="Try again now").click()
    expect(stage(page, "whole")).to_be_visible(timeout=LOAD_MS)
    expect(page.locator("[data-error]")).to_have_count(0)


def test_a_model_that_is_deleted_meanwhile_is_told_and_another_one_offered(
    new_page: NewPage, installed: Product
) -> None:
    page = new_page(f"/playground?model={LESSAC}")
    expect(page.get_by_label("Model")).to_have_value(LESSAC)
    installed.http.delete(f"/api/models/{LESSAC}").raise_for_status()
    expect(page.locator(f"[data-missing='{LESSAC}']")).to_contain_text("is not installed")
    expect(page.get_by_label("Model")).not_to_have_value(LESSAC)
    assert browser.violations(page) == []


def _opened(context: BrowserContext, model: str, *, with_clock: bool = False) -> Page:
    """A page that may complain: what it meets here are errors. with_clock: put forward by us."""
    page = context.new_page()
    if with_clock:
        page.clock.install()
    page.goto(f"/playground?model={model}")
    expect_live(page)
    return page
