"""Writes manifests/piper.json from rhasspy's list of every published voice.

    python tools/piper_catalogue.py voices.json

voices.json lies at https://huggingface.co/rhasspy/piper-voices. It names no licences: each voice's
is in its MODEL_CARD. Those that were read are in LICENSES; of the others the card is installed too.
"""

import json
import sys
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "manifests" / "piper.json"
REPO = "https://huggingface.co/rhasspy/piper-voices/resolve/main/"
DEFAULT = "fr_FR-siwis-medium"
CARD = "MODEL_CARD"
IN_CARD = f"see {CARD}"
# As their cards tell them.
LICENSES = {
    "fr_FR-siwis-medium": "CC-BY-4.0",
    "en_US-lessac-medium": "Blizzard-2013 (research, non-commercial)",
    "de_DE-thorsten-medium": "CC0-1.0",
    "en_GB-alba-medium": "CC-BY-4.0",
    "en_US-ljspeech-medium": "Public domain",
}
# By one voice that was measured: the weights, the engine's copies of them, and the engine.
MEMORY_BASE_BYTES, MEMORY_PER_BYTE = 60_000_000, 1.6


def main() -> None:
    published = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    # The names of files and voices are ASCII here, which leaves one voice out (pt_PT-tugão-medium).
    usual = sorted(key for key in published if key.isascii())
    variants = {key: _variant(published[key]) for key in usual}
    manifest = {
        "name": "piper",
        "description": "Piper: small, fast voices that run on any CPU",
        "backend": "piper",
        "license": IN_CARD,
        "variants": variants,
        "defaults": {"variant": DEFAULT, "sample_rate": 22050},
    }
    FILE.write_text(_written(manifest), encoding="utf-8")


def _variant(voice: dict[str, Any]) -> dict[str, Any]:
    code = voice["language"]["code"]
    language = code.replace("_", "-")
    files, size = [], 0
    for source, about in sorted(voice["files"].items()):
        name = source.rpartition("/")[2]
        if name == CARD and voice["key"] in LICENSES:
            continue
        path = f"model{name.removeprefix(voice['key'])}" if name != CARD else name
        files.append(
            {
                "path": path,
                "source": source,
                "size": about["size_bytes"],
                "md5": about["md5_digest"],
            }
        )
        size += about["size_bytes"]
    title = voice["name"].replace("_", " ").title()
    speakers = sorted(voice["speaker_id_map"], key=voice["speaker_id_map"].__getitem__)
    voices = [{"id": speaker, "name": f"{title} {speaker}"} for speaker in speakers] or [
        {"id": voice["name"], "name": f"{title} ({voice['quality']})"}
    ]
    weights = max(file["size"] for file in files)
    variant: dict[str, Any] = {
        "files": files,
        "url": REPO,
        "languages": [language],
        "voices": [each | {"language": language} for each in voices],
        "memory": int(round(MEMORY_BASE_BYTES + MEMORY_PER_BYTE * weights, -7)),
    }
    if license := LICENSES.get(voice["key"]):
        variant["license"] = license
    return variant


def _written(manifest: dict[str, Any]) -> str:
    """One line for each file and each voice, so that a change is seen where it is."""
    marks: dict[str, str] = {}

    def marked(value: Any, name: str = "") -> Any:
        if name in ("files", "voices"):
            return [_mark(marks, each) for each in value]
        if isinstance(value, dict):
            return {key: marked(each, key) for key, each in value.items()}
        return value

    text = json.dumps(marked(manifest), indent=2, ensure_ascii=False)
    for mark, line in marks.items():
        text = text.replace(f'"{mark}"', line, 1)
    return text + "\n"


def _mark(marks: dict[str, str], value: object) -> str:
    mark = f"@{len(marks)}@"
    marks[mark] = json.dumps(value, ensure_ascii=False)
    return mark


if __name__ == "__main__":
    main()
