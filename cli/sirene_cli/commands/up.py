"""`sirene up`: the flags; what they start is in sirene_cli.up."""

from pathlib import Path

import click

from sirene_cli import folders
from sirene_cli.context import MODEL, Context, pass_context

SERVICES = ("downloader", "inference", "api")


@click.command()
@click.option("--host", envvar="SIRENE_HOST", default="127.0.0.1", show_default=True)
@click.option(
    "--port",
    envvar="SIRENE_PORT",
    type=click.IntRange(0, 65535),
    help="Default: 8080, or the next free one. 0: any free one.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Models, bus and logs.  [env: SIRENE_DATA; default: ~/.local/share/sirene]",
)
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(SERVICES),
    help="Start this service alone; may be repeated.",
)
@click.option(
    "--ui/--no-ui",
    "has_ui",
    envvar="SIRENE_UI",
    default=True,
    help="Whether the page is the web UI, or a plain one.  [default: the web UI]",
)
@click.option("--open", "opens_browser", is_flag=True, help="Open the page when it is ready.")
@click.option(
    "--log-format",
    envvar="SIRENE_LOG_FORMAT",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
)
@click.option("--pull", "pulls", multiple=True, type=MODEL, help="Install this model at the start.")
@pass_context
def up(
    context: Context,
    host: str,
    port: int | None,
    data: Path | None,
    only: tuple[str, ...],
    has_ui: bool,
    opens_browser: bool,
    log_format: str,
    pulls: tuple[str, ...],
) -> None:
    """Start all of Sirene on this machine, until Ctrl-C.

    The bus is a NATS server of its own, unless NATS_URL names one. A second Ctrl-C ends
    everything at once.
    """
    # Only now: what it imports exists on Unix alone, and no other command needs it.
    from sirene_cli.up.plan import Plan
    from sirene_cli.up.run import start

    data = data.absolute() if data else folders.default_data(context.environ)
    plan = Plan(
        host=host,
        port=port,
        data=data,
        models=folders.models(data, context.environ),
        services=tuple(name for name in SERVICES if not only or name in only),
        environ=context.environ,
        nats_url=context.environ.get("NATS_URL", "").strip() or None,
        opens_browser=opens_browser,
        has_ui=has_ui,
        log_format=log_format,
        pulls=pulls,
    )
    start(plan)
