"""The web UI of a real product in a real browser, beside a hub with models of all families."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.support import browser as browsers
from tests.support import families
from tests.support.hub import Hub
from tests.support.product import Product

expect.set_options(timeout=10_000)
DESKTOP: ViewportSize = {"width": 1280, "height": 860}

NewPage = Callable[..., Page]


# By module: playwright's loop must have ended before another file's asynchronous tests begin.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsers.launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def built_models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Hub, Path]:
    """A hub that is not serving yet, and the manifests of what it has."""
    hub = Hub()
    return hub, families.add_to(hub, tmp_path_factory.mktemp("families"))


@pytest.fixture(scope="module")
def hub(built_models: tuple[Hub, Path]) -> Iterator[Hub]:
    hub, _ = built_models
    with hub.serve():
        yield hub
    # The next file's pulls would be slow, or fail, for what this one wanted.
    assert hub.faulty == []


@pytest.fixture(scope="module")
def environ() -> dict[str, str]:
    """What the user of this file's product has set; a file of tests may have its own."""
    return {}


@pytest.fixture(scope="module")
def product(
    hub: Hub,
    built_models: tuple[Hub, Path],
    environ: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Product]:
    product = Product(
        tmp_path_factory.mktemp("user"),
        {"HF_ENDPOINT": hub.url, "SIRENE_MANIFESTS_PATH": str(built_models[1])} | environ,
    )
    try:
        product.start()
        yield product
        product.stop()
    finally:
        product.abandon()


@pytest.fixture
def new_context(browser: Browser, product: Product) -> Iterator[Callable[..., BrowserContext]]:
    """A browser of its own: storage, language, colours and size are its alone."""
    contexts: list[BrowserContext] = []

    def make(**options: object) -> BrowserContext:
        settings = {"locale": "en-US", "viewport": DESKTOP, "base_url": product.url} | options
        context = browser.new_context(**settings)  # type: ignore[arg-type]
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def new_page(new_context: Callable[..., BrowserContext]) -> Iterator[NewPage]:
    """A page that is live; at the end of the test it must have had no complaints."""
    watches: list[browsers.Watch] = []

    def make(path: str = "/", *, context: BrowserContext | None = None, **options: object) -> Page:
        page = (context or new_context(**options)).new_page()
        watch = browsers.Watch(page)
        watches.append(watch)
        page.goto(path)
        expect_live(page)
        return page

    yield make
    complaints = [complaint for watch in watches for complaint in watch.complaints]
    assert complaints == []


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """The start page in a browser of its own."""
    return new_page()


def expect_live(page: Page) -> None:
    expect(page.locator("[data-link]")).to_have_attribute("data-link", "open")


def expect_path(page: Page, path: str) -> None:
    expect(page).to_have_url(re.compile(re.escape(path)))
