"""Result files of experiments in ``docs/results``, and the page that shows them.

Usage: ``python scripts/docs_benchmarks.py FOLDER...`` takes the results of folders that `avelzoo bench` made.
``python scripts/docs_benchmarks.py --adopt RUNS table1 table2`` first makes such folders from finished runs, without
training. ``gen_docs.py`` renders the page from the files, and ``avelzoo bench docs/results/table2 --recompute``
computes every number in them again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs_markdown import NOTE

from avelzoo.experiments.figures import EMBEDDING, charts
from avelzoo.experiments.folder import BenchDir
from avelzoo.experiments.results import BenchResult
from avelzoo.experiments.tables import footnotes, text_tables
from avelzoo.system.files import read_json

DOCS = Path(__file__).resolve().parent.parent / "docs"
RESULTS = DOCS / "results"
PAGE = DOCS / "benchmark-results.md"
ORDER = ("table1", "table2", "heads", "grid", "bank-size", "margin", "embedding")

INTRO = """This page shows the results of experiments whose files are in `docs/results`: what paired tests on embedded
data say about the tables and figures of Ge et al. 2023. [Benchmarks](benchmarks.md) explains the columns, the plan and
the commands. The embedded data are synthetic; published scores are those of AVE, so compare differences between rows,
not scores. Times were measured on shared machines."""


def benchmark_pages() -> dict[Path, str]:
    """The page and the charts of all committed results."""
    found = [path.parent for path in RESULTS.glob("*/results.json") if (path.parent / "plan.json").exists()]
    found.sort(key=lambda folder: (ORDER.index(folder.name) if folder.name in ORDER else len(ORDER), folder.name))
    pages: dict[Path, str] = {}
    lines = ["# Benchmark results", "", NOTE, "", INTRO, ""]
    for folder in found:
        result = stored(folder)
        names = []
        for name, text in charts(result):
            pages[folder / f"{name}.svg"] = text
            names.append(name)
        lines += section(folder, result, [*names, *([EMBEDDING] if (folder / f"{EMBEDDING}.svg").exists() else [])])
    return pages | {PAGE: "\n".join(lines).rstrip() + "\n"}


def stored(folder: Path) -> BenchResult:
    """The result in a folder."""
    return BenchResult.from_dict(read_json(folder, "results.json"), where=str(folder))


def section(folder: Path, result: BenchResult, names: list[str]) -> Iterator[str]:
    """Heading, statement, charts, tables and notes of a result."""
    title = f"{result.title[:1].upper()}{result.title[1:]}"
    yield from (f"## {result.source}: {title}" if result.source else f"## {title}", "")
    for table, data in zip(text_tables(result), result.tables, strict=True):
        if not data.videos:
            continue
        yield from (f"### {table.title} {{ #{folder.name}-{data.supervision} }}", "")
        for claim in data.claims:
            yield from (claim, "")
        chart = "-".join(filter(None, ("accuracy", data.supervision, data.features)))
        if chart in names:
            yield from (f"![{table.title}](results/{folder.name}/{chart}.svg)", "")
        notes = [note for note in table.notes if note not in data.claims]
        yield from (table.__class__(columns=table.columns, rows=table.rows, notes=notes).markdown(), "")
    for name in names:
        if not name.startswith("accuracy"):
            yield from (f"![{title}](results/{folder.name}/{name}.svg)", "")
    for note in footnotes(result):
        yield from (note, "")
    files = ", ".join(f"[{name}](results/{folder.name}/{name})" for name in ("plan.json", "results.json"))
    yield from (f"Files: {files}. To compute the numbers again:", "")
    yield from ("```sh", f"avelzoo bench docs/results/{folder.name} --recompute", "```", "")


def take(folder: Path) -> Path:
    """Copy the result files of a folder, without names of this machine's folders."""
    bench = BenchDir(folder)
    plan = bench.load()
    target = RESULTS / plan.experiment.rpartition("/")[2]
    target.mkdir(parents=True, exist_ok=True)
    for path in (bench.plan, bench.results):
        data: dict[str, Any] = json.loads(path.read_text("utf-8"))
        data["command"] = [Path(word).name if "/" in word else word for word in data["command"]]
        if "request" in data and data["request"]["data"]:
            data["request"]["data"] = Path(data["request"]["data"]).name
        (target / path.name).write_text(json.dumps(data, indent=1) + "\n", "utf-8")
    shutil.copyfile(bench.predictions, target / bench.predictions.name)
    if bench.figure(EMBEDDING).exists():
        shutil.copyfile(bench.figure(EMBEDDING), target / f"{EMBEDDING}.svg")
    return target


def main() -> int:
    """Take results, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", nargs="+", help="folders of experiments; with --adopt, names of experiments")
    parser.add_argument("--adopt", type=Path, action="append", help="finished run folders, or folders of them")
    parser.add_argument("--supervision", choices=["full", "weak"], help="with --adopt: one setting")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for given in options.results:
            folder = Path(given)
            if options.adopt:
                folder = Path(scratch) / given
                adopted = [f"--adopt={path}" for path in options.adopt]
                command = [sys.executable, "-m", "avelzoo", "bench", given, f"--out={folder}", "--budget=0", "--quiet"]
                command += [f"--supervision={options.supervision}"] if options.supervision else []
                subprocess.run([*command, *adopted], check=True)
            print(f"wrote {take(folder).relative_to(DOCS.parent)}")
    for path, text in benchmark_pages().items():
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
