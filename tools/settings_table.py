#!/usr/bin/env python3
"""Prints the README's table of settings, from the services' own; a test compares the two."""

import msgspec

from sirene_api.settings import Settings as ApiSettings
from sirene_downloader.settings import Settings as DownloaderSettings
from sirene_inference.settings import Settings as InferenceSettings
from sirene_shared.settings import describe, repository_folder

SERVICES = {
    "api": ApiSettings,
    "downloader": DownloaderSettings,
    "inference": InferenceSettings,
}


def rows() -> list[str]:
    """One row a variable, with the services that read it."""
    found: dict[str, tuple[str, str, list[str]]] = {}
    for service, kind in SERVICES.items():
        for setting in describe(kind):
            names = ", ".join(f"`{name}`" for name in setting.names)
            shown = _default(setting.default)
            found.setdefault(names, (setting.help, shown, []))[2].append(service)
    return [
        "| variable | meaning | default | read by |",
        "|---|---|---|---|",
        *(
            f"| {names} | {text} | {default} | {_readers(by)} |"
            for names, (text, default, by) in sorted(found.items())
        ),
    ]


def _readers(services: list[str]) -> str:
    return "all" if len(services) == len(SERVICES) else ", ".join(services)


def _default(value: object) -> str:
    if value == repository_folder("manifests"):
        return "`manifests/`"
    if value is None or value == "" or value is msgspec.NODEFAULT:
        return ""
    return f"`{int(value) if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    print(*rows(), sep="\n")
