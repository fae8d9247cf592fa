"""A fast hub for bench.pull: nginx on loopback, plain, capped and late per request, over TLS."""

import hashlib
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.waiting import until_true

COMMIT = "c" * 40
BLOCK_BYTES = 16 << 20
# Debian's libnginx-mod-http-echo: a request waits before it is answered.
ECHO_MODULE = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")
LATENCY_S = 0.02
START_S = 5.0


class Hub:
    def __init__(self, folder: Path, *, cap: str) -> None:
        self.root = folder / "hub"
        self.root.mkdir()
        self.certificate = folder / "certificate.pem"
        self._folder = folder
        self._cap = cap
        self._repos: dict[str, dict[str, int]] = {}
        self._ports = [_free_port() for _ in range(3)]
        plain, capped, tls = self._ports
        self.latency_s = LATENCY_S if ECHO_MODULE.exists() else 0.0
        """Before each answer of the capped server."""
        self.url = f"http://127.0.0.1:{plain}"
        self.capped_url = f"http://127.0.0.1:{capped}"
        self.tls_url = f"https://127.0.0.1:{tls}"

    def add(self, repo: str, sizes: list[int]) -> None:
        folder = self.root / repo
        folder.mkdir()
        block, hashes = os.urandom(BLOCK_BYTES), {}
        self._repos[repo] = {}
        for number, size in enumerate(sizes):
            name, digest = f"{repo}-{number}.bin", hashlib.sha256()
            with (folder / name).open("wb") as file:
                for start in range(0, size, BLOCK_BYTES):
                    piece = block[: size - start]
                    file.write(piece)
                    digest.update(piece)
            self._repos[repo][name] = size
            hashes[name] = [size, digest.hexdigest()]
        (self.root / f"{repo}.hashes").write_text(json.dumps(hashes))
        listing = {"id": f"acme/{repo}", "modelId": f"acme/{repo}", "sha": COMMIT}
        siblings = [{"rfilename": name, "size": size} for name, size in self._repos[repo].items()]
        (self.root / f"{repo}.json").write_text(json.dumps(listing | {"siblings": siblings}))

        tree = [
            {"type": "file", "path": name, "size": size, "oid": "0" * 40}
            for name, size in self._repos[repo].items()
        ]
        (self.root / f"{repo}.tree").write_text(json.dumps(tree))

    def paths(self, repo: str) -> list[str]:
        return list(self._repos[repo])

    def size(self, repo: str) -> int:
        return sum(self._repos[repo].values())

    @contextmanager
    def serve(self) -> Iterator[None]:
        key = self._folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", key, "-out", self.certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        config = self._folder / "nginx.conf"
        config.write_text(self._config(key))
        process = subprocess.Popen(["nginx", "-p", self._folder, "-c", config])
        try:
            for port in self._ports:
                _wait_for(port)
            yield
        finally:
            process.terminate()
            process.wait(10)

    def _config(self, key: Path) -> str:
        plain, capped, tls = self._ports
        files = f"""
            location ~ ^/acme/([a-z]+)/resolve/[^/]+/(.+)$ {{
                alias {self.root}/$1/$2; add_header X-Repo-Commit {COMMIT};
            }}
            location ~ ^/api/models/acme/([a-z]+)/tree/ {{
                default_type application/json; alias {self.root}/$1.tree;
            }}
            location ~ ^/api/models/acme/([a-z]+) {{
                default_type application/json; alias {self.root}/$1.json;
            }}"""
        module, late = "", files
        if self.latency_s:
            module = f"load_module {ECHO_MODULE};"
            inner = files.replace("location ~ ^/", "location ~ ^/late/")
            late = f"""
                location ~ ^/(acme|api)/ {{ echo_sleep {self.latency_s}; echo_exec /late$uri; }}
                {inner}"""
        return f"""
            {module}
            daemon off; worker_processes 2; pid {self._folder}/nginx.pid;
            error_log {self._folder}/error.log; user root;
            events {{ worker_connections 256; }}
            http {{
                access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
                default_type application/octet-stream;
                server {{ listen 127.0.0.1:{plain}; {files} }}
                server {{ listen 127.0.0.1:{capped}; limit_rate {self._cap}; {late} }}
                server {{ listen 127.0.0.1:{tls} ssl; ssl_certificate {self.certificate};
                    ssl_certificate_key {key}; {files} }}
            }}"""


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int) -> None:
    def answers() -> bool:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    if not until_true(answers, within_s=START_S):
        raise SystemExit("nginx did not start")
