"""Generates pages and pictures of the documentation from code and data: catalogue, command reference, layers, charts.

Usage: ``python scripts/gen_docs.py`` writes them; with ``--check`` nothing is written, and the exit code is 1 if a page
is not what would be written.
"""

from __future__ import annotations

import argparse
import inspect
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from docs_benchmarks import benchmark_pages
from docs_catalogue import PARTS, catalogue
from docs_commands import commands
from docs_heads import heads_pages
from docs_markdown import NOTE
from docs_performance import performance_pages
from docs_scale import scale_pages
from pictures import pictures

from avelzoo.plugin.host import PluginHost

PLUGINS = ("baselines", "ray", "ov-ave")
"""This repository's plugins with components; the pages do not depend on other installed plugins."""
DOCS = Path(__file__).resolve().parent.parent / "docs"


def layers() -> Iterator[str]:
    """Every public layer, by the module it lives in."""
    nn = import_module("avelzoo.nn")
    yield from ("# Layers", "", NOTE, "", "Shared layers, public for plugin authors: batch first, channels last.", "")
    homes: dict[str, list[str]] = {}
    for name in nn.__all__:
        homes.setdefault(getattr(nn, name).__module__, []).append(name)
    for home, names in sorted(homes.items()):
        title = home.rpartition(".")[2].replace("_", " ").capitalize()
        yield from (f"## {title}", "", (import_module(home).__doc__ or "").partition("\n\n")[0].replace("\n", " "), "")
        for name in names:
            members = "[forward]" if inspect.isclass(getattr(nn, name)) else "[]"
            yield from (f"::: {home}.{name}", "    options:", "      heading_level: 3", f"      members: {members}", "")


def navigation(site: str) -> str:
    """``mkdocs.yml`` with a line for every ledger page, titled as the page is."""
    head, start, rest = site.partition("  - Ledgers:")
    comment, _, rest = rest.partition("\n")
    after = rest[rest.index("\n  - ") + 1 :]
    lines = [f'      - "{ledger_title(page)}": ledger/{page.name}' for page in sorted((DOCS / "ledger").glob("*.md"))]
    return head + start + comment + "\n" + "\n".join(lines) + "\n" + after


def ledger_title(page: Path) -> str:
    """The first heading of a ledger page, without the word all of them begin with."""
    return page.read_text("utf-8").partition("\n")[0].removeprefix("# ").removeprefix("Ledger: ")


def pages() -> dict[Path, str]:
    """Every generated page and its text."""
    os.environ["AVELZOO_LOAD_PLUGINS"] = ""  # the pages are the same whatever is installed here
    host = PluginHost(entry_points=False)
    for name in PLUGINS:
        sys.path.append(str(DOCS.parent / "plugins" / f"avelzoo-{name}" / "src"))  # where it is not installed yet
        host.add(import_module(f"avelzoo_{name.replace('-', '_')}.plugin"), name=name)
    site = DOCS.parent / "mkdocs.yml"
    return {
        site: navigation(site.read_text("utf-8")),
        **{DOCS / part.file: "\n".join(catalogue(host.registry, part)).rstrip() + "\n" for part in PARTS},
        DOCS / "commands.md": "\n".join(commands()).rstrip() + "\n",
        **benchmark_pages(),
        **performance_pages(),
        **scale_pages(),
        **heads_pages(),
        **pictures(),
        DOCS / "api" / "nn.md": "\n".join(layers()).rstrip() + "\n",
    }


def main() -> int:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    wanted = pages()
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        name = path.relative_to(DOCS.parent)
        if check:
            print(f"{name} is not up to date; run: python scripts/gen_docs.py", file=sys.stderr)
        else:
            path.write_text(wanted[path], encoding="utf-8")
            print(f"wrote {name}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
