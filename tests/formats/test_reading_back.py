"""Every format, read back by the public reader of that format."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import crowsetta
import numpy as np
import praatio.textgrid
import pympi
import pysubs2
import pytest
import webvtt

from avelzoo.plugin.default import default_host
from avelzoo.testing.formats import STRANGE, result_of
from avelzoo.timeline.records import Localization

UNREADABLE = Localization(path="broken.mp4", status="unreadable", reason="the file has no streams")
TIMES = [(1.0, 3.0), (4.0, 5.5)]
ODD = [name for name in STRANGE if "\n" not in name and "\t" not in name]


def write(name, result, folder: Path, **options) -> Path:
    config = default_host().registry.get("format", name).target(**options)
    path = folder / f"clip{config.suffix}"
    path.write_text(config.text(result), "utf-8")
    return path


def strange(name):
    return result_of(names=(name, "bell"))


@pytest.mark.parametrize("name", ["bark", *STRANGE])
def test_json(name, tmp_path):
    data = json.loads(write("json", strange(name), tmp_path).read_text("utf-8"))
    assert data["events"][0] == {"start": 1.0, "end": 3.0, "category": name, "score": 0.75}
    assert data["scores"]["categories"] == [name, "bell"]
    assert data["scores"]["relevance"] == [0.25, 0.75, 0.75, 0.25, 0.625, 0.625]
    assert np.array(data["scores"]["category_scores"]).shape == (6, 2)
    assert (data["status"], data["duration"], data["decision"]) == ("ok", 5.5, "threshold 0.5")


def test_json_without_scores_and_of_an_unreadable_file(tmp_path):
    assert "scores" not in json.loads(write("json", result_of(), tmp_path, segments=False).read_text("utf-8"))
    data = json.loads(write("json", UNREADABLE, tmp_path).read_text("utf-8"))
    assert (data["status"], data["reason"], data["events"]) == ("unreadable", "the file has no streams", [])


def test_json_has_no_infinity(tmp_path):
    result = result_of()
    scores = replace(result.scores, category_scores=np.full((6, 2), -np.inf, dtype=np.float32))
    data = json.loads(write("json", replace(result, scores=scores), tmp_path).read_text("utf-8"))
    assert data["scores"]["category_scores"][0] == [None, None]


@pytest.mark.parametrize(("fmt", "delimiter"), [("csv", ","), ("tsv", "\t")])
@pytest.mark.parametrize("name", ["bark", *ODD])
def test_csv_and_tsv(fmt, delimiter, name, tmp_path):
    text = write(fmt, strange(name), tmp_path).read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
    assert [(float(r["start"]), float(r["end"])) for r in rows] == TIMES
    assert [r["category"] for r in rows] == [name, "bell"]
    assert {r["file"] for r in rows} == {"clip one.mp4"}
    assert float(rows[0]["score"]) == 0.75
    assert list(csv.DictReader(io.StringIO(write(fmt, UNREADABLE, tmp_path).read_text("utf-8")))) == []


@pytest.mark.parametrize("name", ["bark", *ODD])
def test_vtt(name, tmp_path):
    captions = webvtt.read(write("vtt", strange(name), tmp_path))
    assert [(c.start_in_seconds, c.end_in_seconds) for c in captions] == [(1, 3), (4, 5)]
    assert captions[1].end == "00:00:05.500"
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert captions[0].raw_text == escaped


def test_vtt_says_why_there_is_no_event(tmp_path):
    path = write("vtt", replace(UNREADABLE, reason="ends --> early\nat 3 s"), tmp_path)
    assert list(webvtt.read(path)) == []
    assert "NOTE status: unreadable" in path.read_text("utf-8")
    assert "NOTE reason: ends -> early at 3 s" in path.read_text("utf-8")


@pytest.mark.parametrize("name", ["bark", *ODD])
def test_srt(name, tmp_path):
    subtitles = pysubs2.load(str(write("srt", strange(name), tmp_path)), keep_unknown_html_tags=True)
    assert [(s.start, s.end) for s in subtitles] == [(1000, 3000), (4000, 5500)]
    assert subtitles[0].plaintext == name.replace("<", "\u2039").replace(">", "\u203a")
    assert len(pysubs2.load(str(write("srt", result_of(events=()), tmp_path)), format_="srt")) == 0


@pytest.mark.parametrize("name", ["bark", *ODD])
def test_audacity(name, tmp_path):
    path = write("audacity", strange(name), tmp_path)
    found = crowsetta.formats.seq.AudSeq.from_file(path)
    assert list(zip(found.start_times, found.end_times, strict=True)) == TIMES
    assert list(found.labels) == [name, "bell"]
    assert write("audacity", UNREADABLE, tmp_path).read_text("utf-8") == ""


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # crowsetta under the newest pandas
@pytest.mark.parametrize("name", ["bark", "größer 犬", "a < b & c", "a, b", "one --> two"])
def test_raven(name, tmp_path):
    path = write("raven", strange(name), tmp_path, low_hz=50.0, high_hz=14000.0)
    boxes = crowsetta.formats.bbox.Raven.from_file(path, annot_col="Annotation").to_bbox()
    assert [(b.onset, b.offset) for b in boxes] == TIMES
    assert [b.label for b in boxes] == [name, "bell"]
    assert (boxes[0].low_freq, boxes[0].high_freq) == (50, 14000)


def test_raven_refuses_a_band_without_width():
    with pytest.raises(Exception, match="not below"):
        default_host().registry.get("format", "raven").target(low_hz=9000.0, high_hz=9000.0)


@pytest.mark.parametrize("name", ["bark", *ODD])
def test_textgrid(name, tmp_path):
    grid = praatio.textgrid.openTextgrid(str(write("textgrid", strange(name), tmp_path)), includeEmptyIntervals=False)
    assert set(grid.tierNames) == {name, "bell"}
    assert [tuple(entry) for entry in grid.getTier(name).entries] == [(1.0, 3.0, name)]
    assert grid.maxTimestamp == 5.5


@pytest.mark.parametrize("result", [result_of(events=()), UNREADABLE], ids=["no event", "unreadable"])
def test_textgrid_without_events(result, tmp_path):
    path = str(write("textgrid", result, tmp_path))
    grid = praatio.textgrid.openTextgrid(path, includeEmptyIntervals=False)
    assert grid.tierNames == ("events",)
    assert list(grid.getTier("events").entries) == []


def test_textgrid_covers_the_whole_time(tmp_path):
    path = str(write("textgrid", result_of(), tmp_path))
    entries = praatio.textgrid.openTextgrid(path, includeEmptyIntervals=True).getTier("bark").entries
    assert [tuple(e) for e in entries] == [(0, 1, ""), (1, 3, "bark"), (3, 5.5, "")]


@pytest.mark.parametrize("name", ["bark", *ODD])
def test_elan(name, tmp_path):
    document = pympi.Elan.Eaf(str(write("elan", strange(name), tmp_path)))
    assert document.get_annotation_data_for_tier(name) == [(1000, 3000, name)]
    assert document.get_annotation_data_for_tier("bell") == [(4000, 5500, "bell")]
    assert document.media_descriptors[0]["MEDIA_URL"].endswith("/clip%20one.mp4")


def test_elan_without_events(tmp_path):
    document = pympi.Elan.Eaf(str(write("elan", UNREADABLE, tmp_path)))
    assert document.get_annotation_data_for_tier("events") == []


@pytest.mark.parametrize("name", ["bark", *STRANGE])
def test_rttm(name, tmp_path):
    """NIST's evaluation plan of 2009: ten fields, separated by white space."""
    lines = write("rttm", strange(name), tmp_path).read_text("utf-8").splitlines()
    fields = [line.split() for line in lines]
    assert [len(row) for row in fields] == [10, 10]
    assert [(float(row[3]), float(row[4])) for row in fields] == [(1.0, 2.0), (4.0, 1.5)]
    assert {row[1] for row in fields} == {"clip_one"}
    assert fields[1][7] == "bell"
    assert fields[0][0] == "SPEAKER"


