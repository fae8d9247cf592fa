"""The pages that people see: plain HTML that loads nothing from anywhere."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from sirene_api.views import ModelView
from sirene_shared.messages import InstallState
from sirene_shared.web_ui import BUILD_COMMAND, Missing

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --mark: #0a7a5a }
@media (prefers-color-scheme: dark) { :root { --mark: #3ecf9b } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2.5rem auto;
  padding: 0 1rem }
h1 { margin: 0; letter-spacing: -.02em } h2 { margin: 2rem 0 .5rem; font-size: 1.1rem }
p.lead { margin: .25rem 0 1.5rem; opacity: .75 } a { color: var(--mark) }
table { border-collapse: collapse; width: 100% } th { text-align: left; font-weight: 600 }
th, td { padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
td.number { text-align: right; white-space: nowrap } th.number { text-align: right }
code { font: .92em ui-monospace, monospace; background: var(--soft); padding: .1em .35em;
  border-radius: .25em; overflow-wrap: anywhere }
.state, td.route { white-space: nowrap } .installed { color: var(--mark); font-weight: 600 }
.failed, .damaged, .notice { color: #c0392b } .note { opacity: .7; font-size: .9em }
"""
_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
# The one inline style is allowed by its digest; nothing else may load or run.
SECURITY_HEADERS = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "referrer-policy": "same-origin",
    "cache-control": "no-cache",
}


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}</body></html>"
    )


def start_page(
    models: Sequence[ModelView], *, has_state: bool, no_ui: Missing | None = None
) -> str:
    """The models with their state, and the way to everything else."""
    notice = (
        ""
        if has_state
        else '<p class="notice">The message bus is away: what is installed is unknown.</p>'
    )
    rows = "".join(_model_row(view, has_state=has_state) for view in models)
    return _page(
        "Sirene",
        "<header><h1>Sirene</h1>"
        '<p class="lead">Text to speech on your own machine. '
        '<a href="/schema">API</a> · <a href="/api/health/ready">health</a></p></header>'
        f"<main>{_why_plain(no_ui)}{notice}<table><thead><tr><th>Model</th><th>Licence</th>"
        f'<th class="number">Size</th><th>State</th></tr></thead><tbody>{rows}</tbody></table>'
        "<h2>Install and speak</h2><p><code>sirene pull piper</code> "
        "<code>sirene say &quot;Bonjour&quot; -o out.wav</code></p></main>",
    )


def _why_plain(no_ui: Missing | None) -> str:
    if no_ui is None:
        return ""
    how = f" Build it: <code>{escape(BUILD_COMMAND)}</code>" if no_ui.can_be_built else ""
    return f'<p class="note">There is no web UI here: {escape(no_ui.reason)}.{how}</p>'


def _model_row(view: ModelView, *, has_state: bool) -> str:
    state, note = _state(view) if has_state else "unknown", ""
    if view.error:
        note = f'<br><span class="note">{escape(view.error.message)}</span>'
    loaded = " · in memory" if view.loaded else ""
    gated = " · gated" if view.gated else ""
    languages = f" · {', '.join(view.languages)}" if view.languages else ""
    return (
        f"<tr><td><code>{escape(view.id)}</code><br>"
        f'<span class="note">{escape(view.description + languages)}</span></td>'
        f"<td>{escape(view.license)}{gated}</td>"
        f'<td class="number">{_size(view.installed_bytes or view.size_bytes)}</td>'
        f'<td><span class="state {escape(str(view.state))}">{escape(state)}{loaded}</span>{note}'
        "</td></tr>"
    )


def _state(view: ModelView) -> str:
    if view.state is InstallState.ABSENT:
        return "not installed"
    if view.transfer and view.transfer.percent is not None:
        return f"{view.state} {view.transfer.percent:.0f} %"
    return str(view.state)


def _size(size_bytes: int | None) -> str:
    if not size_bytes:
        return "–"
    mega = size_bytes / 1e6
    return f"{mega / 1000:.1f} GB" if mega >= 1000 else f"{mega:.0f} MB"


def schema_page(schema: Mapping[str, Any], *, document: str) -> str:
    """The routes of an OpenAPI document; document: where it lies."""
    sections = "".join(
        f"<h2>{escape(tag)}</h2><table><tbody>{''.join(rows)}</tbody></table>"
        for tag, rows in _rows_by_tag(schema["paths"]).items()
    )
    info = schema["info"]
    return _page(
        info["title"],
        f'<header><h1>{escape(info["title"])}</h1><p class="lead">'
        f"{escape(info.get('description') or '')} Version {escape(info['version'])}. "
        f'<a href="{escape(document)}">OpenAPI document</a> · <a href="/">models</a></p></header>'
        f"<main>{sections}</main>",
    )


def _rows_by_tag(paths: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    for path, item in sorted(paths.items()):
        for method, operation in item.items():
            if not isinstance(operation, Mapping) or "responses" not in operation:
                continue
            tag = next(iter(operation.get("tags") or ["other"]))
            sections.setdefault(tag, []).append(_route_row(method, path, operation))
    return dict(sorted(sections.items()))


def _route_row(method: str, path: str, operation: Mapping[str, Any]) -> str:
    text = operation.get("description") or operation.get("summary") or ""
    return (
        f'<tr><td class="route"><code>{escape(method.upper())} {escape(path)}</code></td>'
        f"<td>{_paragraphs(text)}{_answers(operation['responses'])}</td></tr>"
    )


def _paragraphs(text: str) -> str:
    parts: Iterable[str] = text.split("\n\n")
    return "<br>".join(escape(" ".join(part.split())) for part in parts)


def _answers(responses: Mapping[str, Mapping[str, Any]]) -> str:
    told = (
        # What a success is, the route's own text says.
        escape(status if status < "300" else f"{status} {answer.get('description') or ''}")
        for status, answer in sorted(responses.items())
    )
    return f'<br><span class="note">{" · ".join(told)}</span>'
