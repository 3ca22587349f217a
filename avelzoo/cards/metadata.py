"""Results of a run as the metadata of a model card, and as a file of evaluation results.

Two conventions of the Hugging Face Hub, as documented in 2026: ``model-index`` in the front matter of ``README.md``
(hub-docs, modelcard.md), and its simpler successor, files in ``.eval_results/`` (hub documentation, "Evaluation
Results"). The Hub shows the latter for data sets that are registered there as benchmarks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from avelzoo.comparing import Comparison
from avelzoo.metrics import Scores
from avelzoo.metrics.signature import Signature

TASK = {"type": "video-classification", "name": "Audio-visual event localization"}
TAGS = ("audio-visual-event-localization", "video", "audio", "multimodal")
FILE = ".eval_results/avelzoo.yaml"


@dataclass(frozen=True, kw_only=True)
class CardResult:
    """One number of a card, in percent.

    Attributes:
        kind: the Hub's identifier of the metric.
        name: name in words.
        value: value in percent.
    """

    kind: str
    name: str
    value: float


def card_results(scores: Scores) -> tuple[CardResult, ...]:
    """The headline number, and those that say what it is worth."""
    found = [
        ("accuracy", "segment accuracy", scores.segment_accuracy),
        ("accuracy", "video category accuracy", scores.category_accuracy),
        ("accuracy", "event/background balanced accuracy", scores.foreground_background.balanced_accuracy),
        ("accuracy", "segment accuracy on partial events", scores.partial_event.segment_accuracy),
        ("mean_iou", "segment IoU where the category is right", scores.localization.segment_iou),
        ("f1", "event F1 at IoU 0.5", scores.event_f1_iou50),
    ]
    return tuple(
        CardResult(kind=kind, name=name, value=round(100 * value, 2))
        for kind, name, value in found
        if value is not None
    )


def front_matter(
    name: str, scores: Scores, signature: Signature, recipe: str, *, dataset: str, license_id: str | None
) -> dict[str, Any]:
    """Metadata of ``README.md``.

    Args:
        name: name of the model.
        scores: its scores on the split of the signature.
        signature: how the scores were measured.
        recipe: name of the recipe, a tag.
        dataset: identifier of the data set on the Hub, or its name here.
        license_id: the Hub's identifier of a license; None to leave it out.
    """
    results = card_results(scores)
    about = f"{signature.dataset}, {signature.split} split of {signature.videos} videos"
    entry = {
        "task": TASK,
        "dataset": {"type": dataset, "name": about, "split": signature.split},
        "metrics": [{"type": one.kind, "name": f"{one.name} (%)", "value": one.value} for one in results],
    }
    data: dict[str, Any] = {} if license_id is None else {"license": license_id}
    return data | {
        "library_name": "avelzoo",
        "tags": [*TAGS, recipe],
        "datasets": [dataset],
        "metrics": list(dict.fromkeys(one.kind for one in results)),
        "model-index": [{"name": name, "results": [entry]}],
    }


def evaluation_file(found: Comparison, signature: Signature, *, dataset: str, task: str) -> list[Mapping[str, Any]]:
    """Content of a file in ``.eval_results/``: segment accuracy, with its interval and signature as notes.

    Args:
        found: comparison of the one run.
        signature: signature of its number.
        dataset: identifier of the data set on the Hub, or its name here.
        task: identifier of the task in the benchmark.
    """
    row = found.rows[0]
    floor = f"floor of the true category everywhere {100 * row.floors.category_oracle:.1f}; " if row.floors else ""
    interval = f"{100 * found.level:g} % interval {100 * row.interval.low:.1f} to {100 * row.interval.high:.1f}"
    return [
        {
            "dataset": {"id": dataset, "task_id": task},
            "value": round(100 * row.mean, 2),
            "notes": f"segment accuracy in percent; {interval}; {floor}signature {signature}",
        }
    ]
