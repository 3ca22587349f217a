"""Another threshold or decoder for stored scores, without inference."""

from __future__ import annotations

from pathlib import Path

from avelzoo.engine import load_predictions, load_run
from avelzoo.engine.rundir import RunDir
from avelzoo.errors import CompositionError, RunError, UsageError
from avelzoo.localization.deciding import Rule
from avelzoo.metrics import several_runs
from avelzoo.plugin.registry import Registry


def decoder_rule(registry: Registry, name: str, run: Path | None) -> Rule:
    """A decoder's rule, with its values chosen on the val predictions that a run stored.

    Args:
        registry: registry of the decoders.
        name: name of the decoder.
        run: run folder.

    Raises:
        UnknownNameError: no decoder has this name.
        UsageError: no run is known.
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
    loaded = load_run(run, registry)
    file = RunDir(run).predictions
    if not file.exists():
        raise RunError(
            "the run has no predictions on val",
            where=str(file),
            fix="finish the run with `avelzoo run --resume RUN_DIR`",
        )
    _, found, truth = load_predictions(file, "val")
    if config.single_runs and several_runs(truth.segments, truth.background):
        raise CompositionError(
            f"the decoder '{name}' finds one event run per video",
            found="videos with several event runs on val",
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
    return Rule(decoder.describe(), decoder.decide)
