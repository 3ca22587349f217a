"""Splits: order files that fit by accident or not at all, and text splits."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from avelzoo.builtin.datasets.configs import AveConfig
from avelzoo.data.checking.doctor import examine
from avelzoo.data.checking.status import status
from avelzoo.errors import DataError
from tests.data.conftest import LINES, ORDERS


def opened(folder):
    return AveConfig(root=folder.root).open("full")


def errors(folder):
    return [f for f in examine(folder.root, quick=True).findings if f.level == "error"]


def test_counting_from_one_is_said_once(folder):
    for name, rows in ORDERS.items():
        folder.put(f"{name}_order.h5", np.array(rows) + 1, "order")
    with pytest.raises(DataError, match="rows that do not exist") as caught:
        opened(folder)
    assert caught.value.found == "10"
    assert "seems to count from 1: subtract 1" in caught.value.fix
    (told,) = errors(folder)
    assert (told.file, told.fix) == ("train_order.h5", caught.value.fix)


@pytest.mark.parametrize("rows", [[0, 10], [9, 11], [-1, 4]])
def test_other_rows_that_do_not_exist_do_not_count_from_one(folder, rows):
    folder.put("train_order.h5", rows, "order")
    (told,) = errors(folder)
    assert "count from 1" not in told.fix


@pytest.mark.parametrize(("shape", "one_axis"), [((5, 1), "(5,)"), ((1, 5), "(5,)"), ((), None)])
def test_an_order_that_is_no_list(folder, shape, one_axis):
    folder.put("train_order.h5", np.array(ORDERS["train"][: max(1, np.prod(shape, dtype=int))]).reshape(shape or (1,)))
    if one_axis is None:
        with h5py.File(folder.root / "train_order.h5", "w") as file:
            file["order"] = 3
    with pytest.raises(DataError) as caught:
        opened(folder)
    assert len(errors(folder)) == 1
    if one_axis:
        assert (caught.value.found, caught.value.expected) == (f"shape {shape}", f"one axis: {one_axis}")
        assert "reshape(-1)" in caught.value.fix


@pytest.mark.parametrize(
    ("name", "purpose"), [("train", "train the model"), ("val", "select the epoch"), ("test", "the reported scores")]
)
def test_an_empty_split_says_what_it_is_for(folder, name, purpose):
    folder.put(f"{name}_order.h5", np.zeros(0, int), "order")
    with pytest.raises(DataError, match=f"the {name} split is empty") as caught:
        opened(folder)
    assert purpose in caught.value.expected
    assert [f.problem for f in errors(folder)] == [f"the {name} split is empty"]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [([9, 0, 0], "more than once"), ([0.5, 1], "non-integer"), ([np.inf, 1], "non-integer"), ([9, 0, 1], "share rows")],
)
def test_every_error_is_listed_once(folder, rows, problem):
    folder.put("train_order.h5", rows, "order")
    assert [problem in f.problem for f in errors(folder)] == [True]


def test_a_damaged_order_file_is_listed_once(folder):
    folder.cut("val_order.h5")
    assert len(errors(folder)) == 1


# -- text splits -----------------------------------------------------------------------------------------------------


@pytest.fixture
def texts(folder):
    """The folder with text splits in place of order files."""
    for name, rows in ORDERS.items():
        (folder.root / f"{name}_order.h5").unlink()
        (folder.root / f"{name}Set.txt").write_text("".join(f"{LINES[row]}\n" for row in rows))
    return folder


def test_text_splits_are_read(texts):
    dataset = opened(texts)
    for name, rows in ORDERS.items():
        assert dataset.split(name).fetch(range(len(rows)))[0].rows.tolist() == rows
    assert {f"{name}Set.txt" for name in ORDERS} <= set(dataset.fingerprint())
    assert errors(texts) == []
    allows = {ability.name: ability.missing["vggish"] for ability in status(texts.root).abilities}
    assert allows["full"] == ()


def test_order_files_come_first(texts):
    texts.put("train_order.h5", ORDERS["train"], "order")
    with pytest.raises(DataError, match=r"missing: val_order\.h5") as caught:
        opened(texts)
    assert "trainSet.txt, valSet.txt, testSet.txt" in caught.value.found


def test_incomplete_text_splits_are_named(texts):
    (texts.root / "valSet.txt").unlink()
    with pytest.raises(DataError, match=r"missing: train_order\.h5") as caught:
        opened(texts)
    assert "trainSet.txt, testSet.txt" in caught.value.found


@pytest.mark.parametrize(
    ("line", "problem", "where"),
    [
        ("Flute&v1&good&1&3", "that is not in the annotations", "valSet.txt, line 1"),
        (f"{LINES[1]}\n{LINES[1]}", "lists it twice", "valSet.txt, line 2"),
        ("Dog&v5", "not an annotation", "valSet.txt, line 1"),
        (LINES[9], "share rows", "trainSet.txt"),
        ("", "the val split is empty", "valSet.txt"),
    ],
)
def test_text_splits_that_do_not_fit(texts, line, problem, where):
    (texts.root / "valSet.txt").write_text(line)
    with pytest.raises(DataError, match=problem) as caught:
        opened(texts)
    assert caught.value.where.endswith(where)
    assert len(errors(texts)) == 1
