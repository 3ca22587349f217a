"""`avelzoo plugins`: installed plugins, their components and their errors."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import asdict, replace
from typing import Annotated

import typer

from avelzoo.cli import render


def list_plugins(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List plugins, including broken and disabled ones.

    AVELZOO_LOAD_PLUGINS (allow-list; empty for none) and AVELZOO_DISABLE_PLUGINS, names separated by commas, select
    the installed plugins to load.
    """
    from avelzoo.cli.app import COMMANDS
    from avelzoo.cli.plugin_commands import add_plugin_commands
    from avelzoo.plugin.default import default_host
    from avelzoo.plugin.status import LOADED, PluginWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)  # the table shows the errors
        host = default_host()
    counts = [  # a failed plugin may have the name of a loaded one
        Counter(e.kind for e in host.registry.entries() if (e.plugin, LOADED) == (record.name, record.status))
        for record in host.records
    ]
    pairs = list(zip(host.records, counts, strict=True))
    for refusal in add_plugin_commands(typer.Typer(), host, COMMANDS):
        record = next(r for r in host.records if (r.name, r.status) == (refusal.plugin, LOADED))
        pairs.append((replace(record, status="broken", error=refusal.error), Counter()))
    if json:
        render.emit_json([asdict(record) | {"offers": dict(count)} for record, count in pairs])
        return
    rows = [
        (
            r.name,
            f"{r.distribution} {r.version}".strip(),
            r.status,
            _offers(count) or r.error or "no components",
            r.source,
        )
        for r, count in pairs
    ]
    render.console().print(render.table(("plugin", "distribution", "status", "components, or error", "source"), rows))


def _offers(count: Counter[str]) -> str:
    from avelzoo.cli.catalogue import PLURALS

    return ", ".join(f"{n} {kind if n == 1 else PLURALS[kind]}" for kind, n in count.items()) or "no components"
