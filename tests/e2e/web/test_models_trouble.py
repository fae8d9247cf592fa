"""What goes wrong with a model is told in its row, with what to do, until it is done."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.web.models_page import (
    begin_afresh,
    details,
    expect_state,
    model,
    open_install,
    row,
    unwatched,
    violations,
)
from tests.support.families import GATED, HEAVY, KOKORO, SIWIS, source_of
from tests.support.hub import Fault, Hub
from tests.support.product import Product

HEAVY_FILE = source_of(HEAVY)
GIANT, GIANT_BYTES = "giant:default", 5 * 10**13
GIANT_MANIFEST = {
    "name": "giant",
    "description": "More than there is room for",
    "backend": "kokoro",
    "license": "MIT",
    "variants": {
        "default": {
            "files": [{"path": "giant.bin", "size": GIANT_BYTES}],
            "url": "https://huggingface.co/tests/giant/resolve/main/",
            "size": GIANT_BYTES,
            "languages": ["en"],
            "memory": 10**13,
        }
    },
    "defaults": {"variant": "default", "sample_rate": 24000},
}
FAULTY = (HEAVY_FILE, source_of(GATED), "model.onnx", "model.safetensors")


@pytest.fixture(scope="module")
def environ(
    built_models: tuple[Hub, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """A token, a catalogue with a model that no machine has room for, and little patience."""
    manifests = shutil.copytree(built_models[1], tmp_path_factory.mktemp("trouble") / "manifests")
    (manifests / "giant.json").write_text(json.dumps(GIANT_MANIFEST))
    return {
        "HF_TOKEN": "hf_of_somebody",
        "SIRENE_MANIFESTS_PATH": str(manifests),
        "SIRENE_UNLOAD_WAIT": "2",
    }


@pytest.fixture(autouse=True)
def fresh(product: Product, hub: Hub) -> Iterator[None]:
    begin_afresh(product, hub, FAULTY)
    yield
    begin_afresh(product, hub, FAULTY)


@pytest.mark.parametrize(
    ("status", "headers", "code", "told"),
    [
        (401, {}, "hub_token_refused", "The token was refused"),
        (403, {"X-Error-Code": "GatedRepo"}, "hub_forbidden", "terms are not accepted"),
    ],
)
def test_a_gated_model_says_before_the_pull_what_is_wrong_with_the_token(
    page: Page, hub: Hub, status: int, headers: dict[str, str], code: str, told: str
) -> None:
    gated = source_of(GATED)
    hub.fault(gated, Fault(status=status, heads=True, headers=headers))
    dialog = open_install(page, GATED)
    expect(dialog.locator("[data-error]")).to_have_attribute("data-error", code)
    expect(dialog).to_contain_text(told)
    expect(dialog.get_by_role("button", name="Install", exact=True)).to_have_count(0)
    assert violations(page) == []
    hub.fault(gated)
    dialog.get_by_role("button", name="Check again").click()
    expect(dialog.get_by_role("button", name="Install", exact=True)).to_be_enabled()
    expect(dialog.locator("[data-error]")).to_have_count(0)


def test_a_failed_pull_keeps_its_error_over_a_reload_and_is_retried_from_where_it_stopped(
    page: Page, hub: Hub, product: Product
) -> None:
    hub.fault(HEAVY_FILE, *cut_and_sent_away())
    product.http.post(f"/api/models/{HEAVY}/pull").raise_for_status()
    expect_state(page, HEAVY, "failed")
    page.reload()
    expect_state(page, HEAVY, "failed")
    note = row(page, HEAVY).get_by_role("alert")
    expect(note).to_have_attribute("data-error", "hub_rate_limited")
    expect(row(page, HEAVY)).to_contain_text("the next try goes on from it")
    kept = product.get("/api/downloads/parts")["total_bytes"]
    assert violations(page) == []
    hub.fault(HEAVY_FILE)
    sent = hub.sent_bytes[HEAVY_FILE]
    row(page, HEAVY).get_by_role("button", name=re.compile("^Try again")).click()
    expect_state(page, HEAVY, "installed")
    expect(note).to_have_count(0)
    assert kept > 0
    assert hub.sent_bytes[HEAVY_FILE] - sent < model(product, HEAVY)["size_bytes"]


def test_what_a_failed_pull_left_is_deleted_from_its_row(
    page: Page, hub: Hub, product: Product
) -> None:
    hub.fault(HEAVY_FILE, *cut_and_sent_away())
    product.http.post(f"/api/models/{HEAVY}/pull").raise_for_status()
    expect_state(page, HEAVY, "failed")
    row(page, HEAVY).get_by_role("button", name=re.compile("^Delete what came")).click()
    expect_state(page, HEAVY, "absent")
    expect(row(page, HEAVY).get_by_role("alert")).to_have_count(0)
    assert product.get("/api/downloads/parts")["parts"] == []


def test_a_failure_is_dismissed_for_good_and_the_row_keeps_the_keyboard(
    page: Page, hub: Hub, product: Product
) -> None:
    sent_away(page, hub, product)
    # Where another file of it came first, the same button says what goes with it.
    row(page, KOKORO).get_by_role("button", name=re.compile("^Dismiss|^Delete what came")).click()
    expect_state(page, KOKORO, "absent")
    expect(row(page, KOKORO)).to_be_focused()
    page.reload()
    expect_state(page, KOKORO, "absent")
    expect(row(page, KOKORO).get_by_role("alert")).to_have_count(0)


def test_a_hub_that_asks_to_slow_down_is_told_as_such(
    page: Page, hub: Hub, product: Product
) -> None:
    sent_away(page, hub, product)
    expect(row(page, KOKORO).get_by_role("alert")).to_contain_text("The hub asks to slow down")


def test_a_damaged_model_is_repaired_and_only_what_is_wrong_is_fetched(
    page: Page, hub: Hub, product: Product
) -> None:
    product.pull(KOKORO)
    expect_state(page, KOKORO, "installed")
    flip_a_byte(product, KOKORO, "model.onnx")
    expect_state(page, KOKORO, "damaged")
    expect(row(page, KOKORO).get_by_role("alert")).to_have_attribute("data-error", "model_damaged")
    assert violations(page) == []
    right, wrong = hub.sent_bytes["config.json"], hub.sent_bytes["model.onnx"]
    row(page, KOKORO).get_by_role("button", name=re.compile("^Repair")).click()
    expect_state(page, KOKORO, "installed")
    expect(row(page, KOKORO).get_by_role("alert")).to_have_count(0)
    assert hub.sent_bytes["config.json"] == right
    assert hub.sent_bytes["model.onnx"] > wrong


def test_what_does_not_fit_on_the_disk_is_refused_before_the_first_byte(
    page: Page, hub: Hub
) -> None:
    hub.announce("tests/giant", "giant.bin", GIANT_BYTES)
    dialog = open_install(page, GIANT)
    expect(dialog).to_contain_text(re.compile(r"Needs 50\.0 TB, .+ free"))
    expect(dialog.locator("[data-error]")).to_have_attribute("data-error", "disk_full")
    expect(dialog).to_contain_text("will not load into the memory that there is now")
    expect(dialog.get_by_role("button", name="Install", exact=True)).to_have_count(0)
    assert violations(page) == []
    dialog.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Fits in memory").click()
    expect(row(page, GIANT)).to_have_count(0)
    assert hub.sent_bytes["giant.bin"] == 0


def test_a_model_that_speaks_is_not_deleted_from_under_its_listener(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    product.pull(SIWIS)
    page = unwatched(new_context)
    expect_state(page, SIWIS, "installed")
    # More than the buffers between here and there hold, so that it goes on for as long as we like.
    body = {"model": SIWIS, "input": "Bonjour tout le monde. " * 170, "response_format": "pcm"}
    body |= {"speed": 0.25, "sample_rate": 48000}
    with product.http.stream("POST", "/v1/audio/speech", json=body) as speech:
        chunks = speech.iter_raw()
        next(chunks)
        details(page, SIWIS).get_by_role("button", name="Delete…").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name=re.compile("^Delete ")).click()
        expect(dialog.get_by_role("alert")).to_have_attribute("data-error", "model_in_use")
        assert violations(page) == []
        expect_state(page, SIWIS, "installed")
    dialog.get_by_role("button", name=re.compile("^Delete ")).click()
    expect_state(page, SIWIS, "absent")


def sent_away(page: Page, hub: Hub, product: Product) -> None:
    """A pull of Kokoro that the hub has failed."""
    hub.fault("model.onnx", Fault(status=429, headers={"Retry-After": "3600"}))
    product.http.post(f"/api/models/{KOKORO}/pull").raise_for_status()
    expect_state(page, KOKORO, "failed")


def cut_and_sent_away(at: int = 6_000_000) -> tuple[Fault, Fault]:
    """What came before the byte stays; who asks for it again shall come back in an hour."""
    later = {"Retry-After": "3600"}
    return Fault(drop_at=at, times=1), Fault(status=429, headers=later, covering=at)


def flip_a_byte(product: Product, model_id: str, path: str) -> None:
    name, _, variant = model_id.partition(":")
    file = product.models / name / variant / path
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.chmod(0o644)
    file.write_bytes(content)
