"""The plan of an experiment: what will be run, hashed and written before the first run starts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from avelzoo.errors import RunError, some
from avelzoo.experiments.request import ResolvedExperiment, plain_values

ADDED_SEEDS = "seeds added"
OTHER_VERSIONS = "other versions"


@dataclass(frozen=True, kw_only=True)
class Amendment:
    """A change of a plan after its first run.

    Attributes:
        what: the change, in one sentence.
        hash: hash of the plan after the change.
    """

    what: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class BenchPlan:
    """What an experiment runs.

    Attributes:
        experiment: qualified name.
        edition: name of the edition.
        cells: name of a cell -> its position in the table and its values, without seed and data folder.
        seeds: seeds of every cell.
        data: supervision, with the feature setting if any -> fingerprint of the data.
        versions: versions of Python, PyTorch, NumPy, avelzoo and plugins.
        written: date and time of the first plan.
        first_hash: hash of the first plan.
        amendments: later changes.
        request: the arguments, for resuming.
        command: command line, for the record.
    """

    experiment: str
    edition: str
    cells: Mapping[str, Mapping[str, Any]]
    seeds: tuple[int, ...]
    data: Mapping[str, Mapping[str, str]]
    versions: Mapping[str, str]
    written: str = ""
    first_hash: str = ""
    amendments: tuple[Amendment, ...] = ()
    request: Mapping[str, Any] = field(default_factory=dict)
    command: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        owner: str,
        resolved: ResolvedExperiment,
        *,
        data: Mapping[str, Mapping[str, str]],
        keys: Mapping[str, str],
        versions: Mapping[str, str],
        request: Mapping[str, Any],
        command: Sequence[str],
    ) -> BenchPlan:
        """The plan of a resolved experiment, registered as ``owner``; ``keys`` names the data of every cell."""
        return cls(
            experiment=owner,
            edition=resolved.edition.name,
            cells={
                cell.name: cell.values | {"data": keys[cell.name]} | _values(cell.composition.to_dict())
                for cell in resolved.cells
            },
            seeds=resolved.seeds,
            data={name: dict(found) for name, found in data.items()},
            versions=dict(versions),
            request=dict(request),
            command=tuple(command),
        )

    @property
    def content(self) -> dict[str, Any]:
        """The hashed part."""
        parts = ("experiment", "edition", "cells", "seeds", "data", "versions")
        return {name: getattr(self, name) for name in parts}

    @property
    def hash(self) -> str:
        """SHA-256 of the content, as 64 hexadecimal digits."""
        return hashlib.sha256(json.dumps(self.content, sort_keys=True).encode()).hexdigest()

    @property
    def short_hash(self) -> str:
        """The first 12 digits of the hash."""
        return self.hash[:12]

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for ``plan.json``."""
        return {"hash": self.hash} | asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, where: str = "") -> BenchPlan:
        """Inverse of ``to_dict``.

        Raises:
            RunError: a part is missing, or the content does not have the stored hash.
        """
        try:
            own: dict[str, Any] = {f.name: data[f.name] for f in fields(cls)}
            own |= {name: tuple(own[name]) for name in ("seeds", "command")}
            plan = cls(**own | {"amendments": tuple(Amendment(**one) for one in own["amendments"])})
        except (KeyError, TypeError) as error:
            raise RunError("the plan of the experiment is incomplete", where=where, found=f"no {error}") from error
        if plan.hash != data.get("hash"):
            raise RunError(
                "the plan was changed after it was written",
                where=where,
                found=f"content with the hash {plan.short_hash}",
                expected=f"the hash {str(data.get('hash'))[:12]}",
                fix="restore the file, or start the experiment in another folder",
            )
        return plan

    def amended(self, asked: BenchPlan, *, where: str) -> BenchPlan:
        """This stored plan, extended to an asked one that differs at most in added seeds and in versions.

        Raises:
            RunError: other cells, data or values; the error names the differences.
        """
        seeds = tuple(dict.fromkeys((*self.seeds, *asked.seeds)))
        fixed = [replace(plan, seeds=(), versions={}) for plan in (self, asked)]
        if fixed[0].hash != fixed[1].hash:
            raise RunError(
                "the folder holds another plan of the experiment",
                where=where,
                found=some(_differences(self, asked), 6, separator="; "),
                expected="the same rows, values and data; only seeds may be added",
                fix=f"`avelzoo bench {where} --resume` continues the stored plan; for another one choose another --out",
            )
        changes = []
        if added := [seed for seed in seeds if seed not in self.seeds]:
            changes.append(f"{ADDED_SEEDS}: {', '.join(map(str, added))}")
        keys = dict.fromkeys((*self.versions, *asked.versions))
        newer = [key for key in keys if self.versions.get(key) != asked.versions.get(key)]
        if newer:
            changes.append(
                f"{OTHER_VERSIONS}: "
                + ", ".join(f"{key} {asked.versions.get(key)}, was {self.versions.get(key)}" for key in newer)
            )
        plan = replace(self, seeds=seeds, versions=asked.versions)
        noted = tuple(Amendment(what=change, hash=plan.hash) for change in changes)
        return replace(plan, amendments=(*self.amendments, *noted))


def _values(composition: Mapping[str, Any]) -> dict[str, Any]:
    plain = plain_values(composition)
    for slot, option in (("train", "seed"), ("dataset", "root")):
        plain["slots"][slot] = dict(plain["slots"][slot])
        values = plain["slots"][slot]["options"]
        plain["slots"][slot]["options"] = {name: value for name, value in values.items() if name != option}
    return {"composition": plain}


def _differences(stored: BenchPlan, asked: BenchPlan) -> list[str]:
    before, now = _flat(json.loads(json.dumps(stored.content))), _flat(json.loads(json.dumps(asked.content)))
    found = []
    for kind, ours, theirs in (("added", now, before), ("missing", before, now)):
        cells = [name for name in ours if name.startswith("cell ") and name not in theirs and "." not in name]
        found += [f"{name} {kind}" for name in cells]
    whole = {name for name in {*before, *now} if "." not in name and name.startswith("cell ")}
    both = {name for name in whole if name in before and name in now}
    for name in dict.fromkeys((*before, *now)):
        cell = name.partition(".")[0]
        if name in whole or name.startswith(("seeds", "versions")) or (cell in whole and cell not in both):
            continue
        if before.get(name) != now.get(name):
            found.append(f"{name} is {before.get(name)}, not {now.get(name)}")
    return found


def _flat(content: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {name: content[name] for name in ("experiment", "edition")}
    for name, cell in content["cells"].items():
        flat[f"cell {name}"] = True
        flat[f"cell {name}.recipe"] = cell["composition"]["recipe"]
        for slot, row in cell["composition"]["slots"].items():
            flat[f"cell {name}.{slot}"] = row.get("name")
            flat |= {f"cell {name}.{slot}.{option}": value for option, value in row["options"].items()}
    for name, files in content["data"].items():
        flat |= {f"data.{name}.{file}": value for file, value in files.items()}
    return flat