@pytest.mark.parametrize("name", ["bark", *ODD])
def test_scores(name, tmp_path):
    """sed_scores_eval: onset, offset, then a column per class; every row begins where the last one ended."""
    text = write("scores", strange(name), tmp_path).read_text("utf-8")
    header, *rows = csv.reader(io.StringIO(text), delimiter="\t")
    assert header == ["onset", "offset", name, "bell"]
    values = np.array(rows, dtype=float)
    assert np.array_equal(values[1:, 0], values[:-1, 1])
    assert values[1, 2] == pytest.approx(0.75 * 0.75)
    assert values[5, 3] == pytest.approx(0.625 * 0.875, abs=1e-6)


def test_scores_that_are_no_probabilities_become_shares(tmp_path):
    result = result_of()
    logits = np.array([[-3.0, -1.0]] * 6, dtype=np.float32)
    path = write("scores", replace(result, scores=replace(result.scores, category_scores=logits)), tmp_path)
    values = np.loadtxt(path, skiprows=1)
    share = np.exp(-2) / (1 + np.exp(-2))
    assert values[0, 2] == pytest.approx(0.25 * share, abs=1e-6)
    assert values[:, 2:].sum(axis=1) == pytest.approx(result.scores.relevance, abs=2e-6)
    assert write("scores", UNREADABLE, tmp_path).read_text("utf-8") == "onset\toffset\n"


def test_every_format_has_its_own_suffix():
    formats = default_host().registry.entries("format")
    assert len({entry.target.suffix for entry in formats}) == len(formats) >= 11
