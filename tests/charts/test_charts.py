"""Charts: well-formed, titled, inside their frame, legible in both schemes, whatever the values."""

from __future__ import annotations

import doctest
import math
import re
import subprocess
import sys
from importlib import import_module

import pytest

from avelzoo.charts import (
    BarGroup,
    IntervalRow,
    Point,
    Reference,
    ReliabilityBin,
    ScatterGroup,
    Series,
    bar_chart,
    interval_chart,
    line_chart,
    matrix_chart,
    reliability_chart,
    scatter_chart,
)
from avelzoo.charts.palette import COLOURS, HEATS, SERIES, heat, series_colour, series_dash
from tests.charts.checks import SVG, check, extent, numbers, overlapping, parsed

NAN, INF = math.nan, math.inf
HOSTILE = '</text><script>alert("1 & 2")</script>\x07\ud800 犬 ' + "very " * 40 + "long"
WORDS = {"title": "Scores", "description": "All that is shown."}
FLOORS = (Reference("background", 17.8), Reference(HOSTILE, 82.2), Reference("none", NAN))


def rows(values, label="row"):
    return [IntervalRow(f"{label} {i}", v, v - 1, v + 1, v + 0.5, "ab") for i, v in enumerate(values)]


def points(values):
    return [Point(i, v, v - 1, v + 1) for i, v in enumerate(values)]


def chart(kind, values, label="row", words=WORDS, **more):
    """A chart of each kind from the same values and names."""
    n = len(values)
    made = {
        "interval": lambda: interval_chart(rows(values, label), floors=FLOORS, label=label, **words, **more),
        "line": lambda: line_chart(
            [Series(f"{label} {i}", points(values)) for i in range(3)],
            marked=Reference(label, 1),
            references=FLOORS,
            x_label=label,
            y_label=label,
            **words,
            **more,
        ),
        "bars": lambda: line_chart([Series(label, points(values))], bands=False, from_zero=True, **words, **more),
        "many": lambda: line_chart([Series(f"{label} {i}", points(values)) for i in range(9)], **words, **more),
        "log": lambda: line_chart([Series(label, points(values))], log_x=True, log_y=True, **words, **more),
        "bar": lambda: bar_chart(
            [BarGroup(f"{label} {i}", [v, None, -v]) for i, v in enumerate(values)],
            series=[label, "b", "c"],
            references=FLOORS,
            unit="s",
            label=label,
            **words,
            **more,
        ),
        "scatter": lambda: scatter_chart(
            [ScatterGroup(f"{label} {mark}", [(v, 1) for v in values], mark, 0) for mark in ("dot", "cross")],
            x_label=label,
            y_label=label,
            **words,
            **more,
        ),
        "matrix": lambda: matrix_chart(
            [[v * (i == j) for j in range(min(n, 40))] for i, v in enumerate(values[:40])],
            *[[f"{label} {i}" for i in range(min(n, 40))]] * 2,
            row_title=label,
            column_title=label,
            **words,
            **more,
        ),
        "reliability": lambda: reliability_chart(
            [ReliabilityBin((i + 0.5) / max(n, 1), v, i, 0.2, 0.9) for i, v in enumerate(values)], **words, **more
        ),
    }
    return made[kind]()


KINDS = ("interval", "line", "bars", "many", "log", "bar", "scatter", "matrix", "reliability")
VALUES = {
    "usual": [80.1, 79.2, 81.3, 78.4],
    "one": [80.0],
    "none": [],
    "equal": [5.0] * 4,
    "zero": [0.0] * 3,
    "missing": [1.0, NAN, 3.0, INF, -INF],
    "only missing": [NAN, NAN],
    "negative": [-3.0, -1e-9, 2.0],
    "huge": [1e300, -1e300, 1e-300],
    "tiny": [1e-12, 2e-12],
    "many": [math.sin(i) * 50 for i in range(200)],
}


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("kind", KINDS)
def test_any_values_make_a_chart_inside_its_frame(kind, values):
    root = check(chart(kind, values))
    assert overlapping(root) == []
    for text in root.iter(SVG + "text"):
        if text.get("transform") is None:
            left, right, _, _ = extent(text)
            assert left >= -1 and right <= float(root.get("width")) + 1, text.text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [240.0, 390.0, 1280.0])
def test_hostile_names_at_any_width(kind, width):
    words = {"title": HOSTILE, "description": HOSTILE}
    text = chart(kind, [1.0, 2.0], label=HOSTILE, words=words, width=width)
    root = check(text)
    assert overlapping(root) == []
    assert "<script" not in text
    told = {element.tag.removeprefix(SVG): element.text for element in root if element.get("id")}
    assert told["title"].startswith('</text><script>alert("1 & 2")')
    assert told["desc"].endswith("very long")


@pytest.mark.parametrize("kind", KINDS)
def test_documents_stand_alone_and_share_a_page(kind):
    text = chart(kind, VALUES["usual"])
    root = parsed(text)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert root.get("role") == "img" and root.get("aria-labelledby").split() == ids
    assert not re.search(r"(href|src|url\(|<script|@import)", text)
    others = [chart(other, VALUES["usual"]) for other in KINDS if other != kind]
    others.append(chart(kind, VALUES["usual"], words=WORDS | {"description": "Another."}))
    assert not set(ids) & {element.get("id") for other in others for element in parsed(other).iter()}
    assert chart(kind, VALUES["usual"]) == text


