"""What `sirene up` was asked for, with every default already chosen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_PORT = 8080


@dataclass(frozen=True, kw_only=True)
class Plan:
    data: Path
    models: Path
    services: tuple[str, ...]
    """Which of downloader, inference and api, in the order of their start."""
    host: str = "127.0.0.1"
    port: int | None = None
    """None: DEFAULT_PORT or the next free one."""
    nats_url: str | None = None
    """A server that runs already; None: one of our own."""
    environ: Mapping[str, str] = field(default_factory=dict)
    opens_browser: bool = False
    has_ui: bool = True
    """Unless SIRENE_UI says no."""
    log_format: str = "text"
    pulls: tuple[str, ...] = ()
    """Models to install at the start."""

    @property
    def run_folder(self) -> Path:
        """The lock, and the addresses of what runs."""
        return self.data / "run"

    @property
    def nats_folder(self) -> Path:
        return self.data / "nats"
