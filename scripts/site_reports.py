"""Reports of the committed runs for the site: `python scripts/site_reports.py [SITE]`, after the site is built.

Every folder of `docs/results/reports` holds compact copies of runs, as `avelzoo report --pack` writes them, and becomes
`SITE/reports/FOLDER.html`. SITE is `site` by default.
"""

from __future__ import annotations

import sys
from pathlib import Path

from avelzoo.plugin.default import default_host
from avelzoo.reporting.report import ReportRequest, write_report

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "docs" / "results" / "reports"
TITLES = {"heads": "Event-aware head and single branch on worlds"}
"""Folder -> title of its report; otherwise the names of its systems."""


def write_reports(site: Path, resamples: int = 10_000) -> list[Path]:
    """Write the reports and return their files."""
    (site / "reports").mkdir(parents=True, exist_ok=True)
    written = []
    for folder in sorted(path for path in RUNS.glob("*") if path.is_dir()):
        request = ReportRequest(title=TITLES.get(folder.name, ""), model=False, resamples=resamples)
        out = site / "reports" / f"{folder.name}.html"
        written.append(write_report([folder], out, default_host().registry, request).path)
    return written


if __name__ == "__main__":
    for path in write_reports(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "site")):
        print(path)
