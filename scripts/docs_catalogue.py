"""The catalogue's pages: every recipe and component, read off a registry."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Any

from docs_markdown import NOTE, shown, table

from avelzoo.channels import HOUSE
from avelzoo.cli.catalogue import PLURALS, details, recipes_of, row
from avelzoo.components import BASES, KINDS, Supervision
from avelzoo.composition.recipe import SLOTS, Recipe
from avelzoo.config import Config, options
from avelzoo.plugin.registry import Entry, Registry

HEADINGS = {"dataset": "Data sets", "memory": "Memories"}
BOTH = ["full", "weak"]
PICTURES = {
    "encoder": ("diagram-st-fusion", "Stages of st-fusion: spatial and temporal encoders and decoders, final fusion"),
    "memory": ("diagram-bank", "A bank's update by relation scores, and its reading as anchors and prototypes"),
    "head": (
        "diagram-heads",
        "The heads single, double and event-aware: from fused features to a category in some segments",
    ),
    "schedule": ("schedules", "Learning rate of the schedules cosine, steps and constant over 30 epochs"),
    "decoder": ("diagram-decoders", "Segments that five decoders choose from the same scores"),
}
"""Kind -> picture of its built-in components and its content."""
ASSUMED = "Assumptions without a published source:"


@dataclass(frozen=True)
class Part:
    """A page of the catalogue.

    Attributes:
        file: its name.
        title: its heading.
        intro: what it says first.
        plugins: whose entries it holds.
    """

    file: str
    title: str
    intro: str
    plugins: frozenset[str]


PARTS = (
    Part(
        "catalogue.md",
        "Catalogue",
        "All recipes and components of avelzoo, including the launchers of `avelzoo[ray]` and the data set of\n"
        "[`avelzoo-ov-ave`](ov-ave.md). [Published systems](catalogue-baselines.md) have a separate page.\n"
        "`avelzoo list` prints the catalogue of your environment, including installed plugins;\n"
        "`avelzoo show KIND NAME` prints one entry.",
        frozenset({"avelzoo", "ray", "ov-ave"}),
    ),
    Part(
        "catalogue-baselines.md",
        "Published systems",
        "All recipes and components of `avelzoo-baselines`, in addition to the [catalogue](catalogue.md): the systems\n"
        "that Ge et al. 2023 compare with, and variants of them. Ledgers list the differences from papers and public\n"
        "code; [one table](recipes-on-worlds.md) lists the scores on the embedded data.",
        frozenset({"baselines"}),
    ),
)


def catalogue(registry: Registry, part: Part) -> Iterator[str]:
    """Every recipe and every component of a page."""
    yield from (f"# {part.title}", "", NOTE, "", part.intro, "", "## Recipes", "")
    recipes = [(entry, row(entry)) for entry in entries(registry, "recipe", part)]
    links = ((f"[{e.name}](#{anchor(e)})", data["summary"]) for e, data in recipes)
    yield from table(("recipe", "description"), links)
    cited = {data["paper"] for _, data in recipes}
    for entry, data in recipes:
        yield from recipe_section(registry, part, entry, data)
    for kind in BASES:
        found = entries(registry, kind, part)
        if found:
            yield from (f"## {HEADINGS.get(kind, PLURALS[kind].capitalize())}", "")
        if found and kind in PICTURES and "avelzoo" in part.plugins:
            name, content = PICTURES[kind]
            yield from (f"![{content}](pictures/{name}.svg)", "")
        for entry in found:
            yield from component_section(entry)
            cited.add(details(entry)["paper"])
    yield from experiments(registry, part)
    yield from channels(registry, part)
    yield from checkpoints(registry, part)
    yield from papers(registry, cited)


def channels(registry: Registry, part: Part) -> Iterator[str]:
    """What the page's parts hand to each other beside features and labels."""
    own = "avelzoo" in part.plugins
    found = {c for kind in KINDS for entry in entries(registry, kind, part) for c in entry.channels}
    rows = [(f"`{c}`", c.shape, c.meaning) for c in sorted(found, key=str) if (HOUSE.get(c.name) == c) is own]
    yield from ("## Channels", "")
    yield from ("Tensors that parts give and others read, in the [notation](api/records.md) of the records.", "")
    yield from table(("channel", "shape", "meaning"), rows)


def experiments(registry: Registry, part: Part) -> Iterator[str]:
    """Experiments of the page's plugins."""
    found = [(f"`{entry.name}`", row(entry)) for entry in entries(registry, "experiment", part)]
    if found:
        yield from ("## Experiments", "", "Tables and figures that [`avelzoo bench`](benchmarks.md) runs.", "")
        lines = ((name, data["summary"], data["source"], str(len(data["rows"]))) for name, data in found)
        yield from table(("experiment", "description", "in the paper", "rows"), lines)