@pytest.mark.parametrize("kind", KINDS)
def test_every_colour_has_a_rule_in_both_schemes(kind):
    text = chart(kind, VALUES["usual"])
    style = parsed(text).find(SVG + "style").text
    used = set(re.findall(r'[ "]([fs])-([a-z0-9-]+)', " ".join(re.findall(r'class="[^"]*"', text))))
    assert used
    light, dark, page = style.split("@media")[0], style.split("@media")[1].split("}}")[0], style.split("}}", 1)[1]
    for letter, name in used:
        prop = {"f": "fill", "s": "stroke"}[letter]
        assert f"--avz-{name}:{COLOURS[name][0]};" in light and f"--avz-{name}:{COLOURS[name][1]};" in dark
        assert f".avz .{letter}-{name}{{{prop}:{COLOURS[name][0]};{prop}:var(--avz-{name})}}" in page
    assert page.startswith("[data-theme=light] .avz{") and "[data-theme=dark] .avz{" in page


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast(scheme):
    for ground in ("paper", "band"):
        for name in ("ink", "muted", "threshold", *(f"series{i}" for i in range(SERIES))):
            assert contrast(COLOURS[name][scheme], COLOURS[ground][scheme]) >= 4.3, name
    assert contrast(COLOURS["wave"][scheme], COLOURS["paper"][scheme]) >= 3
    for step in range(HEATS):
        fill, ink = heat(step / (HEATS - 1))
        assert contrast(COLOURS[fill][scheme], COLOURS[ink][scheme]) >= 4.5
    order = [luminance(COLOURS[f"heat{step}"][scheme]) for step in range(HEATS)]
    assert order == sorted(order, reverse=not scheme)


def test_series_differ_in_more_than_colour():
    looks = [(series_colour(i), series_dash(i)) for i in range(4 * SERIES)]
    assert len(set(looks)) == len(looks)
    assert all(series_dash(i) != series_dash(i + 1) for i in range(4 * SERIES))


def test_intervals_are_drawn_where_they_are():
    root = check(interval_chart(rows([10.0, 20.0]), floors=[Reference("floor", 15.0)], **WORDS))
    lines = [line for line in root.iter(SVG + "line") if line.get("stroke-width") == "2.4"]
    (left, right), (left2, _) = [(float(line.get("x1")), float(line.get("x2"))) for line in lines]
    per_unit = (right - left) / 2
    dots = [float(c.get("cx")) for c in root.iter(SVG + "circle") if "f-series0" in c.get("class")][-2:]
    assert dots == pytest.approx([left + per_unit, left2 + per_unit], abs=0.2)
    assert left2 - left == pytest.approx(10 * per_unit, rel=0.02)
    floor = next(p for p in root.iter(SVG + "path") if "s-threshold" in p.get("class"))
    assert numbers(floor)[0][0] == pytest.approx(left + 6 * per_unit, abs=0.3)
    titles = [title.text for title in root.iter(SVG + "title")]
    assert "row 0: 10 %, interval 9 to 11" in titles and "floor: 15 %" in titles


def test_a_floor_far_away_is_named_instead_of_drawn():
    text = interval_chart(rows([80.0, 81.0]), floors=[Reference("background", 17.8), Reference("own", 79.0)], **WORDS)
    assert "← background: 17.8 %, outside the axis" in text
    assert "own: 79 %" in text and text.count("outside") == 1


def test_a_missing_value_is_a_gap():
    values = [1.0, 2.0, NAN, 4.0, 5.0]
    root = check(line_chart([Series("a", [Point(i, v) for i, v in enumerate(values)])], **WORDS))
    assert len([p for p in root.iter(SVG + "path") if "s-series0" in p.get("class")]) == 2
    assert "no value" in bar_chart([BarGroup("a", [None])], **WORDS)
    assert "no value" in interval_chart([IntervalRow("a", None)], **WORDS)


def test_lines_of_one_name_each_are_named_at_their_ends():
    text = line_chart([Series(name, points([1.0, 2.0])) for name in ("alpha", "beta")], **WORDS)
    places = [float(t.get("y")) for t in parsed(text).iter(SVG + "text") if t.text in {"alpha", "beta"}]
    assert len(places) == 2 and abs(places[0] - places[1]) >= 15


def test_crosses_and_dots_can_share_a_colour():
    pair = [ScatterGroup("events", [(0, 0)], "dot", 2), ScatterGroup("background", [(1, 1)], "cross", 2)]
    root = check(scatter_chart(pair, **WORDS))
    colours = {re.search(r"series\d", e.get("class")).group() for e in root.iter() if "series" in e.get("class", "")}
    assert colours == {"series2"}
    assert [title.text for title in root.iter(SVG + "title")].count("background") == 2


@pytest.mark.parametrize("name", ["bar", "interval", "line", "matrix", "palette", "reliability", "scale", "scatter"])
def test_examples_of_docstrings(name):
    found = doctest.testmod(import_module(f"avelzoo.charts.{name}"))
    assert found.attempted >= 1 and found.failed == 0


def test_charts_need_the_standard_library_alone():
    code = "import sys, avelzoo.charts; print(sorted({'numpy', 'PIL', 'torch', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
