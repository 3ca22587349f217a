"""OV-AVEBench's labels: the layouts that are accepted, errors, floors, groups, audits, features."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from avelzoo_ov_ave import plugin
from avelzoo_ov_ave.configs import OvAveConfig
from avelzoo_ov_ave.entries import flags
from avelzoo_ov_ave.files import read_split_file
from avelzoo_ov_ave.labels import ANNOTATIONS, FOLDER, META, read_clips
from avelzoo_ov_ave.scores import ov_ave_scores, scores_by_group
from avelzoo_ov_ave.simulating import KINDS, Simulation, simulate

from avelzoo.cli import main
from avelzoo.errors import DataError, UsageError
from avelzoo.metrics import PredictionArrays, ReadsLabels, Truth, floor_accuracies, seen_groups
from avelzoo.plugin.default import as_default
from avelzoo.plugin.host import PluginHost
from avelzoo.testing import run_checks


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A simulated folder with features."""
    out = tmp_path_factory.mktemp("ov") / "small"
    simulate(out, Simulation(clips=120, seen=4, unseen=2, features=True))
    return out


@pytest.fixture(scope="module")
def host():
    host = PluginHost(entry_points=False)
    host.add(plugin, name="ov-ave")
    return host


@pytest.fixture
def call(host, capsys):
    """``call("audit", ...)`` with the plugin: exit code and document."""

    def run(*argv):
        capsys.readouterr()
        with as_default(host):
            code = main([*map(str, argv), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def written(root: Path, entries, meta=None, *, name=ANNOTATIONS["released"]) -> OvAveConfig:
    lines = meta or [
        "split,cls_name,cls_type,vid_name",
        "train,dog barking,close,a",
        "val,dog barking,close,b",
        "test,saxophone,open,c",
    ]
    (root / META).write_text("\n".join(lines) + "\n", "utf-8")
    (root / name).write_text(entries if isinstance(entries, str) else json.dumps(entries), "utf-8")
    return OvAveConfig(root=root, segments=4)


PUBLIC = {
    "a": {"category": "dog barking", "label": "[0, 1, 1, 0]"},
    "b": {"category": "dog barking", "label": "[0, 0, 0, 0]"},
    "c": {"category": "saxophone", "label": "[1, 0, 1, 1]"},
}


def test_the_published_layout(tmp_path):
    labels = written(tmp_path, PUBLIC).read_labels()
    assert list(labels) == ["train", "val", "test"]
    assert labels["train"].truth.categories == ("dog barking", "saxophone")
    assert labels["train"].truth.segments.tolist() == [[2, 0, 0, 2]]
    assert labels["val"].truth.segments.tolist() == [[2, 2, 2, 2]]
    assert labels["val"].truth.events.tolist() == [0]  # a clip without the event keeps its category
    assert labels["test"].truth.segments.tolist() == [[1, 2, 1, 1]]
    assert labels["test"].video_ids == ("c",)
    assert labels["test"].seen == {"dog barking"}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"category": "bark", "label": [1, 0, 0, 1]}, [1, 0, 0, 1]),
        ({"category": "bark", "label": "[1, 0, 0, 1]"}, [1, 0, 0, 1]),
        ([1, 0, 0, 1], [1, 0, 0, 1]),
        ([True, False, False, True], [1, 0, 0, 1]),
        ("[1.0, 0, 0, 1]", [1, 0, 0, 1]),
        (["bark", "background", "", "bark"], [1, 0, 0, 1]),
        (["Bark", None, "other", "bark "], [1, 0, 0, 1]),
        ("['bark', None, 'other', 'bark']", [1, 0, 0, 1]),
        ([[0, 1], [3, 4]], [1, 0, 0, 1]),
        ({"segments": [[0, 1.4], [2.6, 4]]}, [1, 0, 0, 1]),
        ({"events": []}, [0, 0, 0, 0]),
        ([], [0, 0, 0, 0]),
    ],
    ids=str,
)
def test_accepted_labels(entry, expected):
    assert flags(entry, "bark", 4, "file, clip a").astype(int).tolist() == expected


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ([1, 0, 0], "another number of labels"),
        ([1, 0, 2, 0], "unknown layout"),
        ("yes", "unknown layout"),
        (7, "unknown layout"),
        ([[0, 1], 3, 4, 4], "unknown layout"),
        ([[0, 5]], "no interval of the clip"),
        ([[2, 2]], "no interval of the clip"),
        ([[0, True]], "no interval of the clip"),
        (["bark", "meow", "", ""], "events of two categories"),
        ({"category": "meow", "label": [0, 0, 0, 0]}, "differ in a clip's category"),
        ({"category": "bark", "boxes": []}, "has no labels"),
    ],
    ids=str,
)
def test_refused_labels_name_the_clip(entry, problem):
    with pytest.raises(DataError, match=problem) as caught:
        flags(entry, "bark", 4, "file, clip a")
    assert caught.value.where == "file, clip a"
    assert caught.value.found


