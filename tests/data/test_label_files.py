"""Label files that training may use: exactly one-hot, and in agreement with the annotations, or refused."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from avelzoo.builtin.datasets.configs import AveConfig
from avelzoo.cli import main
from avelzoo.data import facts
from avelzoo.data.checking.agreement import compare, read_segments
from avelzoo.data.checking.doctor import examine
from avelzoo.data.reading.annotations import AnnotationLines, read_annotations
from avelzoo.data.reading.numbering import Columns, describe, identity, match
from avelzoo.errors import DataError, DataWarning
from tests.data.conftest import EVENTS, NAMES, SEGMENTS, write

VARIANTS = ("labels", "right_labels")


def opened(folder, supervision="full", **options):
    return AveConfig(root=folder.root, **options).open(supervision)


def one_hot():
    return np.eye(4, dtype=np.float32)[SEGMENTS]


def changed(row, segment, values):
    labels = one_hot()
    labels[row, segment] = values
    return labels


def problems(folder, file, level="error"):
    report = examine(folder.root, quick=True)
    return [f for f in report.findings if f.level == level and f.file.startswith(file)]


# -- one-hot ---------------------------------------------------------------------------------------------------------


NOT_ONE_HOT = {
    "soft": (changed(4, 2, [0.1, 0, 0, 0.9]), "row 4, segment 2", "0.1 in column 0"),
    "uniform": (np.full((10, 5, 4), 0.25), "row 0, segment 0", "0.25 in column 0; faulty are 10 rows"),
    "only zeros": (changed(7, 0, 0), "row 7, segment 0", "only zeros"),
    "no label at all": (np.zeros((10, 5, 4)), "row 0, segment 0", "only zeros; faulty are 10 rows"),
    "two events": (changed(4, 0, [1, 1, 0, 0]), "row 4, segment 0", "1 in the columns 0, 1"),
    "event and background": (changed(9, 1, [0, 0, 1, 1]), "row 9, segment 1", "1 in the columns 2, 3"),
    "nan": (changed(3, 4, np.nan), "row 3, segment 4", "nan in column 0"),
    "infinite": (changed(3, 4, [np.inf, 0, 0, 0]), "row 3, segment 4", "inf in column 0"),
    "negative": (changed(3, 4, [-1, 0, 0, 1]), "row 3, segment 4", "-1 in column 0"),
    "counts": (2 * one_hot(), "row 0, segment 0", "2 in column 0"),
    "nearly": (one_hot() * 0.9999, "row 0, segment 0", "0.9999 in column 0"),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", NOT_ONE_HOT)
def test_every_segment_is_one_hot_or_the_file_is_refused(folder, name, variant):
    values, where, found = NOT_ONE_HOT[name]
    folder.put(f"{variant}.h5", values)
    with pytest.raises(DataError, match="segment labels are not one-hot") as caught:
        opened(folder, labels=variant)
    assert caught.value.where.endswith(f"{variant}.h5, {where}")
    assert found in caught.value.found
    assert "--set dataset.labels=annotations" in caught.value.fix
    assert len(problems(folder, f"{variant}.h5")) == 1
    opened(folder)  # the annotations still do


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (np.zeros((10, 5, 3)), "does not match the annotations"),
        (np.zeros((10, 6, 4)), "does not match the annotations"),
        (np.zeros((9, 5, 4)), "wrong sizes"),
        (np.zeros((10, 5)), "wrong sizes"),
        (SEGMENTS, "wrong sizes"),
    ],
)
def test_label_files_of_other_sizes(folder, values, problem):
    folder.put("labels.h5", values)
    with pytest.raises(DataError, match=problem):
        opened(folder, labels="labels")
    assert len(problems(folder, "labels.h5")) == 1


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "u1", "i8", "?"])
def test_any_type_will_do(folder, dtype):
    folder.put("right_labels.h5", one_hot().astype(dtype))
    split = opened(folder, labels="right_labels").split("test")
    assert split.labels().tolist() == SEGMENTS[[8, 3, 7]].tolist()


# -- agreement with the annotations ----------------------------------------------------------------------------------


CONTRADICTIONS = {
    "background first": (np.roll(one_hot(), 1, axis=-1), "background in column 0 of 4"),
    "background second": (one_hot()[..., [0, 3, 1, 2]], "background in column 1 of 4"),
    "background everywhere": (np.eye(4)[np.full((10, 5), 3)], "a different event in 9 rows: 0, 1"),
    "event everywhere": (np.eye(4)[np.repeat(EVENTS[:, None], 5, axis=1)], "a different event in 8 rows"),
    "event and background swapped": (np.eye(4)[np.where(SEGMENTS == 3, EVENTS[:, None], 3)], "a different event in"),
    "backwards": (one_hot()[:, ::-1], "a different event in"),
    "a second late": (np.roll(one_hot(), 1, axis=1), "a different event in"),
    "rows of other videos": (np.roll(one_hot(), 1, axis=0), "a different event in"),
    "one category for all": (np.eye(4)[np.where(SEGMENTS == 3, 3, 1)], "a different event in 6 rows"),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_file_that_contradicts_the_annotations_is_refused(folder, name, variant):
    values, found = CONTRADICTIONS[name]
    folder.put(f"{variant}.h5", values)
    with pytest.raises(DataError, match="contradicts the annotations") as caught:
        opened(folder, labels=variant)
    assert found in caught.value.found
    assert caught.value.where.endswith(f"{variant}.h5")
    told = problems(folder, f"{variant}.h5")
    assert [(f.problem, f.found) for f in told] == [(caught.value.problem, caught.value.found)]


def test_a_variant_in_few_rows_is_used_and_said(folder):
    values = one_hot()
    values[4] = np.eye(4)[[1, 1, 2, 3, 3]]
    folder.put("labels.h5", values)
    with pytest.warns(DataWarning, match=r"labels\.h5 differs from Annotations\.txt in 1 row: 4"):
        split = opened(folder, labels="labels").split("train")
    assert split.labels()[2].tolist() == [1, 1, 2, 3, 3]
    assert split.events().tolist() == [2, 0, 2, 0, 1]  # the largest id of the video
    assert [f.found for f in problems(folder, "labels.h5", "warning")] == ["1 row: 4"]


def long_set(rows=facts.ROWS):
    """Annotations of AVE's length, two categories in turn, and their ids."""
    from avelzoo.data.reading.annotation_rows import Annotation

    made = [Annotation(i + 1, ("Dog", "Flute")[i % 2], f"v{i}", "good", 0, 5) for i in range(rows)]
    ids = np.where(np.arange(10) < 5, (np.arange(rows) % 2)[:, None], 2)
    return made, ids


