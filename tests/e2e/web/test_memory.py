"""The memory page: what is loaded is seen, counted down, kept and let go."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.web.conftest import NewPage
from tests.support import browser
from tests.support.families import HEAVY, KOKORO, SIWIS
from tests.support.product import Product
from tests.support.waiting import until_true

SLOTS = 3
# Minutes of speech: far more than the connection holds for whoever does not read.
LONG_TEXT = "Bonjour tout le monde. " * 150


@pytest.fixture(scope="module")
def environ() -> dict[str, str]:
    return {"INFERENCE_MAX_LOADED_MODELS": str(SLOTS)}


@pytest.fixture(scope="module")
def installed(product: Product) -> Product:
    for model in (SIWIS, KOKORO, HEAVY):
        product.pull(model)
    return product


@pytest.fixture
def empty_memory(installed: Product) -> Product:
    installed.http.post("/models/unload", json={"all": True, "force": True}).raise_for_status()
    assert until_true(lambda: not installed.get("/api/models/loaded")["models"])
    return installed


def test_before_any_install_the_slots_are_empty_and_the_way_to_the_models_is_shown(
    new_page: NewPage,
) -> None:
    page = new_page("/memory")
    expect(slots(page, "empty")).to_have_count(SLOTS)
    expect(page.get_by_role("button", name="Load a model")).to_have_count(0)
    assert browser.violations(page) == []
    page.get_by_role("main").get_by_role("link", name="To the models").click()
    expect(page.get_by_role("heading", level=1, name="Models")).to_be_visible()


def test_a_model_is_loaded_and_its_slot_counts(empty_memory: Product, new_page: NewPage) -> None:
    page = new_page("/memory")
    load(page, SIWIS)
    slot = slots(page, SIWIS)
    expect(slot).to_have_attribute("data-state", "loaded")
    expect(slot).to_contain_text("MB")
    expect(slot).to_contain_text("Next to leave")
    expect(slots(page, "empty")).to_have_count(SLOTS - 1)
    expect(page.get_by_text(f"{SIWIS} is loaded")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Memory of CPU")).to_be_visible()
    assert browser.violations(page) == []
    expect(slot.locator("[data-idle]")).to_have_text("Idle for 3s")
    expect(slot.locator("[data-expiry]")).to_have_text("Leaves in 4m 56s")


def test_how_long_it_stays_is_chosen_when_it_is_loaded(
    empty_memory: Product, new_page: NewPage
) -> None:
    page = new_page("/memory")
    load(page, KOKORO, keep="Until its room is needed")
    expect(slots(page, KOKORO).locator("[data-expiry]")).to_have_text(
        "Stays until its room is needed"
    )


def test_a_pinned_model_is_marked_until_it_is_unpinned(
    empty_memory: Product, new_page: NewPage
) -> None:
    page = new_page("/memory")
    load(page, SIWIS, pin=True)
    slot = slots(page, SIWIS)
    expect(slot).to_have_attribute("data-pinned", "true")
    expect(slot).to_contain_text("Stays until it is unpinned")
    expect(slot).not_to_contain_text("Next to leave")
    slot.get_by_role("button", name=f"Unpin {SIWIS}").click()
    expect(slot).to_have_attribute("data-pinned", "false")
    slot.get_by_role("button", name=f"Pin {SIWIS}").click()
    expect(slot).to_contain_text("Pinned")
    assert empty_memory.get("/api/models/loaded")["models"][0]["pinned"]


def test_an_idle_model_is_unloaded_at_once_and_what_it_freed_is_told(
    empty_memory: Product, new_page: NewPage
) -> None:
    page = new_page("/memory")
    empty_memory.http.post(f"/api/models/{SIWIS}/load").raise_for_status()
    slots(page, SIWIS).get_by_role("button", name=f"Unload {SIWIS}").click()
    expect(page.get_by_text(f"{SIWIS} is unloaded, ")).to_contain_text("MB are free again")
    expect(slots(page, "empty")).to_have_count(SLOTS)
    assert empty_memory.runners() == []


def test_a_model_that_speaks_is_unloaded_when_it_is_done(
    empty_memory: Product, new_page: NewPage
) -> None:
    page = new_page("/memory")
    slot = slots(page, SIWIS)
    with listening_slowly(empty_memory, SIWIS):
        expect(slot).to_contain_text("1 request running")
        expect(slot).to_contain_text("Stays while it is used")
        slot.get_by_role("button", name=f"Unload {SIWIS}").click()
        dialog = page.get_by_role("dialog", name=f"{SIWIS} is speaking")
        expect(dialog).to_contain_text("1 request running")
        assert browser.violations(page) == []
        dialog.get_by_role("button", name="Unload when done").click()
        expect(slot).to_have_attribute("data-state", "unloading")
        expect(dialog).to_be_visible()
    expect(dialog).to_be_hidden()
    expect(slots(page, "empty")).to_have_count(SLOTS)
    expect(page.get_by_text(f"{SIWIS} is unloaded, ")).to_be_visible()


def test_a_model_that_speaks_can_be_cut_off(empty_memory: Product, new_page: NewPage) -> None:
    page = new_page("/memory")
    with listening_slowly(empty_memory, SIWIS) as answer:
        # Until the page knows of the speech, an unload asks nothing.
        expect(slots(page, SIWIS).locator("[data-idle]")).not_to_contain_text("Idle")
        slots(page, SIWIS).get_by_role("button", name=f"Unload {SIWIS}").click()
        page.get_by_role("button", name="Cut off and unload").click()
        expect(slots(page, "empty")).to_have_count(SLOTS)
        with pytest.raises(httpx.RemoteProtocolError):
            answer.read()


def test_everything_is_unloaded_with_one_button(empty_memory: Product, new_page: NewPage) -> None:
    page = new_page("/memory")
    for model in (SIWIS, KOKORO):
        empty_memory.http.post(f"/api/models/{model}/load").raise_for_status()
    expect(slots(page, KOKORO)).to_be_visible()
    page.get_by_role("button", name="Unload all").click()
    expect(page.get_by_text("2 models are unloaded, ")).to_be_visible()
    expect(slots(page, "empty")).to_have_count(SLOTS)
    expect(page.get_by_text("Nothing is loaded.")).to_be_visible()
    expect(page.get_by_role("button", name="Unload all")).to_have_count(0)


def test_a_load_that_fails_says_why_and_stays(
    empty_memory: Product, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context().new_page()
    page.goto("/memory")
    page.get_by_role("button", name="Load a model").click()
    dialog = page.get_by_role("dialog", name="Load a model")
    dialog.get_by_label("Model").select_option(HEAVY)
    dialog.get_by_role("button", name="Load", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("The model’s files are damaged")
    assert browser.violations(page) == []


def test_a_replica_that_goes_is_told_and_comes_back_by_itself(
    empty_memory: Product, new_page: NewPage
) -> None:
    page = new_page("/memory")
    (inference,) = empty_memory.processes("sirene_inference")
    inference.terminate()
    expect(page.get_by_text("No inference service is running")).to_be_visible()
    assert browser.violations(page) == []
    expect(slots(page, "empty")).to_have_count(SLOTS, timeout=20_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_reads_well_in_french_on_a_small_screen(
    empty_memory: Product, new_page: NewPage, scheme: str
) -> None:
    empty_memory.http.post(f"/api/models/{SIWIS}/load?pin=true").raise_for_status()
    page = new_page(
        "/memory", locale="fr-FR", color_scheme=scheme, viewport={"width": 320, "height": 640}
    )
    expect(slots(page, SIWIS)).to_contain_text("Épinglé")
    assert browser.violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Charger un modèle").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert browser.violations(page) == []


def slots(page: Page, model: str) -> Locator:
    """model: what is in the slot, or `empty`."""
    return page.locator(f'[data-slot="{model}"]')


def load(page: Page, model: str, *, keep: str = "", pin: bool = False) -> None:
    page.get_by_role("button", name="Load a model").click()
    dialog = page.get_by_role("dialog", name="Load a model")
    dialog.get_by_label("Model").select_option(model)
    if keep:
        dialog.get_by_label("Stays while idle").select_option(keep)
    if pin:
        dialog.get_by_label("Pin it").check()
    dialog.get_by_role("button", name="Load", exact=True).click()
    expect(dialog).to_be_hidden()


@contextmanager
def listening_slowly(product: Product, model: str) -> Iterator[httpx.Response]:
    """A client that has asked for minutes of speech and reads none of it."""
    transport = httpx.HTTPTransport(socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)])
    body = {"model": model, "input": LONG_TEXT, "sample_rate": 48_000, "speed": 0.25}
    with (
        httpx.Client(base_url=product.url, transport=transport, timeout=30) as client,
        client.stream("POST", "/v1/audio/speech", json=body) as answer,
    ):
        answer.raise_for_status()
        yield answer
