"""The document: policy, embedded data, sections, and what they say where something is missing."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import re
import shutil

import numpy as np
import pytest

from avelzoo.cli import main
from avelzoo.errors import UsageError
from avelzoo.reporting.page import embedded_json
from avelzoo.reporting.runs import chosen_videos, read_runs
from avelzoo.reporting.sections.confusion import counts

SECTIONS = [
    *("overview", "comparison", "learning", "categories", "confusion"),
    *("calibration", "embedding", "memory", "videos", "composition"),
]


@pytest.fixture(scope="session")
def written(finished, tmp_path_factory):
    """A report of one run, and what the command printed as JSON."""
    out = tmp_path_factory.mktemp("reports") / "one.html"
    return out, command(finished, out, "--projection", "pca")


def command(folder, out, *words):
    """Output of `avelzoo report` as JSON."""
    printed = io.StringIO()
    options = ["--out", str(out), "--json", "--quiet", "--resamples", "200", *words]
    with contextlib.redirect_stdout(printed):
        assert main(["report", str(folder), *options]) == 0
    return json.loads(printed.getvalue())


def test_every_section_is_there_and_complete(written):
    out, printed = written
    page = out.read_text("utf-8")
    assert [section["id"] for section in printed["sections"]] == SECTIONS
    assert {s["id"]: s["left_out"] for s in printed["sections"] if not s["complete"]} == {
        "comparison": "Left out: a comparison needs two systems on the same videos."
    }
    assert all(f'<section class="panel" id="{name}"' in page for name in SECTIONS)
    assert printed["bytes"] == out.stat().st_size and printed["runs"] == ["ead-b, seed 1"]


def test_the_policy_allows_this_style_and_this_script_only(written):
    page = written[0].read_text("utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';") and "unsafe" not in policy
    assert not re.search(r'\sstyle="|\son\w+="|(src|href)="(https?:)?//', page)


def test_ids_occur_once(written):
    ids = re.findall(r'\sid="([^"]*)"', written[0].read_text("utf-8"))
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<!--<script>", "a\u2028b & c"])
def test_embedded_data_cannot_leave_their_element(text):
    found = embedded_json({"name": text})
    assert not set("<>&\u2028") & set(found)
    assert json.loads(found) == {"name": text}


def test_without_the_model_sections_say_why(finished, tmp_path):
    printed = command(finished, tmp_path / "r.html", "--no-model")
    reasons = {s["id"]: s["left_out"] for s in printed["sections"]}
    for name in ("embedding", "memory"):
        assert reasons[name] == "Left out: the models were not read (--no-model)."


def test_a_run_of_a_missing_plugin_has_a_report(finished, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    record = json.loads((folder / "composition.json").read_text("utf-8"))
    record["slots"]["encoder"]["name"] = "elsewhere/strange"
    (folder / "composition.json").write_text(json.dumps(record), "utf-8")
    printed = command(folder, tmp_path / "r.html")
    reasons = {s["id"]: s["left_out"] for s in printed["sections"]}
    assert "the model cannot be loaded" in reasons["embedding"] and "elsewhere" in reasons["embedding"]
    assert reasons["videos"] == reasons["confusion"] == ""


def test_confusions_against_a_loop(finished):
    (run,) = read_runs([finished]).runs
    found, truth = counts(run), run.labelled.truth
    expected = np.zeros_like(found)
    for v, length in enumerate(truth.lengths):
        for t in range(length):
            expected[truth.segments[v, t], run.found.segments[v, t]] += 1
    assert (found == expected).all()


def test_videos_are_chosen_by_number_or_id():
    ids = ["a", "b", "c", "d"]
    assert chosen_videos("all", ids) == [0, 1, 2, 3] and chosen_videos("2", ids) == [0, 2]
    assert chosen_videos("c, a,c", ids) == [2, 0] and chosen_videos("99", ids) == [0, 1, 2, 3]
    with pytest.raises(UsageError, match="no such video"):
        chosen_videos("a,z", ids)
    with pytest.raises(UsageError, match="at least one"):
        chosen_videos("0", ids)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{folder}/nothing"], "no folder"),
        (["{run}", "--videos", "nobody"], "the test split has no such video"),
        (["{run}", "--groups", "{folder}/groups.json"], "a group names neither a video of the split nor a category"),
        (["{run}", "--projection", "umap"], "unknown projection"),
    ],
)
def test_errors_are_for_users_and_leave_no_file(words, said, finished, tmp_path, capsys):
    (tmp_path / "groups.json").write_text('{"mine": ["nobody"]}')
    given = [word.format(folder=tmp_path, run=finished) for word in words]
    out = tmp_path / "r.html"
    assert main(["report", *given, "--out", str(out), "--no-model", "--resamples", "100"]) != 0
    assert said in " ".join(capsys.readouterr().err.split()) and not out.exists()


def test_groups_of_a_file_have_rows(finished, tmp_path):
    (run,) = read_runs([finished]).runs
    members = {"mine": [str(run.labelled.video_ids[0]), run.labelled.truth.categories[1]]}
    (tmp_path / "groups.json").write_text(json.dumps(members))
    command(finished, tmp_path / "r.html", "--no-model", "--groups", str(tmp_path / "groups.json"))
    count = 1 + int((run.labelled.truth.events == 1).sum()) - (run.labelled.truth.events[0] == 1)
    page = (tmp_path / "r.html").read_text("utf-8")
    assert re.search(rf'<th scope="row">mine</th><td class="number" data-key="{count}(\.0)?">', page)
