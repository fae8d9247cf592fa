"""How fast a pull is, beside curl, aria2c, `hf download` and what the machine can do at all.

    python -m bench.pull [--size 2GB] [--rounds 3] [--cap 30m] [--rows big,eleven,capped,tls]

One nginx on loopback serves all of them, in turns, in one run. Sirene verifies sha256 and fsyncs;
the others do neither. Sirene is a service: its clock starts with the transfer, not with the
interpreter, which is part of the others' time (tenths of a second for hf). The capped row is late
too: each request is answered after 20 ms, where nginx's echo module is installed. That is the
latency of asking, not of TCP's windows.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.pull_hub import Hub
from sirene_shared.settings import parse_bytes

ELEVEN = [0.5, 0.2, 0.1, 0.1, 0.05, 0.02, 0.01, 0.01, 0.005, 0.004, 0.001]


class Measured(NamedTuple):
    mb_s: float
    cpu_s_gb: float
    memory_mb: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=parse_bytes, default=parse_bytes("2GB"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cap", default="30m", help="of each connection, as nginx has it")
    parser.add_argument("--rows", default="big,eleven,capped,tls")
    parser.add_argument("--folder", type=Path, help="on the filesystem to measure")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        hub = Hub(Path(folder), cap=chosen.cap)
        hub.add("big", [chosen.size])
        hub.add("eleven", [int(chosen.size * share / sum(ELEVEN)) for share in ELEVEN])
        with hub.serve():
            load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
            print(
                f"{chosen.size / 1e9:.2f} GB, {os.cpu_count()} cores, medians of {chosen.rounds};"
                f" load before: {load}; capped answers wait {1000 * hub.latency_s:.0f} ms"
            )
            for row in chosen.rows.split(","):
                measure(row, hub, Path(folder), chosen.rounds)


def measure(row: str, hub: Hub, folder: Path, rounds: int) -> None:
    repo = "eleven" if row == "eleven" else "big"
    url = {"capped": hub.capped_url, "tls": hub.tls_url}.get(row, hub.url)
    commands = contenders(row, repo, url, hub, folder / "out")
    seen: dict[str, list[Measured]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            with emptied(folder / "out"):
                seen[name].append(timed(command, hub.size(repo), hub.certificate))
    print(f"\n{row:22} MB/s  CPU s/GB  memory MB")
    ours = 0.0
    for name, rows in seen.items():
        mb_s, cpu, memory = (statistics.median(values) for values in zip(*rows, strict=True))
        ours = ours or mb_s
        print(f"{name:20} {mb_s:6.0f} {cpu:9.2f} {memory:10.0f}   sirene is {ours / mb_s:.2f} x it")
    sys.stdout.flush()


def contenders(row: str, repo: str, url: str, hub: Hub, out: Path) -> dict[str, list[str]]:
    """The first is Sirene."""
    paths = hub.paths(repo)
    links = [f"{url}/acme/{repo}/resolve/main/{path}" for path in paths]
    python = sys.executable
    found = {"sirene": [python, "-m", "bench.pull_engine", url, repo, str(hub.root), str(out)]}
    if row == "big":
        found["the machine's limit"] = [
            python, "-m", "bench.pull_limit", links[0], str(out / "limit"),
        ]  # fmt: skip
    if shutil.which("curl"):
        each = [part for link in links for part in ("-O", link)]
        found["curl"] = [
            "curl",
            "-sSZ",
            "--no-progress-meter",
            "--cacert",
            str(hub.certificate),
            "--output-dir",
            str(out),
        ]
        found["curl"] += each
    if shutil.which("aria2c"):
        found["aria2c -x16"] = [
            "aria2c", "-q", "-x16", "-s16", "-k1M", "-Z", "--file-allocation=none",
            f"--ca-certificate={hub.certificate}", f"-d{out}", *links,
        ]  # fmt: skip
    found["hf download"] = [
        str(Path(python).with_name("hf")), "download", f"acme/{repo}", "--local-dir", str(out),
    ]  # fmt: skip
    found["hf download"] = ["env", f"HF_ENDPOINT={url}", *found["hf download"]]
    return found


@contextmanager
def emptied(out: Path) -> Iterator[None]:
    out.mkdir()
    try:
        yield
    finally:
        shutil.rmtree(out)


def timed(command: list[str], size: int, certificate: Path) -> Measured:
    environment: Mapping[str, str] = os.environ | {
        "SSL_CERT_FILE": str(certificate),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "NO_PROXY": "*",
        "no_proxy": "*",
    }
    began = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    told = process.stdout.read().split()
    _, status, used = os.wait4(process.pid, 0)
    took_s = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    cpu_s = used.ru_utime + used.ru_stime
    if "bench.pull_engine" in command:
        took_s, cpu_s = map(float, told)
    return Measured(size / took_s / 1e6, cpu_s / size * 1e9, used.ru_maxrss / 1e3)


if __name__ == "__main__":
    main()
