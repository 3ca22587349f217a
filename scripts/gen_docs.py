"""Writes the pages that the program itself knows best: the catalogue and the command reference.

python scripts/gen_docs.py           # write them
python scripts/gen_docs.py --check   # exit 1 if a written page is not what would be written
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from avelzoo.components import KINDS, ComponentConfig, Supervision
from avelzoo.config import Option, options
from avelzoo.errors import AvelzooError
from avelzoo.host import PluginHost
from avelzoo.papers import PAPERS
from avelzoo.recipe import SLOTS, Recipe
from avelzoo.registry import Entry, Registry

DOCS = Path(__file__).resolve().parent.parent / "docs"
NOTE = "<!-- Written by scripts/gen_docs.py; edit the docstrings and options it reads, not this page. -->"
PLURALS = {
    "dataset": "Data sets",
    "encoder": "Encoders",
    "memory": "Memories",
    "head": "Heads",
    "objective": "Objectives",
}
SETTINGS: tuple[Supervision, ...] = ("full", "weak")


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A Markdown table."""
    header = list(header)
    yield "| " + " | ".join(header) + " |"
    yield "|" + " --- |" * len(header)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield ""


def shown(value: Any) -> str:
    """A value as one would type it."""
    if isinstance(value, list | tuple):
        return "`" + ",".join(map(str, value)) + "`" if value else "none"
    if value is None:
        return "none"
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


def option_row(option: Option) -> tuple[str, str, str, str]:
    """Name, type, default and meaning of an option."""
    return f"`{option.name}`", option.type_name, shown(option.default), option.help


def cited(key: str) -> str:
    """A paper in one line."""
    return str(PAPERS[key]) if key in PAPERS else "our own"


# -- catalogue -------------------------------------------------------------------------------------------------------


def catalogue(registry: Registry) -> Iterator[str]:
    """Every recipe and every component that comes with avelzoo."""
    yield from ("# Catalogue", "", NOTE, "")
    yield from (
        "What comes with avelzoo, read off the registry. `avelzoo list` prints the same for your own environment, with",
        "what installed plugins add; `avelzoo show KIND NAME` prints one entry.",
        "",
        "## Recipes",
        "",
    )
    entries = registry.entries("recipe")
    yield from table(
        ("recipe", "paper", "what it is"), ((f"[{e.name}](#{e.name})", paper(e), e.summary) for e in entries)
    )
    for entry in entries:
        yield from recipe_section(registry, entry)
    for kind in KINDS:
        yield from (f"## {PLURALS[kind]}", "")
        for entry in registry.entries(kind):
            yield from component_section(entry)


def variants(entry: Entry) -> dict[Supervision, Recipe]:
    """A recipe in every setting it exists in."""
    made: dict[Supervision, Recipe] = {}
    for setting in SETTINGS:
        try:
            made[setting] = entry.target(setting)
        except AvelzooError:  # the system was not published in this setting
            continue
    return made


def paper(entry: Entry) -> str:
    """Key of the paper of a recipe."""
    return next(iter(variants(entry).values())).paper


def recipe_section(registry: Registry, entry: Entry) -> Iterator[str]:
    """Composition, values that are not a component's default, published scores."""
    made = variants(entry)
    first = next(iter(made.values()))
    yield from (f"### {entry.name}", "", first.summary + ".", "", f"Paper: {cited(first.paper)}.", "")
    rows = []
    for slot in SLOTS:
        name = slot_name(registry, first, slot)
        names = {slot_name(registry, recipe, slot) for recipe in made.values()}
        if len(names) > 1:
            name = ", ".join(f"{slot_name(registry, r, slot)} ({s})" for s, r in made.items())
        rows.append((slot, name, ", ".join(changes(made, slot)) or "defaults"))
    yield from table(("slot", "component", "values other than the component's defaults"), rows)
    if first.published:
        scores = ((p.supervision, p.features, f"{p.segment_accuracy:.1%}", p.source) for p in first.published)
        yield from table(("supervision", "features", "published segment accuracy", "source"), scores)


def slot_name(registry: Registry, recipe: Recipe, slot: str) -> str:
    """What fills a slot, as a link to its section."""
    if slot not in KINDS:
        return "Adam"
    entry = registry.entry_of(recipe.components()[slot])
    return f"[{entry.name}](#{anchor(entry)})" if entry else type(recipe.slot(slot)).__name__


def changes(made: dict[Supervision, Recipe], slot: str) -> Iterator[str]:
    """``option = value`` where a recipe departs from a default; the setting is named where the two differ."""
    configs = {setting: recipe.slot(slot) for setting, recipe in made.items()}
    said = {
        setting: {
            o.name: shown(value) for o in options(type(config)) if (value := getattr(config, o.name)) != o.default
        }
        for setting, config in configs.items()
    }
    for name in dict.fromkeys(name for values in said.values() for name in values):
        values = {setting: said[setting].get(name) for setting in said}
        if len(set(values.values())) == 1:
            yield f"`{name}` = {next(iter(values.values()))}"
        else:
            yield from (f"`{name}` = {value} ({setting})" for setting, value in values.items() if value)


def anchor(entry: Entry) -> str:
    """The id of a component's heading."""
    return f"{entry.kind}-{entry.name}"


def component_section(entry: Entry) -> Iterator[str]:
    """What a component is, what it needs and gives, its options."""
    config: type[ComponentConfig] = entry.target
    default = config()
    yield from (f"### {entry.name} {{ #{anchor(entry)} }}", "", inspect.getdoc(config) or "", "")
    facts = [f"Paper: {cited(config.paper)}." if config.paper else "Paper: none, our own."]
    if config.supervisions != SETTINGS:
        facts.append(f"Works under {' and '.join(config.supervisions)} supervision only.")
    if default.requires:
        facts.append("Needs " + ", ".join(" or ".join(n.split("|")) for n in sorted(default.requires)) + ".")
    if default.provides:
        facts.append("Gives " + ", ".join(sorted(default.provides)) + ".")
    yield from (" ".join(facts), "")
    if options(config):
        yield from table(("option", "type", "default", "what it does"), map(option_row, options(config)))


# -- writing ---------------------------------------------------------------------------------------------------------


def pages() -> dict[Path, str]:
    """Every generated page and its text."""
    registry = PluginHost(entry_points=False).registry
    return {DOCS / "catalogue.md": "\n".join(catalogue(registry)).rstrip() + "\n"}


def main() -> int:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        if check:
            print(f"docs/{path.name} is not up to date; run: python scripts/gen_docs.py", file=sys.stderr)
        else:
            path.write_text(pages()[path], encoding="utf-8")
            print(f"wrote docs/{path.name}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
