"""Writes the pages that the program itself knows best: the catalogue, the command reference, the layers.

Usage: ``python scripts/gen_docs.py`` writes them; with ``--check`` nothing is written, and the exit code is 1 if a page
is not what would be written.
"""

from __future__ import annotations

import argparse
import inspect
import os
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

from typer.models import ArgumentInfo, CommandInfo, OptionInfo

from avelzoo.cli.app import COMMANDS, build_app
from avelzoo.cli.catalogue import PLURALS, details, recipes_of, row
from avelzoo.components import KINDS, Supervision
from avelzoo.config import Config, options
from avelzoo.host import PluginHost
from avelzoo.recipe import SLOTS, Recipe
from avelzoo.registry import Entry, Registry

DOCS = Path(__file__).resolve().parent.parent / "docs"
NOTE = "<!-- Written by scripts/gen_docs.py; edit the docstrings and options it reads, not this page. -->"
HEADINGS = {"dataset": "Data sets", "memory": "Memories"}
BOTH = ["full", "weak"]


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A Markdown table."""
    header = list(header)
    yield "| " + " | ".join(header) + " |"
    yield "|" + " --- |" * len(header)
    for cells in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def shown(value: Any) -> str:
    """A value as one would type it."""
    if isinstance(value, list | tuple):
        return f"`{','.join(map(str, value))}`" if value else "none"
    if value is None:
        return "none"
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


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
    recipes = [(entry, row(entry)) for entry in registry.entries("recipe")]
    links = ((f"[{e.name}](#{anchor(e)})", data["summary"]) for e, data in recipes)
    yield from table(("recipe", "what it is"), links)
    for entry, data in recipes:
        yield from recipe_section(registry, entry, data)
    for kind in KINDS:
        yield from (f"## {HEADINGS.get(kind, PLURALS[kind].capitalize())}", "")
        for entry in registry.entries(kind):
            yield from component_section(entry)
    yield from papers(registry)


def recipe_section(registry: Registry, entry: Entry, data: dict[str, Any]) -> Iterator[str]:
    """Composition, values that are not a component's default, published scores."""
    made = recipes_of(entry)
    yield from (f"### {entry.name} {{ #{anchor(entry)} }}", "", f"{data['summary']}. {source(data)}", "")
    rows = []
    for slot in SLOTS:
        fills = {setting: slot_name(registry, recipe, slot) for setting, recipe in made.items()}
        same = len(set(fills.values())) == 1
        name = next(iter(fills.values())) if same else ", ".join(f"{name} ({s})" for s, name in fills.items())
        rows.append((slot, name, ", ".join(changes(made, slot)) or "defaults"))
    yield from table(("slot", "component", "values other than the component's defaults"), rows)
    if data["published"]:
        scores = [
            (p["supervision"], p["features"], f"{p['segment_accuracy']:.1%}", p["source"]) for p in data["published"]
        ]
        yield from table(("supervision", "features", "published segment accuracy", "source"), scores)


def slot_name(registry: Registry, recipe: Recipe, slot: str) -> str:
    """What fills a slot, as a link to its section."""
    if slot not in KINDS:
        return "Adam"
    entry = registry.entry_of(recipe.components()[slot])
    return f"[{entry.name}](#{anchor(entry)})" if entry else type(recipe.slot(slot)).__name__


def changes(made: dict[Supervision, Recipe], slot: str) -> Iterator[str]:
    """``option = value`` where a recipe departs from a default; the setting is named where the two differ."""
    said = {setting: departures(recipe.slot(slot)) for setting, recipe in made.items()}
    for name in dict.fromkeys(name for values in said.values() for name in values):
        values = {setting: said[setting].get(name) for setting in said}
        if len(set(values.values())) == 1:
            yield f"`{name}` = {next(iter(values.values()))}"
        else:
            yield from (f"`{name}` = {value} ({setting})" for setting, value in values.items() if value)


def departures(config: Config) -> dict[str, str]:
    """The options of a config that are not at their defaults."""
    values = {o.name: (getattr(config, o.name), o.default) for o in options(type(config))}
    return {name: shown(value) for name, (value, default) in values.items() if value != default}


def anchor(entry: Entry) -> str:
    """The id of an entry's heading."""
    return f"{entry.kind}-{entry.name}"


def source(data: dict[str, Any]) -> str:
    """The paper of an entry, in a sentence."""
    return f"Paper: [{data['paper']}](#paper-{data['paper']})." if data["paper"] else "Our own."


def papers(registry: Registry) -> Iterator[str]:
    """What is cited above."""
    yield from ("## Papers", "")
    for key, paper in sorted(registry.papers.items()):
        code = f" Code: [{paper.code}](https://github.com/{paper.code})." if paper.code else ""
        yield from (f"### {key} {{ #paper-{key} }}", "", f"{paper}.{code}", "")


