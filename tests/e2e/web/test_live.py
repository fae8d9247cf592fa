"""One event stream for a whole browser, which comes back by itself whatever happens to the API."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.e2e.web.conftest import NewPage, expect_live
from tests.support.families import SIWIS
from tests.support.product import Product
from tests.support.waiting import until_true

LAN_NAME = "lan.test"
EVENTS = "**/api/models/events"
TABS = 9
# The server closes what is kept alive for other requests after 5 s of silence.
QUIET_S = 20.0
# The supervisor waits a second before it starts a service again; the page up to ten between tries.
BACK_MS = 30_000

NewContext = Callable[..., BrowserContext]


@pytest.fixture(scope="module")
def environ() -> dict[str, str]:
    return {"SIRENE_ALLOWED_HOSTS": LAN_NAME}


@pytest.fixture(scope="module")
def installed(product: Product) -> Product:
    product.pull(SIWIS)
    return product


@pytest.fixture
def loads(installed: Product) -> Iterator[Callable[[], None]]:
    """Makes something happen that every open memory page must show."""
    yield lambda: installed.http.post(f"/api/models/{SIWIS}/load").raise_for_status().close()
    installed.http.post("/models/unload", json={"all": True}).raise_for_status()


def test_nine_tabs_are_live_over_one_connection_that_outlives_the_first_tab(
    installed: Product, new_context: NewContext, new_page: NewPage, loads: Callable[[], None]
) -> None:
    context = new_context()
    tabs = [new_page("/memory", context=context) for _ in range(TABS)]
    assert until_true(lambda: len(connections(installed)) == 1, within_s=QUIET_S)
    (stream,) = connections(installed)
    tabs[0].close()
    loads()
    for tab in tabs[1:]:
        expect(loaded(tab)).to_be_visible()
    assert until_true(lambda: connections(installed) == [stream], within_s=QUIET_S)
    for tab in tabs[1:]:
        tab.close()
    assert until_true(lambda: connections(installed) == [], within_s=QUIET_S)


def test_without_shared_workers_each_tab_has_a_stream_of_its_own(
    installed: Product, new_context: NewContext, new_page: NewPage, loads: Callable[[], None]
) -> None:
    context = new_context()
    context.add_init_script("delete window.SharedWorker")
    tabs = [new_page("/memory", context=context) for _ in range(2)]
    assert until_true(lambda: len(connections(installed)) == 2, within_s=QUIET_S)
    loads()
    for tab in tabs:
        expect(loaded(tab)).to_be_visible()


def test_a_killed_api_is_shown_and_the_page_goes_on_by_itself_when_it_is_back(
    installed: Product, new_context: NewContext, loads: Callable[[], None]
) -> None:
    page = new_context().new_page()
    page.goto("/memory")
    expect_live(page)
    (api,) = installed.processes("sirene_api")
    api.kill()
    mark = page.locator("[data-link]")
    expect(mark).to_have_attribute("data-link", "lost")
    expect(mark).to_have_text("Reconnecting")
    expect(mark).to_have_attribute("data-link", "open", timeout=BACK_MS)
    expect(mark).to_have_text("Live")
    loads()
    expect(loaded(page)).to_be_visible()


def test_answers_of_503_are_outlived(
    installed: Product, new_context: NewContext, loads: Callable[[], None]
) -> None:
    context = new_context()
    context.add_init_script("delete window.SharedWorker")  # whose requests no route would see
    page = context.new_page()
    refused: list[str] = []

    def refuse_twice(route: Route) -> None:
        if len(refused) == 2:
            route.continue_()
            return
        refused.append(route.request.url)
        route.fulfill(status=503, body="restarting")

    page.route(EVENTS, refuse_twice)
    page.goto("/memory")
    expect(page.locator("[data-link]")).to_have_attribute("data-link", "lost")
    expect_live(page)
    assert len(refused) == 2
    loads()
    expect(loaded(page)).to_be_visible()


def test_it_works_over_plain_http_under_a_name_of_the_local_network(
    installed: Product, new_page: NewPage, loads: Callable[[], None]
) -> None:
    port = urlsplit(installed.url).port
    page = new_page("/memory", base_url=f"http://{LAN_NAME}:{port}")
    assert not page.evaluate("isSecureContext")
    loads()
    expect(loaded(page)).to_be_visible()
    # What changes something is a request of this very origin.
    page.get_by_role("button", name=f"Unload {SIWIS}").click()
    expect(page.get_by_text(f"{SIWIS} is unloaded, ")).to_be_visible()


def loaded(page: Page) -> Locator:
    return page.locator(f'[data-slot="{SIWIS}"][data-state="loaded"]')


def connections(product: Product) -> list[int]:
    """Ports of those that are connected to the API."""
    (api,) = product.processes("sirene_api")
    port = urlsplit(product.url).port
    return sorted(
        one.raddr.port
        for one in api.net_connections("tcp")
        if one.status == psutil.CONN_ESTABLISHED and one.laddr.port == port
    )