def test_known_rows_of_ave_may_hold_two_categories(tmp_path):
    rows, ids = long_set()
    annotations = AnnotationLines(tmp_path / "Annotations.txt", tuple(rows))
    labels = np.eye(3, dtype=np.uint8)[ids]
    labels[171, :5] = [1, 1, 0]
    labels[2189, 5:] = [1, 0, 0]
    write(tmp_path / "labels.h5", labels)
    read = read_segments(tmp_path / "labels.h5", annotations, 10)
    assert read.note == ""
    assert read.segments[171].tolist() == [1] * 5 + [2] * 5
    write(tmp_path / "right_labels.h5", labels)
    with pytest.raises(DataError, match="not one-hot"):
        read_segments(tmp_path / "right_labels.h5", annotations, 10)
    labels[172, 0] = [1, 1, 0]
    write(tmp_path / "labels.h5", labels)
    with pytest.raises(DataError, match="not one-hot") as caught:
        read_segments(tmp_path / "labels.h5", annotations, 10)
    assert caught.value.where.endswith("row 172, segment 0")


# -- category ids ----------------------------------------------------------------------------------------------------


ORDER = [2, 0, 1, 3]  # column of every category by its id in the annotations


def permuted(order=ORDER):
    return np.eye(4, dtype=np.float32)[np.array(order)[SEGMENTS]]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_permutation_of_the_categories_renames_the_ids(folder, variant):
    folder.put(f"{variant}.h5", permuted())
    with pytest.warns(DataWarning, match=f"category ids follow {variant}.h5"):
        dataset = opened(folder, labels=variant)
    assert dataset.spec.categories == ("Dog", "Flute", "Bell, church")
    split = dataset.split("train")
    assert split.labels().tolist() == np.array(ORDER)[SEGMENTS[[9, 0, 4, 2, 5]]].tolist()
    assert [dataset.spec.categories[e] for e in split.events()] == [NAMES[EVENTS[r]] for r in (9, 0, 4, 2, 5)]


@pytest.mark.parametrize("variant", ["labels.h5", "right_labels.h5", "mil_labels.h5", "prob_label.h5"])
def test_the_doctor_prints_a_permutation(folder, variant):
    folder.put(variant, folder.labels()[variant][..., np.argsort(ORDER)])
    (told,) = problems(folder, variant, "warning")
    assert told.problem == "category ids are a permutation of the annotations' ids"
    names = "0 is 'Dog' (1 in the annotations), 1 is 'Flute' (2 in the annotations), 2 is 'Bell, church' (0 in the"
    assert names in told.found
    assert "categories.txt" in told.fix
    assert ("--set dataset.labels=" in told.fix) == (variant in ("labels.h5", "right_labels.h5"))


def test_categories_txt_decides(folder):
    (folder.root / "categories.txt").write_text("Dog\nFlute\nBell, church\n")
    folder.put("right_labels.h5", permuted())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for labels in ("annotations", "right_labels"):
            dataset = opened(folder, labels=labels)
            assert dataset.spec.categories == ("Dog", "Flute", "Bell, church")
            assert dataset.split("val").labels().tolist() == np.array(ORDER)[SEGMENTS[[1, 6]]].tolist()
    assert "categories.txt" in dataset.fingerprint()
    assert problems(folder, "right_labels.h5", "warning") == []
    folder.put("right_labels.h5", one_hot())
    with pytest.raises(DataError, match=r"differently from categories\.txt") as caught:
        opened(folder, labels="right_labels")
    assert "0 is 'Bell, church' (2 in the annotations)" in caught.value.found


