"""Models from files that somebody brings: picked or dropped, loose, in a folder or in a tar."""

import base64
import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, expect

from tests.e2e.web.models_page import begin_afresh, expect_state, unwatched, violations
from tests.support.families import F5, KOKORO, SIWIS
from tests.support.hub import Hub
from tests.support.product import Product


@pytest.fixture(autouse=True)
def fresh(product: Product, hub: Hub) -> Iterator[None]:
    begin_afresh(product, hub)
    yield
    begin_afresh(product, hub)


@pytest.fixture(scope="module")
def folder(built_models: tuple[Hub, Path]) -> Path:
    """Where the models were built that the hub has."""
    return built_models[1].parent


def pick(page: Page, files: list[str | Path] | list[FilePayload]) -> Locator:
    page.locator("input[type=file]").set_input_files(files)
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[data-import]")).not_to_have_attribute("data-import", "looking")
    return dialog


def bring(dialog: Locator) -> None:
    dialog.get_by_role("button", name=re.compile("^Import")).click()
    expect(dialog.locator("[data-import]")).to_have_attribute("data-import", "done")


def test_a_piper_pair_is_recognised_sent_and_installed(page: Page, folder: Path) -> None:
    pair = [folder / "fr_FR-siwis-medium.onnx", folder / "fr_FR-siwis-medium.onnx.json"]
    dialog = pick(page, pair)
    expect(dialog.locator("[data-identified]")).to_have_text(SIWIS)
    expect(dialog).to_contain_text("→ model.onnx.json")
    assert violations(page) == []
    bring(dialog)
    assert violations(page) == []
    dialog.get_by_role("button", name="Close").last.click()
    expect_state(page, SIWIS, "installed")


def test_what_is_missing_is_named_and_may_be_added(page: Page, folder: Path) -> None:
    dialog = pick(page, [folder / "fr_FR-siwis-medium.onnx"])
    expect(dialog.locator("[data-missing]")).to_have_text("model.onnx.json")
    expect(dialog.get_by_role("button", name=re.compile("^Import"))).to_be_disabled()
    assert violations(page) == []
    dialog = pick(page, [folder / "fr_FR-siwis-medium.onnx.json"])
    expect(dialog.locator("[data-missing]")).to_have_count(0)
    bring(dialog)
    expect_state(page, SIWIS, "installed")


def test_a_tar_of_a_variant_is_opened_in_the_browser(
    page: Page, folder: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "kokoro.tar"
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        tar.add(folder / "kokoro", "kokoro/v1.0")
    dialog = pick(page, [archive])
    expect(dialog).to_contain_text("kokoro/v1.0/config.json")
    bring(dialog)
    expect_state(page, KOKORO, "installed")


def test_a_licence_against_commercial_use_is_confirmed_here_too(
    page: Page, folder: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "f5tts.tar"
    with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as tar:
        tar.add(folder / "f5tts", "a folder with a name/" + "that is too long " * 8)
    dialog = pick(page, [archive])
    expect(dialog.get_by_role("button", name=re.compile("^Import"))).to_be_disabled()
    dialog.get_by_role("checkbox").check()
    bring(dialog)
    expect_state(page, F5, "installed")


def test_a_file_of_the_wrong_content_is_named_and_nothing_is_installed(
    new_context: Callable[..., BrowserContext], folder: Path, product: Product
) -> None:
    page = unwatched(new_context)
    good = folder / "fr_FR-siwis-medium.onnx"
    bad = bytearray(good.read_bytes())
    bad[len(bad) // 2] ^= 0xFF
    config = folder / "fr_FR-siwis-medium.onnx.json"
    dialog = pick(page, [payload(good.name, bytes(bad)), payload(config.name, config.read_bytes())])
    dialog.get_by_role("button", name=re.compile("^Import")).click()
    refusal = dialog.get_by_role("alert")
    expect(refusal).to_have_attribute("data-error", "files_refused")
    expect(refusal).to_contain_text("model.onnx")
    assert product.state(SIWIS) == "absent"
    assert violations(page) == []


def test_files_of_no_model_are_named(page: Page) -> None:
    dialog = pick(page, [payload("holiday.jpg", b"not a voice")])
    expect(dialog).to_contain_text("No model of the catalogue has these files")
    expect(dialog).to_contain_text("holiday.jpg")
    assert violations(page) == []


def test_files_are_dropped_onto_the_page(page: Page, folder: Path) -> None:
    names = ("fr_FR-siwis-medium.onnx", "fr_FR-siwis-medium.onnx.json")
    contents = [
        {"name": name, "base64": base64.b64encode((folder / name).read_bytes()).decode()}
        for name in names
    ]
    transfer = page.evaluate_handle(
        """files => {
            const transfer = new DataTransfer();
            for (const {name, base64} of files) {
                const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
                transfer.items.add(new File([bytes], name));
            }
            return transfer;
        }""",
        contents,
    )
    page.dispatch_event("body", "dragover", {"dataTransfer": transfer})
    expect(page.locator("[data-drop]")).to_be_visible()
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    expect(page.locator("[data-drop]")).to_have_count(0)
    bring(page.get_by_role("dialog"))
    expect_state(page, SIWIS, "installed")


def test_a_folder_is_dropped_onto_the_page(page: Page, folder: Path) -> None:
    drop = {"items": [], "files": [str(folder / "kokoro")], "dragOperationsMask": 1}
    browser = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        browser.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": drop})
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[data-identified]")).to_have_text(KOKORO)
    bring(dialog)
    expect_state(page, KOKORO, "installed")


def test_sending_is_stopped_and_begun_again(page: Page, folder: Path, product: Product) -> None:
    pair = [folder / "fr_FR-siwis-medium.onnx", folder / "fr_FR-siwis-medium.onnx.json"]
    browser = page.context.new_cdp_session(page)
    browser.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 20_000}
    dialog = pick(page, pair)
    browser.send("Network.emulateNetworkConditions", slow)
    dialog.get_by_role("button", name=re.compile("^Import")).click()
    expect(dialog.locator("[data-import=sending]")).to_be_visible()
    page.keyboard.press("Escape")  # never ends work that goes on
    dialog.get_by_role("button", name="Stop").click()
    expect(dialog.locator("[data-import=choosing]")).to_be_visible()
    assert violations(page) == []
    browser.send("Network.emulateNetworkConditions", slow | {"uploadThroughput": -1})
    assert product.state(SIWIS) == "absent"
    bring(dialog)
    expect_state(page, SIWIS, "installed")


def payload(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}
