"""Prediction files made by hand, against labels made by hand; every expected number was computed on paper.

Test videos, 10 segments each; B Bark, C Church bell, M Male speech, . background:

    row  video  truth       prediction  right
    6    one    BBBBBBBBBB  BBBBBBBBBB  10
    7    two    ...CCCC...  ...CCCCCCC   7
    8    three  MMMMM.....  BBBBB.....   5
    9    bbb    .....BBBBB  ..........   5    (also in train, under another category)

27 of 40 are right. 24 segments are events and 16 background: floors 40 % and 60 %.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avelzoo.auditing import Audit, Reading, audit
from avelzoo.builtin.formats.scores import ScoresConfig
from avelzoo.timeline.records import Localization, SegmentScores

FILES = Path(__file__).parent / "files"
DATA = FILES / "data"


def of(name: str, **options: object) -> Audit:
    return audit(FILES / name, data=DATA, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def mixed() -> Audit:
    return of("names.jsonl", claim="67.5")


def test_labels_alone() -> None:
    """Bark is in more than half of its two training videos in segments 4-7, bell in 2-5, speech in 0-4.

    So the average windows have 4 + 8 + 10 + 7 = 29 right segments.
    """
    found = audit(data=DATA)
    assert (found.labels.videos, found.labels.segments, found.labels.categories) == (4, 40, 3)
    assert found.labels.background == 16 / 40
    assert found.labels.true_category == 24 / 40
    assert found.labels.average_window == 29 / 40
    assert (found.labels.partial_videos, found.labels.leaked_videos) == (3, 1)
    assert found.whole is None
    assert len(found.verdict) >= 3


FORMS = {
    "names.jsonl": "",
    "ids.jsonl": "0 is 'Bark', 3 is background",
    "minus-one.jsonl": "-1 is read as background",
    "from-one.jsonl": "1 is read as the first category",
    "wide.csv": "endings of file names are ignored",
    "long.csv": "numbered from 1",
    "mapping.json": "Read as background: none",
    "arrays.json": "0 is 'Bark'",
    "in-order.json": "order of the test split is assumed",
    "scores.jsonl": "",
    "table.tsv": "sum of its scores is above 0.5",
}


@pytest.mark.parametrize("name", FORMS)
def test_the_same_predictions_in_every_form(name: str) -> None:
    found = of(name)
    assert found.whole is not None
    assert (found.whole.right, found.whole.segments) == (27, 40)
    assert FORMS[name] in " ".join(found.notes)


def test_decomposition(mixed: Audit) -> None:
    scores = mixed.scores
    assert scores is not None
    assert scores.category_accuracy == 2 / 4  # one and two; bbb names no category, which counts as wrong
    assert scores.floors.own_category_all_event == (10 + 4 + 0 + 0) / 40
    both = scores.foreground_background
    assert both.foreground_recall == (10 + 4 + 5 + 0) / 24
    assert both.background_recall == (3 + 5 + 5) / 16
    assert both.balanced_accuracy == pytest.approx((19 / 24 + 13 / 16) / 2)
    assert scores.localization.segment_iou == pytest.approx((1 + 4 / 7) / 2)
    assert scores.localization.boundary_error_seconds == (0 + 0 + 0 + 3) / 4  # starts right, one end 3 s late
    assert scores.partial_event.segment_accuracy == (7 + 5 + 5) / 30
    assert scores.event_f1_iou50 == 2 * 2 / (3 + 4)  # bell: IoU 4/7; speech has the wrong category
    assert scores.macro.segment_accuracy == pytest.approx((15 / 20 + 7 / 10 + 5 / 10) / 3)
    assert any("neither a category nor an event" in note for note in mixed.notes)


def test_leak_free_and_groups(mixed: Audit) -> None:
    assert mixed.leak_free is not None
    assert (mixed.leak_free.videos, mixed.leak_free.right, mixed.leak_free.segments) == (3, 22, 30)
    by_length = {part.name: (part.videos, part.right) for part in mixed.groups["run length"]}
    assert by_length == {"4 event segments": (1, 7), "5 event segments": (2, 10), "10 event segments": (1, 10)}
    by_category = {part.name: part.right for part in mixed.groups["category"]}
    assert by_category == {"Bark": 15, "Church bell": 7, "Male speech, man speaking": 5}


def test_verdict(mixed: Audit) -> None:
    text = " ".join(mixed.verdict)
    assert 3 <= len(mixed.verdict) <= 8
    assert "27 of 40 segments of test are right: 67.5 %" in text
    assert "7.5 points above 60.0 %" in text
    assert "Localization adds 32.5 points" in text
    assert "1 of the 4 videos of test is also in train" in text
    assert "the other 3 score 73.3 %" in text
    assert "The claimed 67.5 % is inside the interval, and the file's score prints as it." in text
    assert "27 of 40 segments are 67.5 % after rounding." in text


def test_signature(mixed: Audit) -> None:
    found = mixed.signature
    assert (found.dataset, found.split, found.videos, found.labels) == ("ave", "test", 4, "annotations")
    assert (found.supervision, found.selection, found.seeds) == ("?", "?", None)
    assert found.interval.startswith("video-")
    assert found.data_hash == audit(data=DATA).signature.data_hash
    told = of("names.jsonl", supervision="weak", selection="test").signature
    assert (told.supervision, told.selection) == ("weak", "test")


def test_event_everywhere_equals_its_floor() -> None:
    found = of("all-event.csv")
    assert found.whole is not None
    assert found.scores is not None
    assert found.whole.right == 24
    assert found.scores.category_accuracy == 1
    assert found.scores.foreground_background.balanced_accuracy == 0.5
    assert "That equals 60.0 %" in found.verdict[1]
    assert "would score the same" in found.verdict[2]


def test_background_everywhere() -> None:
    found = of("background.jsonl")
    assert found.whole is not None
    assert found.scores is not None
    assert found.whole.right == 16
    assert found.scores.event_f1_iou50 == 0
    assert found.scores.category_accuracy == 0
    assert "20.0 points below 60.0 %" in found.verdict[1]
    assert found.nameless == 4
    assert "background in every segment, which localizes nothing" in found.verdict[2]


def test_positions_in_the_split_are_recognized_and_the_truth_scores_1() -> None:
    found = of("truth.jsonl")
    assert found.whole is not None
    assert found.whole.right == 40
    assert any("positions in the test split, from 0" in note for note in found.notes)


def test_background_as_0_must_be_chosen() -> None:
    """As the ids stand, 0 is Bark and 3 background: only 5 segments are right; 27 if 0 is background."""
    with pytest.raises(Exception, match="count from background = 0") as caught:
        of("background-first.jsonl")
    assert "67.5%" in str(caught.value)
    found = of("background-first.jsonl", reading=Reading(ids="background-first"))
    assert found.whole is not None
    assert found.whole.right == 27


def test_two_files_are_compared_in_pairs() -> None:
    found = audit(FILES / "truth.jsonl", FILES / "names.jsonl", data=DATA).comparison
    assert found is not None
    pair = found.pair("truth", "names")
    assert pair.difference.value == pytest.approx(13 / 40)
    assert pair.exact  # videos two, three and bbb differ, each in favour of the truth
    assert pair.p == 2 / 8  # of the 8 ways to swap three videos, two are as extreme


def test_npz_and_npy(tmp_path: Path) -> None:
    ids = np.array([[0] * 10, [3] * 3 + [1] * 7, [0] * 5 + [3] * 5, [3] * 10])
    names = np.array(["one", "two", "three", "bbb"])
    order = [2, 0, 3, 1]
    np.savez(tmp_path / "ids.npz", segments=ids[order], video_ids=names[order])
    np.savez(tmp_path / "scores.npz", scores=np.eye(4)[ids], video_ids=names)
    np.savez(tmp_path / "names.npz", segments=np.array(["Bark", "Church bell", "x", "none"])[ids], video_ids=names)
    np.save(tmp_path / "ids.npy", ids.astype(np.float32))
    for name in ("ids.npz", "scores.npz", "names.npz", "ids.npy"):
        found = audit(tmp_path / name, data=DATA).whole
        assert found is not None
        assert found.right == 27, name


def test_relevance_decides_where_scores_have_no_background(tmp_path: Path) -> None:
    """Relevance 0.6 in events and 0.4 elsewhere; at 0.7, everything is background, which has 16 right."""
    ids = np.array([[0] * 10, [3] * 3 + [1] * 7, [0] * 5 + [3] * 5, [3] * 10])
    np.savez(tmp_path / "p.npz", scores=np.eye(4)[ids][:, :, :3] * 9 - 2, relevance=np.where(ids == 3, 0.4, 0.6))
    found = audit(tmp_path / "p.npz", data=DATA)
    assert found.whole is not None
    assert found.whole.right == 27
    assert found.calibrated
    strict = audit(tmp_path / "p.npz", data=DATA, reading=Reading(threshold=0.7)).whole
    assert strict is not None
    assert strict.right == 16


def test_score_tables_of_predict(tmp_path: Path) -> None:
    """A file per video, as `avelzoo predict --format scores` writes them: relevance 0.9 in events, 0.2 elsewhere."""
    ids = np.array([[0] * 10, [3] * 3 + [1] * 7, [0] * 5 + [3] * 5, [3] * 10])
    for name, row in zip(("one", "two", "three", "bbb"), ids, strict=True):
        scores = SegmentScores(
            categories=("Bark", "Church bell", "Male speech, man speaking"),
            seconds_per_segment=1.0,
            relevance=np.where(row == 3, 0.2, 0.9).astype(np.float32),
            category_scores=(0.25 + 0.25 * np.eye(4)[row][:, :3]).astype(np.float32),
        )
        text = ScoresConfig().text(Localization(path=name, status="ok", duration=10.0, scores=scores))
        (tmp_path / f"{name}.scores.tsv").write_text(text, "utf-8")
    found = audit(tmp_path, data=DATA)
    assert found.whole is not None
    assert (found.format, found.whole.right) == ("tsv", 27)
