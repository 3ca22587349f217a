"""The model card of a run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avelzoo.cards.citing import bibtex, papers_of
from avelzoo.cards.metadata import FILE, card_results, evaluation_file, front_matter
from avelzoo.cards.yaml_text import yaml_text
from avelzoo.comparing import Comparison, TextTable
from avelzoo.comparing.folders import StoredRun
from avelzoo.comparing.runs import compare_runs
from avelzoo.comparing.wording import Wording
from avelzoo.components import LEAK_MARK, LEAK_NOTE
from avelzoo.composition.resolving import Composition, from_dict
from avelzoo.errors import RunError, UsageError
from avelzoo.metrics import Scores
from avelzoo.metrics.signature import Signature
from avelzoo.plugin.registry import Registry
from avelzoo.system.files import make_folder, write_bytes

MADE = "<!-- made by `avelzoo card` -->"


@dataclass(frozen=True, kw_only=True)
class Card:
    """Files of a model card.

    Attributes:
        name: name of the model.
        readme: content of ``README.md``.
        evaluation: content of the file of evaluation results.
    """

    name: str
    readme: str
    evaluation: str

    def save(self, folder: Path) -> tuple[Path, Path]:
        """Write both files; an earlier card is replaced.

        Raises:
            UsageError: the folder has a README.md of another origin.
            StorageError: a file cannot be written.
        """
        readme, evaluation = folder / "README.md", folder / FILE
        if readme.exists() and MADE not in readme.read_text(encoding="utf-8", errors="replace"):
            raise UsageError(
                "the folder has another README.md",
                where=str(readme),
                fix="choose another folder with --out, or rename this file",
            )
        make_folder(evaluation.parent)
        write_bytes(readme, self.readme.encode())
        write_bytes(evaluation, self.evaluation.encode())
        return readme, evaluation


def make_card(
    path: str | Path,
    registry: Registry,
    *,
    name: str | None = None,
    license_id: str | None = None,
    dataset: str | None = None,
    task: str | None = None,
) -> Card:
    """The card of a finished run: composition, data, scores with floors and intervals, limits, citation.

    Args:
        path: run folder.
        registry: registry of the components.
        name: name of the model; by default that of the folder.
        license_id: the Hub's identifier of a license, such as ``apache-2.0``; None to leave it out.
        dataset: identifier of the data set on the Hub; by default its name here.
        task: identifier of the task in the benchmark; by default ``avel``.

    Raises:
        RunError: the folder holds no finished run, or is damaged.
        UnknownNameError: the plugin of a component is not installed.
    """
    path = Path(path)
    run = StoredRun.read(path)
    try:
        composition = from_dict(registry, run.composition)
        scores = Scores.from_dict(run.result["scores"]["test"])
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError("the run is damaged", where=str(path), found=f"no {error}") from error
    found = compare_runs([path])
    signature = Signature.parse(next(iter(found.signatures.values())))
    name, dataset = name or path.resolve().name, dataset or signature.dataset
    head = front_matter(name, scores, signature, composition.recipe.name, dataset=dataset, license_id=license_id)
    sections = [
        *(f"# {name}", MADE, _what(composition, run)),
        *("## Composition", *_composition(composition, run.composition)),
        *("## Data", _data(run, found, signature)),
        *("## Scores", *_scores(scores, found, run.result, signature)),
        *("## Limits", "\n".join(f"- {line}" for line in _limits(found, run, signature))),
        *("## Use", _use(name)),
        *("## Citation", *_citation(composition, registry)),
    ]
    return Card(
        name=name,
        readme=f"---\n{yaml_text(head)}---\n\n" + "\n\n".join(sections) + "\n",
        evaluation=yaml_text(evaluation_file(found, signature, dataset=dataset, task=task or "avel")),
    )


def _what(composition: Composition, run: StoredRun) -> str:
    recipe = composition.recipe
    return (
        f"{recipe.summary[0].upper()}{recipe.summary[1:]}: the recipe `{recipe.name}` of avelzoo, trained"
        f" under {recipe.supervision} supervision. For every segment of a video, the model decides whether it holds an"
        " event that is both seen and heard, and of which category. Its inputs are features of sound and picture."
    )


def _composition(composition: Composition, record: Mapping[str, Any]) -> Iterator[str]:
    rows = []
    for slot, row in record["slots"].items():
        sources = row.get("sources", {})
        chosen = {k: v for k, v in row["options"].items() if not str(sources.get(k, "")).startswith("recipe ")}
        values = ", ".join(f"`{k} = {v}`" for k, v in chosen.items() if k != "root")
        rows.append((slot, str(row.get("name", "")), values))
    yield TextTable(
        columns=("part", "component", "values that differ from the recipe"), rows=rows, left=_LEFT
    ).markdown()
    words = list(_portable(list(record.get("command", ()))[1:]))
    if words:
        yield f"```sh\n{shlex.join(['avelzoo', *words])}\n```"


def _portable(words: Sequence[str]) -> Iterator[str]:
    """Words of a command without folders of the training's machine."""
    skip = False
    for place, word in enumerate(words):
        option, _, value = word.partition("=")
        following = words[place + 1] if place + 1 < len(words) else ""
        if skip:
            skip = False
        elif option in LOCAL:
            skip = not value
        elif word == "--set" and following.startswith("dataset.root="):
            skip = True
        elif not word.startswith("--set=dataset.root="):
            yield word