def test_columns():
    columns = Columns((2, 0, 1), 3)
    assert (columns.permutes, columns.same, identity(3).same) == (True, False, True)
    assert columns.names("abc") == ("b", "c", "a")
    assert describe(Columns((1, 0, 2), 3), "abc") == "0 is 'b' (1 in the annotations), 1 is 'a' (0 in the annotations)"
    assert not Columns((1, 2, 3), 0).permutes


@pytest.mark.parametrize("n", [2, 3, 7])
def test_match_finds_any_permutation(n):
    rng = np.random.default_rng(n)
    for _ in range(20):
        order = rng.permutation(n + 1)
        events = np.concatenate([np.arange(n), rng.integers(0, n, 40)])
        background = rng.choice([0.0, 0.3, 0.8], len(events))
        shares = np.zeros((len(events), n + 1))
        shares[np.arange(len(events)), order[events]] = 1 - background
        shares[:, order[n]] = background
        assert match(shares, events, background) == Columns(tuple(order[:n].tolist()), int(order[n]))


def test_match_keeps_the_ids_of_absent_categories():
    shares = np.eye(5)[[1, 1, 0, 0]]
    assert match(shares, np.array([0, 0, 1, 1]), np.zeros(4)) == Columns((1, 0, 2, 3), 4)
    assert match(np.eye(4)[[1, 1]], np.array([0, 0]), np.zeros(2)) == Columns((1, 0, 2), 3)
    assert match(np.eye(4)[[1, 1]], np.array([0, 1]), np.zeros(2)) == identity(3)


# -- weak label files ------------------------------------------------------------------------------------------------


def shares_of(folder, **changes):
    values = folder.labels()["prob_label.h5"].copy()
    for row, row_values in changes.items():
        values[int(row[1:])] = row_values
    return values


BAD_SHARES = {
    "negative": ({"r3": [-0.5, 0, 0, 1.5]}, "not between 0 and 1", "row 3"),
    "too much": ({"r3": [1, 0, 0, 1]}, "do not sum to 1", "row 3"),
    "zeros": ({"r0": [0, 0, 0, 0]}, "do not sum to 1", "row 0"),
    "nan": ({"r0": [np.nan, 0, 0, 0]}, "non-finite", "row 0"),
}


@pytest.mark.parametrize("name", BAD_SHARES)
def test_shares_that_are_none(folder, name):
    changes, problem, where = BAD_SHARES[name]
    folder.put("prob_label.h5", shares_of(folder, **changes))
    with pytest.raises(DataError, match=problem) as caught:
        opened(folder, "weak", weak_protocol="soft-duration")
    assert where in caught.value.where
    assert len(problems(folder, "prob_label.h5")) == 1
    opened(folder, "weak")


def test_shares_that_contradict(folder):
    folder.put("prob_label.h5", np.roll(shares_of(folder), 1, axis=-1))
    with pytest.raises(DataError, match="contradicts the annotations") as caught:
        opened(folder, "weak", weak_protocol="soft-duration")
    assert caught.value.found == "background in column 0 of 4"
    assert "remove it" in caught.value.fix
    assert [f.found for f in problems(folder, "prob_label.h5")] == [caught.value.found]


@pytest.mark.parametrize("values", [np.roll(np.eye(4)[EVENTS], 1, axis=-1), np.eye(4)[EVENTS[::-1]]])
def test_video_labels_that_contradict(folder, values):
    folder.put("mil_labels.h5", values)
    assert len(problems(folder, "mil_labels.h5")) == 1


@pytest.mark.parametrize(
    "values",
    [np.eye(4)[[0, 0]], np.eye(4)[[3, 0]], np.full((2, 4), 0.25), np.zeros((2, 4)), np.array([[0, 0, 0, 1]] * 2) * 2],
)
def test_labels_of_negatives(folder, values):
    folder.put("labels_noisy.h5", values)
    with pytest.raises(DataError, match="not labelled as background"):
        opened(folder, "weak")
    assert len(problems(folder, "labels_noisy.h5")) == 1


def test_a_comparison_counts_its_rows(folder):
    annotations = read_annotations(folder.root / "Annotations.txt")
    segments = annotations.segments(5)
    assert compare("labels.h5", segments, annotations, segments).wrong.size == 0
    other = segments.copy()
    other[[1, 4]] = 3
    found = compare("labels.h5", other, annotations, segments)
    assert (found.wrong.tolist(), found.columns.same, found.contradicts) == ([1, 4], True, True)


def test_run_refuses_with_one_message(folder, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder.put("right_labels.h5", np.roll(one_hot(), 1, axis=-1))
    argv = ["run", "ead-b", "--data", str(folder.root), "--set", "dataset.labels=right_labels", "--epochs", "1"]
    assert main([*argv, "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["problem"] == "a label file contradicts the annotations"
    assert not (tmp_path / "runs").exists()
