"""What `sirene up` prints when it is ready."""

from pathlib import Path

from sirene_cli.up import banner
from sirene_cli.up.plan import Plan
from sirene_shared.web_ui import BUILD_COMMAND, Missing

URL, NATS_URL = "http://127.0.0.1:8080", "nats://127.0.0.1:4222"


def make_plan(*services: str) -> Plan:
    return Plan(data=Path("/srv/sirene"), models=Path("/srv/models"), services=services)


def test_every_address_is_told() -> None:
    rows = dict(banner.rows(make_plan("api"), url=URL, nats_url=NATS_URL, has_token=True))
    assert rows == {
        "Page": URL,
        "API": f"{URL}/api/models",
        "API docs": f"{URL}/schema",
        "OpenAI base": f"{URL}/v1",
        "NATS": NATS_URL,
        "Watch pulls": f"nats --server {NATS_URL} sub 'sirene.v1.progress.>'",
        "Data": "/srv/sirene",
        "Models": "/srv/models",
        "HF token": "yes",
    }


def test_what_was_not_started_has_no_address() -> None:
    rows = banner.rows(make_plan("inference"), url=URL, nats_url=NATS_URL, has_token=False)
    assert URL not in banner.text(rows)


def test_without_a_web_ui_one_line_says_why_and_how_to_build_it() -> None:
    missing = Missing("npm could not be reached")
    rows = dict(
        banner.rows(make_plan("api"), url=URL, nats_url=NATS_URL, has_token=True, no_ui=missing)
    )
    assert rows["Web UI"] == f"none: npm could not be reached; build it: {BUILD_COMMAND}"


def test_a_web_ui_that_is_switched_off_needs_no_command() -> None:
    off = Missing("it is switched off", can_be_built=False)
    rows = dict(
        banner.rows(make_plan("api"), url=URL, nats_url=NATS_URL, has_token=True, no_ui=off)
    )
    assert rows["Web UI"] == "none: it is switched off"


def test_a_password_of_the_bus_is_not_told() -> None:
    urls = "nats://me:secret@one:4222, tls://token@two:4222,nats://three:4222"
    assert banner.without_password(urls) == (
        "nats://***@one:4222,tls://***@two:4222,nats://three:4222"
    )
