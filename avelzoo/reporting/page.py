"""A report as one HTML document: template, style sheet, script and data, under a policy that allows nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from avelzoo.reporting.blocks import Panel
from avelzoo.reporting.drawing import Inline, colour_rules
from avelzoo.reporting.runs import ReportRun
from avelzoo.version import __version__

_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def render(*, title: str, subtitle: str, panels: Sequence[Panel], runs: Sequence[ReportRun], data: Any) -> str:
    """The whole document.

    Args:
        title: heading of the page.
        subtitle: one line below it.
        panels: the tabs.
        runs: the runs that readers can select.
        data: plain data for the script.
    """
    style, script = colour_rules() + _file("report.css"), _file("report.js")
    environment = Environment(
        loader=PackageLoader("avelzoo.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    inline = Inline()
    environment.filters["inline"] = lambda svg: Markup(inline(svg))  # noqa: S704, charts escape their text
    page = environment.get_template("report.html").render(
        title=title,
        subtitle=subtitle,
        panels=panels,
        systems=_systems(runs),
        runs=[run.name for run in runs],
        policy=policy(style, script),
        style=Markup(style),  # noqa: S704, a file of this package
        script=Markup(script),  # noqa: S704, a file of this package
        data=Markup(embedded_json(data)),  # noqa: S704, escaped for HTML
        version=__version__,
    )
    return page.lstrip()


def policy(style: str, script: str) -> str:
    """Content security policy: the page's own style sheet and script, pictures in the page, and nothing else."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )


def embedded_json(data: Any) -> str:
    r"""JSON that can stand in a script element: no text in it can end the element or begin a comment.

    >>> embedded_json("</script>")
    '"\\u003c/script\\u003e"'
    """
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return "".join(_UNSAFE.get(character, character) for character in text)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _file(name: str) -> str:
    return resources.files("avelzoo.reporting").joinpath("templates", name).read_text("utf-8")


def _systems(runs: Sequence[ReportRun]) -> Mapping[str, list[tuple[int, str]]]:
    """System -> numbers and short names of its runs."""
    found: dict[str, list[tuple[int, str]]] = {}
    for i, run in enumerate(runs):
        found.setdefault(run.system, []).append((i, f"seed {run.seed}"))
    return found
