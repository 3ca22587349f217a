from __future__ import annotations

import json

import numpy as np
import pytest

from avelzoo.data.checking.doctor import examine, work
from avelzoo.data.checking.status import status
from avelzoo.data.reading.h5 import H5Array
from avelzoo.data.reading.values import survey
from avelzoo.errors import DataError


def found(report, level="error"):
    return {(f.file, f.problem) for f in report.findings if f.level == level}


@pytest.fixture
def complete(folder):
    for name, values in folder.labels().items():
        folder.put(name, values)
    return folder


def test_a_good_folder(complete):
    report = examine(complete.root)
    assert report.ok
    assert found(report) == set()
    assert found(report, "warning") == {
        ("Annotations.txt", "videos with a category but no event segment (0&0)"),
        ("*_order.h5", "videos of val or test are also in train, in another row"),
    }
    assert found(report, "note") == {("Annotations.txt", "videos with several rows")}
    by_name = {file.name: file for file in report.files}
    assert len(by_name) == 14
    visual = by_name["visual_feature.h5"]
    values = complete.arrays["visual_feature.h5"]
    assert (visual.shape, visual.dtype, visual.storage) == ((10, 5, 2, 3, 4), "float64", "contiguous")
    assert (visual.values.min, visual.values.max) == (values.min(), values.max())
    assert visual.values.mean == pytest.approx(values.mean())
    assert len(visual.sha256) == 64
    assert by_name["Annotations.txt"].public is False


def test_progress_reaches_what_was_announced(complete):
    seen = []
    examine(complete.root, tick=seen.append)
    total = work(complete.root)
    assert 0.5 * total < sum(seen) <= total  # headers and text are not surveyed


def test_json_knows_no_nan(complete):
    complete.put("audio_feature.h5", np.full((10, 5, 6), np.nan))
    text = json.dumps(examine(complete.root).to_dict(), allow_nan=False)
    assert '"min": null' in text


def break_values(folder, **where):
    values = folder.arrays["visual_feature.h5"].copy()
    for bad, row in where.items():
        values[row, 0, 0, 0, 0] = {"nan": np.nan, "inf": np.inf, "huge": 1e39, "negative": -1.0}[bad]
    folder.put("visual_feature.h5", values)


DISASTERS = {
    "nan": (
        lambda f: break_values(f, nan=3, inf=7),
        "visual_feature.h5",
        "non-finite",
        "1 NaN, 1 infinite, in 2 rows: 3, 7",
    ),
    "huge": (lambda f: break_values(f, huge=0), "visual_feature.h5", "non-finite", "1 infinite"),
    "cut": (lambda f: f.cut("audio_feature.h5"), "audio_feature.h5", "truncated", "bytes"),
    "gone": (lambda f: (f.root / "val_order.h5").unlink(), "val_order.h5", "missing", ""),
    "no audio": (lambda f: (f.root / "audio_feature.h5").unlink(), "audio_feature.h5 or", "missing", ""),
    "order": (lambda f: f.put("test_order.h5", [8, 77], "order"), "test_order.h5", "do not exist", "77"),
    "twice": (lambda f: f.put("test_order.h5", [8, 8], "order"), "test_order.h5", "more than once", "8"),
    "overlap": (lambda f: f.put("val_order.h5", [1, 9], "order"), "train_order.h5", "share rows", "9"),
    "line": (lambda f: f.annotate("Dog&a&good&5\n"), "Annotations.txt, line 1", "not an annotation", "Dog&a&good&5"),
    "late": (lambda f: f.annotate("Dog&a&good&0&9\n" * 10), "Annotations.txt, line 1", "after its video", "Dog&a"),
    "rows": (lambda f: f.put("audio_feature.h5", np.ones((9, 5, 6))), "audio_feature.h5", "wrong number of rows", "9"),
    "time": (
        lambda f: f.put("audio_feature.h5", np.ones((10, 4, 6))),
        "audio_feature.h5",
        "wrong number of segments",
        "4",
    ),
    "grid": (
        lambda f: f.put("visual_feature_noisy.h5", np.ones((2, 5, 3, 3, 4))),
        "visual_feature_noisy.h5",
        "wrong number of grid rows",
        "3",
    ),
    "negatives": (
        lambda f: f.put("audio_feature_noisy.h5", np.ones((1, 5, 6))),
        "audio_feature_noisy.h5",
        "wrong number of negatives",
        "1",
    ),
    "axes": (
        lambda f: f.put("visual_feature.h5", np.ones((10, 5, 4))),
        "visual_feature.h5",
        "wrong sizes",
        "(10, 5, 4)",
    ),
    "mil": (lambda f: f.put("mil_labels.h5", np.eye(4)[[0] * 10]), "mil_labels.h5", "differ from the", "6 rows: 4, 5"),
    "closs": (lambda f: f.put("labels_closs.h5", np.ones((10, 5))), "labels_closs.h5", "differ from the", "rows: 1, 2"),
    "shape": (lambda f: f.put("labels.h5", np.ones((10, 5, 9))), "labels.h5", "does not match", "shape (10, 5, 9)"),
    "noisy": (lambda f: f.put("labels_noisy.h5", np.eye(4)[[3, 0]]), "labels_noisy.h5", "not labelled", "1 of 2"),
}


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("name", DISASTERS)
def test_disasters(complete, name, quick):
    disaster, file, problem, what = DISASTERS[name]
    disaster(complete)
    report = examine(complete.root, quick=quick)
    assert not report.ok
    hits = [f for f in report.findings if f.level == "error" and f.file.startswith(file) and problem in f.problem]
    assert len(hits) == 1
    assert what in hits[0].found
    assert report.findings[0].level == "error"