@pytest.mark.parametrize(
    ("lines", "problem", "where"),
    [
        (["split,cls_name,vid_name"], "lacks the column 'cls_type'", "line 1"),
        (["split,cls_name,cls_type,vid_name"], "names no clip", META),
        (["split,cls_name,cls_type,vid_name", "dev,bark,open,a"], "column 'split' has an unknown word", "line 2"),
        (["split,cls_name,cls_type,vid_name", "val,bark,maybe,a"], "'cls_type' has an unknown word", "line 2"),
        (["split,cls_name,cls_type,vid_name", "val,bark"], "too short", "line 2"),
        (["split,cls_name,cls_type,vid_name", "val,,open,a"], "no category", "line 2"),
        (["split,cls_name,cls_type,vid_name", *["val,bark,open,a"] * 2], "listed twice", "line 3"),
        (
            ["split,cls_name,cls_type,vid_name", "val,bark,open,a", "", "val,bark,close,b"],
            "both seen and unseen",
            "line 4",
        ),
    ],
)
def test_refused_split_files_name_the_line(tmp_path, lines, problem, where):
    with pytest.raises(DataError, match=problem) as caught:
        written(tmp_path, PUBLIC, lines).read_labels()
    assert where in caught.value.where


def test_columns_may_have_another_order(tmp_path):
    (tmp_path / META).write_text('\ufeffvid_name,split,cls_type,cls_name,more\nx,test,unseen,"a, b",1\n', "utf-8")
    (clip,) = read_split_file(tmp_path / META)
    assert (clip.name, clip.split, clip.category, clip.seen, clip.line) == ("x", "test", "a, b", False, 2)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "not a JSON file"),
        ("[]", "unknown layout"),
        ('{"images": [], "annotations": [], "categories": []}', "unknown layout"),
        ('{"a": [], "a": []}', "not a JSON file"),
        ('{"a": []}', "2 of 3 clips of the split file have no annotation"),
    ],
)
def test_refused_annotations(tmp_path, content, problem):
    with pytest.raises(DataError, match=problem) as caught:
        written(tmp_path, content).read_labels()
    assert ANNOTATIONS["released"] in caught.value.where


def test_the_released_annotations_are_not_the_others(tmp_path):
    config = written(tmp_path, PUBLIC, name=ANNOTATIONS["original"])
    with pytest.raises(DataError, match="missing") as caught:
        config.read_labels()
    assert "dataset.annotations=original" in caught.value.fix
    assert OvAveConfig(root=tmp_path, segments=4, annotations="original").read_labels()["test"].video_ids == ("c",)


def test_a_missing_folder():
    with pytest.raises(DataError, match="needs a folder"):
        OvAveConfig().read_labels()
    with pytest.raises(DataError, match="folder is missing"):
        OvAveConfig(root=Path("nowhere")).read_labels()


