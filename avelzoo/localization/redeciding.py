"""Another threshold or decoder for stored scores, without inference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from avelzoo.engine import LoadedRun, load_run
from avelzoo.engine.rundir import RunDir
from avelzoo.errors import AvelzooError, CompositionError, RunError, UsageError
from avelzoo.localization.deciding import Rule
from avelzoo.localization.storing import Stored
from avelzoo.localization.systems import NAMED_SCORES, tuned_rule, weights_identity
from avelzoo.metrics import several_runs
from avelzoo.metrics.stored import load_predictions
from avelzoo.plugin.registry import Registry


def val_rule(registry: Registry, run: Path | None, scored: Stored) -> Rule:
    """The rule with the threshold that a run's training chose on val.

    Raises:
        UsageError: no run is known, it has no such threshold, or did not make the scores.
        RunError: the run folder is damaged.
    """
    if run is None:
        raise UsageError("without training there is no threshold chosen on val", fix="name a number in [0, 1]")
    return tuned_rule(_run_of(registry, run, scored).model)


def decoder_rule(registry: Registry, name: str, run: Path | None, scored: Stored) -> tuple[Rule, Sequence[str]]:
    """A decoder's rule, with its values chosen on the val predictions that a run stored, and notices.

    Args:
        registry: registry of the decoders.
        name: name of the decoder.
        run: run folder.
        scored: a video with stored scores.

    Raises:
        UnknownNameError: no decoder has this name.
        UsageError: no run is known, or it did not make the scores.
        RunError: the run folder is damaged, or has no predictions on val.
        CompositionError: the decoder needs single runs of segments, or scores by modality that the run has not.
    """
    config = registry.get("decoder", name).target()
    if run is None:
        raise UsageError(
            f"the decoder '{name}' chooses its values on a run's val split",
            found="no run",
            fix="name the run folder with --run",
        )
    loaded = _run_of(registry, run, scored)
    file = RunDir(run).predictions
    if not file.exists():
        raise RunError(
            "the run has no predictions on val",
            where=str(file),
            fix="finish the run with `avelzoo run --resume RUN_DIR`",
        )
    _, found, truth = load_predictions(file, "val")
    notices = []
    several = _several(loaded) if config.single_runs else False
    if several is None:
        notices.append(f"the decoder '{name}' finds one event run per video; the run's training data are not at hand")
    if config.single_runs and (several or several_runs(truth.segments, truth.background)):
        raise CompositionError(
            f"the decoder '{name}' finds one event run per video",
            found="videos with several event runs in the data of the run",
            fix="use another decoder",
        )
    if config.reads(loaded.composition.recipe.supervision) and found.audio_scores is None:
        raise CompositionError(
            f"the decoder '{name}' needs scores of each modality",
            found="a run without them",
            fix="train with a memory that has uni-modal classifiers, such as jsd-bank, or use another decoder",
        )
    decoder = config.build(loaded.spec, loaded.model.head)
    if decoder is None:
        raise UsageError(
            f"'{name}' is the head's own rule", fix="leave out --decoder, or name one of `avelzoo list decoders`"
        )
    decoder.fit(found, truth)
    return Rule(decoder.describe(), decoder.decide), notices


def _run_of(registry: Registry, run: Path, scored: Stored) -> LoadedRun:
    """The run, if it made the scores; for events by name, any run without training for the same names."""
    loaded = load_run(run, registry)
    made, identity = str(scored.fingerprint["system"]), weights_identity(loaded.model)
    categories = scored.result.scores.categories if scored.result.scores else ()
    named = made.startswith("names: ") and loaded.composition.entries["dataset"].name == NAMED_SCORES
    if loaded.spec.categories != categories or not (named or made.split(",", maxsplit=1)[0] == identity):
        raise UsageError(
            "another run made the scores of this folder",
            where=str(run),
            found=f"{identity}, {len(loaded.spec.categories)} categories",
            expected=f"{made}, {len(categories)} categories",
            fix="leave out --run, or predict with the other run into another folder",
        )
    return loaded


def _several(run: LoadedRun) -> bool | None:
    """Whether a run's data have videos with several event runs; None if the data cannot be read."""
    config = run.composition.recipe.dataset
    if config.single_runs is not None:
        return not config.single_runs
    try:
        data = config.open("full")
        return any(several_runs(data.split(split).labels(), data.spec.background) for split in ("train", "val"))
    except AvelzooError:
        return None