LOCAL = ("--out", "--data", "--dataset.root")
"""Options whose values are places on one machine."""
_LEFT = ("component", "values that differ from the recipe")


def _data(run: StoredRun, found: Comparison, signature: Signature) -> str:
    spec = run.composition.get("spec", {})
    categories, grid = spec.get("categories", []), " x ".join(map(str, spec.get("grid", [])))
    lines = [
        f"- data set: `{signature.dataset}`, {signature.split} split with {found.videos:,} videos",
        f"- categories: {len(categories)}: {', '.join(map(str, categories))}",
        f"- audio features: {spec.get('audio_dim')} dimensions per segment",
        f"- visual features: {spec.get('visual_dim')} channels per cell, grid {grid}",
        *(f"- `{name}`: {value}" for name, value in run.result["data"].items()),
    ]
    protocol = run.result.get("weak_protocol")
    return "\n".join(lines + ([f"- weak labels: {protocol}"] if protocol else []))


def _scores(scores: Scores, found: Comparison, result: Mapping[str, Any], signature: Signature) -> Iterator[str]:
    row, say = found.rows[0], Wording()
    mark = f" {LEAK_MARK}" if row.leaks_duration else ""
    rows = [
        (f"**{one.name}**" if i == 0 else one.name, f"{one.value:.1f}{mark}")
        for i, one in enumerate(card_results(scores))
    ]
    rows.insert(1, (f"{100 * found.level:g} % interval over videos", say.span(row.interval)))
    if row.floors:
        rows[2:2] = [
            ("floor: background in every segment", say.number(row.floors.background)),
            ("floor: its own category in every segment", say.number(row.floors.own_category)),
            ("floor: the true category in every segment", say.number(row.floors.category_oracle)),
            ("gain over its own category in every segment", say.with_span(row.gain)),
        ]
    yield TextTable(columns=("test split, in percent", "value"), rows=rows).markdown()
    gap = result.get("optimism_gap")
    chosen = f"The epoch ({result['best_epoch']} of {result['epochs']}) was chosen on val"
    yield chosen + ("." if gap is None else f"; chosen on test, it would score {100 * gap:.1f} points more.")
    yield f"Signature: `{signature}`"


def _limits(found: Comparison, run: StoredRun, signature: Signature) -> Iterator[str]:
    yield from found.sentences()[1:]
    if signature.dataset.startswith("worlds"):
        yield "The data are synthetic: these scores say nothing about real videos."
    if run.result.get("leaks_duration") and not any(LEAK_NOTE in line for line in found.sentences()):
        yield f"{LEAK_MARK} {LEAK_NOTE}."
    yield "Other features than those of the training, or other categories, need another training."


def _use(name: str) -> str:
    return (
        "```python\nfrom avelzoo import load_run\n\n"
        f'run = load_run("{name}")  # the run folder\n'
        "predictions = run.predict(audio, visual)  # features (t a) and (t h w v) of one video\n```"
    )


def _citation(composition: Composition, registry: Registry) -> Iterator[str]:
    papers = papers_of(composition, registry.papers)
    if not papers:
        yield "The recipe and its components name no paper."
    for paper in papers:
        yield f"```bibtex\n{bibtex(paper)}\n```"