def test_the_simulation_has_all_kinds_of_clips(tmp_path):
    assert sum(KINDS.values()) == pytest.approx(1)
    assert simulate(tmp_path / "a", Simulation(clips=1000)) == {"train": 532, "val": 234, "test": 234}
    clips = read_clips(OvAveConfig(root=tmp_path / "a"))
    runs = (np.diff(clips.events.astype(int), axis=1, prepend=0) == 1).sum(axis=1)
    shares = {
        "none": (runs == 0).mean(),
        "full": clips.events.all(axis=1).mean(),
        "several": (runs > 1).mean(),
        "partial": ((runs == 1) & ~clips.events.all(axis=1)).mean(),
    }
    assert shares == pytest.approx(KINDS, abs=0.05)
    assert len(clips.categories) == 67
    assert len(clips.seen) == 46
    assert all(clip.seen for clip in clips.clips if clip.split == "train")
    simulate(tmp_path / "b", Simulation(clips=1000))
    files = [(tmp_path / name / FOLDER / ANNOTATIONS["released"]).read_bytes() for name in "ab"]
    assert files[0] == files[1]
    with pytest.raises(UsageError, match="not empty"):
        simulate(tmp_path / "a", Simulation())


def test_floors_and_groups_need_labels_alone(call, folder, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in (META, ANNOTATIONS["released"]):
        (bare / name).write_bytes((folder / FOLDER / name).read_bytes())
    config = OvAveConfig(root=bare)
    assert isinstance(config, ReadsLabels)
    labels = config.read_labels()["test"]
    event = labels.truth.relevance
    code, told = call("audit", "--dataset", "ov-ave", "--data", bare)
    assert code == 0
    text = json.dumps(told)
    assert round((~event).mean(), 4) in [round(value, 4) for value in numbers(told)]
    assert round(event.mean(), 4) in [round(value, 4) for value in numbers(told)]
    assert "ov-ave-test" in text


def numbers(data):
    if isinstance(data, dict):
        return [value for item in data.values() for value in numbers(item)]
    if isinstance(data, list):
        return [value for item in data for value in numbers(item)]
    return [data] if isinstance(data, float) else []


def test_an_audit_tells_seen_from_unseen(call, folder, tmp_path):
    labels = OvAveConfig(root=folder).read_labels()["test"]
    truth = labels.truth
    lines = [
        {"video": name, "segments": ["background" if i == truth.n else truth.categories[i] for i in row]}
        for name, row in zip(labels.video_ids, truth.segments.tolist(), strict=True)
    ]
    for line in lines:
        if "unseen" in "".join(line["segments"]):
            line["segments"] = ["background"] * 10
    file = tmp_path / "predictions.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    code, told = call("audit", file, "--dataset", "ov-ave", "--data", folder)
    assert code == 0
    groups = {part["name"]: part for part in told["groups"]["seen in training"]}
    assert list(groups) == ["seen", "unseen"]
    assert groups["seen"]["right"] == groups["seen"]["segments"] > 0
    unseen = seen_groups(truth, labels.seen)["unseen"]
    assert groups["unseen"]["right"] == (~truth.relevance[unseen]).sum()


def naive(segments, truth):
    """The scores by loops."""
    right = tp = fp = fn = 0
    matched = predicted = true = 0
    for row, labels in zip(segments.tolist(), truth.segments.tolist(), strict=True):
        for s, y in zip(row, labels, strict=True):
            right += s == y
            tp += s == y != truth.n
            fp += s not in (truth.n, y)
            fn += y not in (truth.n, s)
        ours, theirs = runs(row, truth.n), runs(labels, truth.n)
        predicted, true = predicted + len(ours), true + len(theirs)
        matched += sum(any(c == d and len(a & b) >= 0.5 * len(a | b) for d, b in theirs) for c, a in ours)
    return right / truth.segments.size, 2 * tp / (2 * tp + fp + fn), 2 * matched / (predicted + true)


def runs(row, background):
    found, last = [], background
    for i, label in enumerate(row):
        if label not in (background, last):
            found.append((label, set()))
        if label != background:
            found[-1][1].add(i)
        last = label
    return found


def test_the_three_scores(folder):
    labels = OvAveConfig(root=folder).read_labels()["test"]
    rng = np.random.default_rng(0)
    change = rng.random(labels.truth.segments.shape) < 0.3
    guess = np.where(change, rng.integers(labels.truth.n + 1, size=change.shape), labels.truth.segments)
    found = ov_ave_scores(guess, labels.truth)
    expected = naive(guess, labels.truth)
    assert (found.accuracy, found.segment_f1, found.event_f1) == pytest.approx(expected)
    assert found.mean == pytest.approx(np.mean(expected))
    by_group = scores_by_group(guess, labels.truth, labels.seen)
    assert list(by_group) == ["all", "seen", "unseen"]
    assert by_group["seen"].clips + by_group["unseen"].clips == by_group["all"].clips == len(guess)


def test_the_oracle_floor_is_the_share_of_event_segments():
    """The right category and an event everywhere misses the segments of clips without an event."""
    truth = Truth(segments=np.array([[0, 0, 2], [2, 2, 2]]), events=np.array([0, 1]), categories=("a", "b"))
    everywhere = np.repeat(truth.events[:, None], 3, axis=1)
    found = ov_ave_scores(everywhere, truth)
    assert found.accuracy == pytest.approx(2 / 6)
    assert found.segment_f1 == pytest.approx(4 / 8)
    arrays = PredictionArrays(
        segments=everywhere, category=truth.events, category_scores=np.eye(2), relevance=np.ones((2, 3))
    )
    assert floor_accuracies(arrays, truth).category_oracle_all_event == pytest.approx(2 / 6)


def test_the_data_set_fulfils_the_contract(host, folder):
    with as_default(host):
        failed = {result.check: result.error for result in run_checks(OvAveConfig(root=folder)) if result.error}
    assert failed == {}


def test_weak_training_has_categories_alone(folder):
    split = OvAveConfig(root=folder).open("weak").split("train")
    _, targets = split.fetch([0, 1])
    assert targets.segments is None
    assert targets.presence.tolist() == [1.0, 1.0]
    assert OvAveConfig(root=folder).open("weak").split("val").fetch([0])[1].segments is not None


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda root: (root / "features.json").unlink(), "has no features"),
        (lambda root: (root / "features.json").write_text("{}"), "features.json is damaged"),
        (lambda root: (root / "audio_feature.h5").write_text("no"), "cannot be read"),
        (lambda root: (root / "videos.csv").write_text("video,status\na.mp4,ok\n"), "differ"),
        (lambda root: (root / "videos.csv").unlink(), "list of videos cannot be read"),
    ],
)
def test_damaged_features(tmp_path, damage, problem):
    root = tmp_path / "made"
    simulate(root, Simulation(clips=40, seen=2, unseen=1, features=True))
    damage(root)
    with pytest.raises(DataError, match=problem) as caught:
        OvAveConfig(root=root).open("full")
    assert str(root) in caught.value.where


def test_clips_without_features_are_named(tmp_path):
    root = tmp_path / "made"
    simulate(root, Simulation(clips=40, seen=2, unseen=1, features=True))
    text = (root / "videos.csv").read_text()
    (root / "videos.csv").write_text(text.replace("clip00003.mp4", "other.mp4"))
    with pytest.raises(DataError, match=r"1 of .* clips have no features") as caught:
        OvAveConfig(root=root).open("full").split("train")
    assert "clip00003" in caught.value.found


def test_the_command_writes_a_folder(call, tmp_path):
    code, told = call("ov-ave-simulate", tmp_path / "new", "--clips", "60")
    assert (code, sum(told["clips"].values())) == (0, 60)
    assert call("ov-ave-simulate", tmp_path / "new")[0] == 2