ODDITIES = {
    "zeros": (lambda f: f.put("audio_feature.h5", np.zeros((10, 5, 6))), "all-zero rows", "10 rows: 0, 1"),
    "negative": (lambda f: break_values(f, negative=2), "negative numbers", "down to -1"),
    "unused": (lambda f: f.put("train_order.h5", [9, 0, 4], "order"), "in no split", "2 rows: 2, 5"),
    "category": (lambda f: f.put("train_order.h5", [0, 4, 2, 5], "order"), "without a training video", "Flute"),
    "right": (
        lambda f: f.put("right_labels.h5", np.concatenate([np.eye(4)[[[1] * 5]], f.labels()["right_labels.h5"][1:]])),
        "differ from the annotations",
        "1 row: 0",
    ),
    "spelling": (
        lambda f: f.annotate((f.root / "Annotations.txt").read_text().replace("Dog&v5", "dog&v5")),
        "differ only in spelling",
        "Dog | dog",
    ),
    "same twice": (
        lambda f: f.annotate((f.root / "Annotations.txt").read_text().replace("v1&", "v3&")),
        "twice under the same category",
        "v3",
    ),
}


@pytest.mark.parametrize("name", ODDITIES)
def test_oddities_are_warnings(complete, name):
    oddity, problem, what = ODDITIES[name]
    oddity(complete)
    hits = [f for f in examine(complete.root).findings if f.level == "warning" and problem in f.problem]
    assert len(hits) == 1
    assert what in hits[0].found


def test_notes(folder):
    folder.put("visual_feature.h5", folder.arrays["visual_feature.h5"], chunks=True)
    folder.put("audio_feature_noisy.h5", np.ones((5, 5, 6)))
    report = examine(folder.root)
    assert report.ok
    assert ("visual_feature.h5", "the array is chunked or compressed") in found(report, "note")
    assert ("audio_feature_noisy.h5", "wrong number of negatives") in found(report, "note")


def test_quick_samples_and_leaves_checksums_out(folder):
    values = np.ones((200, 5, 6))
    folder.put("audio_feature.h5", values)
    array = H5Array(folder.root / "audio_feature.h5")
    assert survey(array, quick=True).rows == 64
    assert survey(array).rows == 200
    assert all(file.sha256 is None for file in examine(folder.root, quick=True).files)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4"])
def test_survey_against_numpy(tmp_path, folder, monkeypatch, dtype):
    values = np.random.default_rng(0).integers(0, 4, (31, 5, 6)).astype(dtype)
    if dtype.startswith("f"):
        values[7, 2, 1], values[30, 0, 0], values[30, 0, 1] = np.nan, np.inf, -np.inf
    values[12] = 0
    folder.put("audio_feature.h5", values)
    monkeypatch.setattr("avelzoo.data.reading.values.BLOCK", 3 * values[0].nbytes)
    got = survey(H5Array(folder.root / "audio_feature.h5"))
    finite = values[np.isfinite(values)].astype(np.float64)
    assert (got.rows, got.min, got.max) == (31, finite.min(), finite.max())
    assert got.mean == pytest.approx(finite.mean())
    assert got.zeros == pytest.approx((values == 0).mean())
    assert got.empty_rows == [12]
    assert (got.nan, got.infinite, got.bad_rows) == ((1, 2, [7, 30]) if dtype.startswith("f") else (0, 0, []))


def test_ave_itself(shared):
    report = examine(shared / "ave")
    assert {f.file for f in report.findings if f.level == "error"} == {
        "visual_feature.h5",
        "audio_feature.h5 or audio_cnn14.h5",
    }
    assert all(file.public for file in report.files)
    told = {f.problem: f.found for f in report.findings}
    assert told["videos with a category but no event segment (0&0)"] == "1 line: 27"
    assert told["videos of val or test are also in train, in another row"] == "10 val rows, 8 test rows"
    assert told["videos with several rows"] == "45 videos, 46 additional rows"
    audio = next(file for file in report.files if file.name == "audio_feature_noisy.h5")
    assert audio.shape == (178, 10, 128)
    assert audio.values.zeros == pytest.approx(0.6527, abs=1e-4)


# -- status ----------------------------------------------------------------------------------------------------------


def test_status(folder):
    folder.put("right_labels.h5", folder.labels()["right_labels.h5"])
    folder.cut("audio_feature_noisy.h5")
    (folder.root / "labels_noisy.h5").unlink()
    look = status(folder.root)
    assert look.simulated is None
    files = {file.name: file for file in look.files}
    assert files["visual_feature.h5"].shape == (10, 5, 2, 3, 4)
    assert files["audio_feature.h5"].bytes == (folder.root / "audio_feature.h5").stat().st_size
    assert files["Annotations.txt"].dtype == "text"
    assert not files["labels_noisy.h5"].present
    assert files["audio_feature_noisy.h5"].problem.startswith("a file is truncated")
    missing = {ability.name: dict(ability.missing) for ability in look.abilities}
    assert missing["full"] == {"vggish": (), "cnn14": ("audio_cnn14.h5",)}
    assert missing["weak, onehot"] == missing["full"]
    assert missing["weak, onehot+neg"]["vggish"] == ("audio_feature_noisy.h5",)
    assert missing["labels=labels"]["vggish"] == ("labels.h5",)
    assert missing["labels=right_labels"]["vggish"] == ()


def test_no_folder(tmp_path):
    for look in (status, examine):
        with pytest.raises(DataError, match="data folder missing"):
            look(tmp_path / "nowhere")