def component_section(entry: Entry) -> Iterator[str]:
    """What a component is, what it needs and gives, its options."""
    data = details(entry)
    yield from (f"### {entry.name} {{ #{anchor(entry)} }}", "", data["documentation"], "")
    facts = [source(data)]
    if entry.target.fidelity:
        facts.append(f"Follows it: {entry.target.fidelity}.")
    if data["supervisions"] != BOTH:
        facts.append(f"Works under {' and '.join(data['supervisions'])} supervision only.")
    if data["requires"]:
        facts.append("Needs " + ", ".join(f"`{need}`".replace("|", "` or `") for need in data["requires"]) + ".")
    if data["provides"]:
        facts.append("Gives " + ", ".join(f"`{gift}`" for gift in data["provides"]) + ".")
    yield from (" ".join(facts), "")
    if entry.target.assumptions:
        yield from ("Assumed, as no published source says so:", "", *(f"- {a}" for a in entry.target.assumptions), "")
    if data["options"]:
        rows = ((f"`{o['name']}`", o["type"], shown(o["default"]), o["help"]) for o in data["options"])
        yield from table(("option", "type", "default", "what it does"), rows)


# -- commands --------------------------------------------------------------------------------------------------------


def commands() -> Iterator[str]:
    """Every command with its arguments and options."""
    yield from ("# Command reference", "", NOTE, "")
    yield from ("`avelzoo COMMAND --help` prints the same; [Commands](cli.md) says how they go together.", "")
    for name in COMMANDS:
        app = build_app([name])
        yield from (line for info in app.registered_commands if info.name == name for line in command_section("", info))
        for group in app.registered_groups:
            for info in group.typer_instance.registered_commands if group.typer_instance else []:
                yield from command_section(f"{name} ", info)


def command_section(prefix: str, info: CommandInfo) -> Iterator[str]:
    """One command: usage, what it does, arguments, options."""
    callback = info.callback or (lambda: None)
    path = f"avelzoo {prefix}{info.name or callback.__name__.replace('_', '-')}"
    arguments, flags = [], []
    for parameter in inspect.signature(callback, eval_str=True).parameters.values():
        hint, told = get_args(parameter.annotation)[:2]
        if isinstance(told, ArgumentInfo) and not told.hidden:
            arguments.append((argument_name(parameter, told), told.help or ""))
        elif isinstance(told, OptionInfo) and not told.hidden:
            flags.append((option_name(parameter, hint, told), option_help(parameter, told)))
    usage = " ".join([path, *("[options]" for _ in flags[:1]), *(name for name, _ in arguments)])
    # Without the paragraphs that `run --help` adds about what is installed here.
    text = inspect.cleandoc(info.help or callback.__doc__ or "").partition("\n\nRecipes:")[0]
    yield from (f"## {path}", "", text, "", "```text", usage, "```", "")
    if rows := arguments + flags:
        yield from table(("", "what it does"), ((f"`{name}`", text) for name, text in rows))


def argument_name(parameter: inspect.Parameter, told: ArgumentInfo) -> str:
    """An argument as the usage line shows it."""
    name = told.metavar or parameter.name.upper()
    return name if parameter.default is parameter.empty or name.startswith("[") else f"[{name}]"


def option_name(parameter: inspect.Parameter, hint: Any, told: OptionInfo) -> str:
    """An option's spellings and what it takes."""
    # In `Annotated`, Typer takes the first spelling for a default and sorts it out later.
    spellings = [text for text in (told.default, *(told.param_decls or ())) if str(text).startswith("-")]
    spelled = ", ".join(spellings or [f"--{parameter.name.replace('_', '-')}"])
    if hint is bool:
        return spelled
    kinds = [kind for kind in (get_args(hint) or (hint,)) if kind is not type(None)]
    value = {int: "N", float: "X", Path: "PATH"}.get(kinds[0], "TEXT")
    return f"{spelled} {told.metavar or value}"


def option_help(parameter: inspect.Parameter, told: OptionInfo) -> str:
    """An option's help, with its default where it has one."""
    text = (told.help or "").replace("\\[", "[")
    default = parameter.default
    return text if default in (None, False, parameter.empty) else f"{text} Default: {shown(default)}."


# -- layers ----------------------------------------------------------------------------------------------------------


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


# -- navigation ------------------------------------------------------------------------------------------------------


def navigation(site: str) -> str:
    """``mkdocs.yml`` with a line for every ledger page, titled as the page is."""
    head, start, rest = site.partition("  - Ledgers:")
    comment, _, rest = rest.partition("\n")
    _, after, tail = rest.partition("  - Python API:")
    lines = [f'      - "{ledger_title(page)}": ledger/{page.name}' for page in sorted((DOCS / "ledger").glob("*.md"))]
    return head + start + comment + "\n" + "\n".join(lines) + "\n" + after + tail


def ledger_title(page: Path) -> str:
    """The first heading of a ledger page, without the word all of them begin with."""
    return page.read_text("utf-8").partition("\n")[0].removeprefix("# ").removeprefix("Ledger: ")


# -- writing ---------------------------------------------------------------------------------------------------------


def pages() -> dict[Path, str]:
    """Every generated page and its text."""
    os.environ["AVELZOO_LOAD_PLUGINS"] = ""  # the pages are the same whatever is installed here
    registry = PluginHost(entry_points=False).registry
    site = DOCS.parent / "mkdocs.yml"
    return {
        site: navigation(site.read_text("utf-8")),
        DOCS / "catalogue.md": "\n".join(catalogue(registry)).rstrip() + "\n",
        DOCS / "commands.md": "\n".join(commands()).rstrip() + "\n",
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
