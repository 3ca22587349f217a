"""The extractors that a system needs, rebuilt from what the run recorded or as the user names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from avelzoo.engine import LoadedRun
from avelzoo.errors import RunError, UsageError
from avelzoo.extraction.naming import extractor_config, require_modality
from avelzoo.extractors import Extractor, FindWeights, Modality, recipe_id
from avelzoo.plugin.registry import Registry

NAMED_AUDIO, NAMED_VISUAL = "yamnet", "timm:tf_efficientnet_lite0"
"""Extractors with classes, for events by name."""


@dataclass(frozen=True)
class Front:
    """Both extractors, and the length of a segment.

    Attributes:
        visual: extractor of pictures.
        audio: extractor of sound.
        seconds: length of a segment.
        notices: what the user should know of them, one sentence each.
    """

    visual: Extractor
    audio: Extractor
    seconds: float
    notices: tuple[str, ...] = ()

    @property
    def recipes(self) -> dict[str, str]:
        """Recipe ids by modality."""
        return {"visual": recipe_id(self.visual.recipe), "audio": recipe_id(self.audio.recipe)}


def front_of(
    run: LoadedRun,
    registry: Registry,
    find: FindWeights,
    *,
    device: str = "cpu",
    visual: str | None = None,
    audio: str | None = None,
    force: bool = False,
    scores: bool = False,
) -> Front:
    """The extractors that made a run's training features.

    Args:
        run: the run.
        registry: registry of the extractors.
        find: finds weights.
        device: device of the networks.
        visual: name of the visual extractor, for runs whose data do not say which one made them.
        audio: name of the audio extractor, for the same.
        force: accept extractors of another recipe.
        scores: the model reads scores of classes, not the features themselves.

    Raises:
        UsageError: the run does not say how its features were made, and no extractors are named.
        RunError: the extractors differ from those of the training, or their features do not fit the model.
        DataError: weights are missing.
    """
    record = run.extraction
    if record is None and (visual is None or audio is None):
        raise UsageError(
            "the run does not say how its features were made",
            where=str(run.path),
            found=f"features of {run.spec.audio_dim} audio channels and a visual grid of {run.spec.grid[0]}x"
            f"{run.spec.grid[1]}x{run.spec.visual_dim}, without a record of their extraction",
            expected="a run trained on a folder that `avelzoo extract` made",
            fix="train on such a folder, or name the extractors with --visual NAME and --audio NAME",
        )
    named: dict[Modality, str | None] = {"visual": visual, "audio": audio}
    built = {m: _built(registry, find, m, name, device=device, record=record) for m, name in named.items()}
    front = Front(built["visual"], built["audio"], record["seconds"] if record else run.spec.seconds_per_segment)
    faults = [] if record is None else [m for m in built if front.recipes[m] != record[m]["recipe_id"]]
    if faults and not force:
        assert record is not None
        raise RunError(
            "the features would be made by another recipe than those the run was trained on",
            where=str(run.path),
            found=", ".join(f"{m} {front.recipes[m]}" for m in faults),
            expected=", ".join(f"{m} {record[m]['recipe_id']}" for m in faults),
            fix="use the same weights and options as in the extraction, or accept other features with --force",
        )
    if not scores:
        _require_shapes(run, front)
    said = []
    if record is None:
        said.append("the run does not say how its features were made; the named extractors are taken on trust")
    said += [f"forced: {m} features of another recipe ({front.recipes[m]}) than in training" for m in faults]
    return Front(front.visual, front.audio, front.seconds, tuple(said))


def named_front(
    registry: Registry, find: FindWeights, *, device: str = "cpu", visual: str | None = None, audio: str | None = None
) -> Front:
    """Extractors with classes: YAMNet (AudioSet) and EfficientNet-Lite0 (ImageNet), unless others are named.

    Raises:
        DataError: weights are missing.
    """
    pictures = _built(registry, find, "visual", visual or NAMED_VISUAL, device=device)
    return Front(pictures, _built(registry, find, "audio", audio or NAMED_AUDIO, device=device), 1.0)


def _built(
    registry: Registry,
    find: FindWeights,
    modality: Modality,
    name: str | None,
    *,
    device: str,
    record: Mapping[str, Any] | None = None,
) -> Extractor:
    options: Mapping[str, Any] = {}
    precision = "32"
    if name is None:
        assert record is not None
        name, options = record[modality]["extractor"], record[modality]["options"]
        precision = record[modality]["recipe"].get("precision", precision)
    config = extractor_config(registry, name, options)
    require_modality(config, modality, name)
    return config.build(find, device=device, precision=precision)


def _require_shapes(run: LoadedRun, front: Front) -> None:
    expected = {"visual": (*run.spec.grid, run.spec.visual_dim), "audio": (run.spec.audio_dim,)}
    found = {"visual": tuple(front.visual.shape), "audio": tuple(front.audio.shape)}
    faults = [m for m in expected if expected[m] != found[m]]
    if faults:
        raise RunError(
            "the extractors' features do not fit the run",
            where=str(run.path),
            found=", ".join(f"{m} {found[m]}" for m in faults),
            expected=", ".join(f"{m} {expected[m]}" for m in faults),
            fix="name the extractors that made the training features",
        )