def checkpoints(registry: Registry, part: Part) -> Iterator[str]:
    """Systems whose checkpoints `avelzoo import-checkpoint` reads, and where these are published."""
    rows = []
    for entry in entries(registry, "published-code", part):
        found = row(entry)["checkpoints"] or [{"settings": [], "where": "none known", "accuracy": ""}]
        rows += [(f"`{entry.name}`", " and ".join(c["settings"]), c["where"], c["accuracy"]) for c in found]
    yield from ("## Published checkpoints", "")
    yield from (
        "`avelzoo import-checkpoint SYSTEM FILE` converts a checkpoint to a run folder. Nothing is downloaded.",
        "",
    )
    yield from table(("system", "setting", "where", "published accuracy, %"), rows)


def entries(registry: Registry, kind: str, part: Part) -> list[Entry]:
    """The entries of a kind that are on this page."""
    return [entry for entry in registry.entries(kind) if entry.plugin in part.plugins]


def recipe_section(registry: Registry, part: Part, entry: Entry, data: dict[str, Any]) -> Iterator[str]:
    """Composition, values that are not a component's default, published scores."""
    made = recipes_of(entry)
    yield from (f"### {entry.name} {{ #{anchor(entry)} }}", "", f"{data['summary']}. {source(data)}", "")
    if set(made) != set(BOTH):
        yield from (f"For {' and '.join(made)} supervision only.", "")
    for limit in data["limits"]:
        yield from (f"**{limit}**", "")
    if data["assumptions"]:
        yield from (ASSUMED, "", *(f"- {assumption}" for assumption in data["assumptions"]), "")
    rows = []
    for slot in SLOTS:
        fills = {setting: slot_name(registry, part, recipe, slot) for setting, recipe in made.items()}
        same = len(set(fills.values())) == 1
        name = next(iter(fills.values())) if same else ", ".join(f"{name} ({s})" for s, name in fills.items())
        rows.append((slot, name, ", ".join(changes(made, slot)) or "defaults"))
    yield from table(("slot", "component", "values other than the component's defaults"), rows)
    if data["published"]:
        scores = [
            (p["supervision"], p["features"], f"{p['segment_accuracy']:.1%}", p["source"]) for p in data["published"]
        ]
        yield from table(("supervision", "features", "published segment accuracy", "source"), scores)


def slot_name(registry: Registry, part: Part, recipe: Recipe, slot: str) -> str:
    """What fills a slot, as a link to its section."""
    if slot not in KINDS:
        return "-"
    entry = registry.entry_of(recipe.components()[slot])
    if entry is None:
        return type(recipe.slot(slot)).__name__
    home = next(other.file for other in PARTS if entry.plugin in other.plugins)
    return f"[{entry.name}]({'' if home == part.file else home}#{anchor(entry)})"


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


def papers(registry: Registry, cited: Set[str | None]) -> Iterator[str]:
    """What is cited above."""
    yield from ("## Papers", "")
    for key, paper in sorted(registry.papers.items()):
        if key not in cited:
            continue
        code = f" Code: [{paper.code}](https://github.com/{paper.code})." if paper.code else ""
        yield from (f"### {key} {{ #paper-{key} }}", "", f"{paper}.{code}", "")


def component_section(entry: Entry) -> Iterator[str]:
    """What a component is, what it needs and gives, its options."""
    data = details(entry)
    yield from (f"### {entry.name} {{ #{anchor(entry)} }}", "", data["documentation"], "")
    if entry.kind in KINDS:
        yield from component_facts(entry, data)
    if data["options"]:
        rows = ((f"`{o['name']}`", o["type"], shown(o["default"]), o["help"]) for o in data["options"])
        yield from table(("option", "type", "default", "description"), rows)


def gift(text: str) -> str:
    """A channel or alternatives; the supervision they count under alone stays outside the quotes."""
    names, bracket, only = text.partition(" (")
    return " or ".join(f"`{name}`" for name in names.split(" or ")) + bracket + only


def component_facts(entry: Entry, data: dict[str, Any]) -> Iterator[str]:
    """Whose a component is, how it fits others, what it assumes."""
    facts = [source(data)]
    if entry.target.fidelity:
        facts.append(f"Follows it: {entry.target.fidelity}.")
    if data["supervisions"] != BOTH:
        facts.append(f"Works under {' and '.join(data['supervisions'])} supervision only.")
    if data["reads"]:
        facts.append("Reads " + ", ".join(map(gift, data["reads"])) + ".")
    if data["gives"]:
        facts.append("Gives " + ", ".join(map(gift, data["gives"])) + ".")
    if data.get("terms"):
        facts.append("Terms: " + ", ".join(f"`{name}` of {needs}" for name, needs in data["terms"].items()) + ".")
    yield from (" ".join(facts), "")
    if entry.target.assumptions:
        yield from (ASSUMED, "", *(f"- {a}" for a in entry.target.assumptions), "")
