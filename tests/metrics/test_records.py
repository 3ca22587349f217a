from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from avelzoo.errors import DataError
from avelzoo.metrics import PredictionArrays, Truth, score
from avelzoo.records import Predictions
from tests.metrics.cases import random_case


def fields(**changes: Any) -> dict[str, Any]:
    """Arguments of good answers for two videos of three segments and two categories, with changes."""
    good: dict[str, Any] = {
        "segments": np.array([[0, 2, 2], [1, 1, 2]]),
        "category": np.array([0, 1]),
        "category_scores": np.array([[0.9, 0.1], [0.2, 0.8]]),
        "relevance": np.array([[0.9, 0.2, 0.1], [0.8, 0.7, 0.3]]),
    }
    return good | changes


def test_answers_take_any_width_and_keep_one() -> None:
    found = PredictionArrays(**fields(segments=np.array([[0, 2, 2], [1, 1, 2]], dtype=np.uint8)))
    assert {found.segments.dtype, found.category.dtype} == {np.dtype(np.int64)}
    assert {found.category_scores.dtype, found.relevance.dtype} == {np.dtype(np.float32)}
    assert found.n == 2


@pytest.mark.parametrize(
    ("change", "where", "found"),
    [
        ({"segments": np.array([[0, 3, 2], [1, 1, 2]])}, "predictions.segments", "0..3"),
        ({"segments": np.array([[0, -1, 2], [1, 1, 2]])}, "predictions.segments", "-1..2"),
        ({"segments": np.array([0, 1])}, "predictions.segments", "(2,)"),
        ({"segments": np.zeros((2, 3))}, "predictions.segments", "float64"),
        ({"segments": np.zeros((2, 0), dtype=int)}, "predictions.segments", "(2, 0)"),
        ({"category": np.array([0, 2])}, "predictions.category", "0..2"),
        ({"category": np.array([0])}, "predictions.category", "(1,)"),
        ({"category_scores": np.zeros((0, 2))}, "predictions.category_scores", "(0, 2)"),
        ({"category_scores": np.full((2, 2), np.nan)}, "predictions.category_scores", "4 NaN"),
        ({"category_scores": np.zeros((2, 2), dtype=int)}, "predictions.category_scores", "int64"),
        ({"relevance": np.zeros((2, 4))}, "predictions.relevance", "(2, 4)"),
        ({"relevance": np.full((2, 3), 1.1)}, "predictions.relevance", "1.1"),
        ({"relevance": np.full((2, 3), np.nan)}, "predictions.relevance", "6 NaN"),
    ],
)
def test_unfit_answers_are_refused(change: dict[str, Any], where: str, found: str) -> None:
    with pytest.raises(DataError) as caught:
        PredictionArrays(**fields(**change))
    assert caught.value.where == where
    assert found in caught.value.found
    assert caught.value.expected
    assert caught.value.fix


def test_rounding_beyond_one_is_clipped_and_the_input_left_alone() -> None:
    relevance = np.full((2, 3), 1 + 1e-6, dtype=np.float32)
    assert PredictionArrays(**fields(relevance=relevance)).relevance.max() == 1
    assert relevance.max() > 1


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"segments": np.array([[0, 3]])}, "truth.segments"),
        ({"segments": np.zeros((0, 2), dtype=int), "events": np.zeros(0, dtype=int)}, "truth.segments"),
        ({"events": np.array([3])}, "truth.events"),
        ({"events": np.array([0, 1])}, "truth.events"),
        ({"categories": ()}, "truth.categories"),
        ({"seconds_per_segment": 0.0}, "truth.seconds_per_segment"),
        ({"seconds_per_segment": float("nan")}, "truth.seconds_per_segment"),
    ],
)
def test_unfit_truths_are_refused(change: dict[str, Any], where: str) -> None:
    good: dict[str, Any] = {"segments": np.array([[0, 2]]), "events": np.array([0]), "categories": ("a", "b")}
    with pytest.raises(DataError) as caught:
        Truth(**(good | change))
    assert caught.value.where == where


def predictions(predictions: PredictionArrays, start: int, stop: int) -> Predictions:
    names = ("segments", "category", "category_scores", "relevance")
    return Predictions(**{name: torch.from_numpy(getattr(predictions, name)[start:stop]) for name in names})


def test_batches_are_joined_in_order() -> None:
    whole, _ = random_case(3, videos=7, length=4, n=3)
    joined = PredictionArrays.from_predictions([predictions(whole, i, j) for i, j in ((0, 3), (3, 4), (4, 7))])
    for name in ("segments", "category", "category_scores", "relevance"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name))


def test_batches_that_differ_or_are_missing_are_refused() -> None:
    first, _ = random_case(0, videos=2, length=4, n=3)
    second, _ = random_case(0, videos=2, length=5, n=3)
    with pytest.raises(DataError, match="differ in shape"):
        PredictionArrays.from_predictions([predictions(first, 0, 2), predictions(second, 0, 2)])
    with pytest.raises(DataError, match="differ in shape"):
        PredictionArrays.from_predictions([])


def test_answers_of_another_split_are_refused() -> None:
    predictions, _ = random_case(0, videos=3, length=4, n=3)
    for videos, length, n in ((2, 4, 3), (3, 5, 3), (3, 4, 2)):
        _, truth = random_case(0, videos=videos, length=length, n=n)
        with pytest.raises(DataError) as caught:
            score(predictions, truth)
        assert caught.value.found == "3 videos of 4 segments, 3 categories"
        assert caught.value.expected == f"{videos} videos of {length} segments, {n} categories"


def test_an_unfit_reference_is_refused_by_name() -> None:
    predictions, truth = random_case(0, videos=3, length=4, n=3)
    with pytest.raises(DataError) as caught:
        score(predictions, truth, references={"bias": np.zeros((3, 5), dtype=int)})
    assert "bias" in caught.value.where


def test_decoded_answers_come_over_whole() -> None:
    scores = torch.tensor([[0.25, 2.0]], dtype=torch.bfloat16, requires_grad=True)
    found = PredictionArrays.from_predictions(
        [
            Predictions(
                segments=torch.tensor([[1, 2]]),
                category=torch.tensor([1]),
                category_scores=scores,
                relevance=torch.tensor([[0.75, 0.25]], dtype=torch.bfloat16),
            )
        ]
    )
    np.testing.assert_array_equal(found.segments, [[1, 2]])
    np.testing.assert_array_equal(found.category, [1])
    np.testing.assert_array_equal(found.category_scores, [[0.25, 2.0]])
    np.testing.assert_array_equal(found.relevance, [[0.75, 0.25]])


def test_the_scores_need_no_torch() -> None:
    program = "import sys, avelzoo.metrics; sys.exit(int('torch' in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
