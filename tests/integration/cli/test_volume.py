"""`sirene pull --dry-run`, `verify`, `repair` and `parts`."""

from tests.integration.cli.conftest import Call, lines
from tests.integration.cli.contract_server import COMPLETE, MODEL, ContractServer, events, progress

PREFLIGHT: dict[str, object] = {
    "id": MODEL,
    "total_bytes": 63_000_000,
    "missing_bytes": 12_000_000,
    "free_bytes": 5_000_000,
    "license": "MIT",
    "gated": True,
    "token": "terms_not_accepted",
    "memory_bytes": 160_000_000,
    "fits_memory": True,
    "error": None,
}


async def test_a_dry_run_is_shown(server: ContractServer, call: Call) -> None:
    server.answer(f"POST /api/models/{MODEL}/pull", PREFLIGHT)
    result = await call("pull", MODEL, "--dry-run")
    assert result.exit_code == 0
    assert "12.0 MB of 63.0 MB" in result.stdout
    assert "terms not accepted" in result.stdout
    server.answer(f"POST /api/models/{MODEL}/pull", PREFLIGHT)
    (told,) = lines(await call("pull", MODEL, "--dry-run", "--json"))
    assert told == PREFLIGHT


async def test_a_dry_run_of_what_would_fail_fails(server: ContractServer, call: Call) -> None:
    error = {"message": "it needs 12 bytes more", "code": "disk_full"}
    server.answer(f"POST /api/models/{MODEL}/pull", {**PREFLIGHT, "error": error})
    result = await call("pull", MODEL, "--dry-run")
    assert result.exit_code == 1
    assert "it needs 12 bytes more" in result.stderr


async def test_a_verification_fails_for_a_bad_file(server: ContractServer, call: Call) -> None:
    good = {"path": "config.json", "state": "ok", "size_bytes": 9}
    bad = {"path": "model.onnx", "state": "wrong_hash", "size_bytes": 63}
    for files, status in (([good], 0), ([good, bad], 1)):
        told = {"id": MODEL, "ok": status == 0, "checked_bytes": 72, "files": files}
        server.answer(f"POST /api/models/{MODEL}/verify", told)
        result = await call("verify", MODEL)
        assert result.exit_code == status
        assert ("sirene repair" in result.stderr) == (status == 1)


async def test_a_repair_is_followed_by_its_job(server: ContractServer, call: Call) -> None:
    job = {"id": MODEL, "job": "j1", "state": "queued"}
    server.answer(f"POST /api/models/{MODEL}/repair", job, 202)
    server.pulls = [events(progress(5), COMPLETE)]
    result = await call("repair", MODEL)
    assert result.exit_code == 0
    assert f"{MODEL} is whole" in result.stderr
    assert server.last_event_ids == ["j1/0"]


async def test_parts_are_listed_and_deleted(server: ContractServer, call: Call) -> None:
    part = {"id": MODEL, "writer": "box-1", "size_bytes": 5_000_000, "is_orphan": True}
    for method, arguments in (("GET", ()), ("DELETE", ("--delete",))):
        told = {"parts": [part], "total_bytes": 5_000_000}
        server.answer(f"{method} /api/downloads/parts", told)
        result = await call("parts", *arguments)
        assert result.exit_code == 0
        assert "orphan" in result.stdout
        assert "5.0 MB" in result.stderr
