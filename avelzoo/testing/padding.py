"""Checks for videos of different length: padding changes no result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from avelzoo.components import ComponentConfig
from avelzoo.composition.model import Model, StepOutput
from avelzoo.published.probes import without_dropout
from avelzoo.records import Batch, Targets
from avelzoo.testing.harness import Harness, harnesses_for

PADDING = 3
"""Segments of padding behind the longest video."""
GARBAGE = 7.0
"""Value of features in padding, which no component may read."""


def padded(batch: Batch, targets: Targets, segments: int = PADDING) -> tuple[Batch, Targets]:
    """The same videos in a longer batch with a mask; padding holds invalid features and labels."""
    mask = torch.ones(batch.audio.shape[:2], dtype=torch.bool) if batch.mask is None else batch.mask
    longer = replace(
        batch,
        audio=F.pad(batch.audio, (0, 0, 0, segments), value=GARBAGE),
        visual=F.pad(batch.visual, (0, 0) * 3 + (0, segments), value=GARBAGE),
        mask=F.pad(mask, (0, segments)),
    )
    labels = targets.segments
    return longer, replace(targets, segments=None if labels is None else F.pad(labels, (0, segments), value=0))


def check_padding_changes_nothing(config: ComponentConfig) -> None:
    """A padded batch has the same terms, gradients, stored content and predictions as without padding."""
    for harness in harnesses_for(config):
        plain, masked = _model(harness), _model(harness)
        for seed in range(2):
            batch, targets = _batch(harness, seed)
            steps = [_step(plain, seed, batch, targets), _step(masked, seed, *padded(batch, targets))]
            _require_equal("terms", *(step.terms for step in steps))
            _require_equal("gradients", *({n: p.grad for n, p in m.named_parameters()} for m in (plain, masked)))
            _require_equal("state", plain.state_dict(), masked.state_dict())
        for model in (plain, masked):
            model.eval()
        batch, targets = _batch(harness, 2)
        longer, _ = padded(batch, targets)
        _require_equal("answers", _answers(plain, batch), _answers(masked, longer, harness.spec.segments))


def check_videos_of_different_length(config: ComponentConfig) -> None:
    """In a batch of different lengths, each video has its own predictions; a training step is finite."""
    for harness in harnesses_for(config):
        model = _model(harness)
        batch, targets = _batch(harness, 0)
        t = harness.spec.segments
        lengths = [t, 1, t - 2, t]
        mask = torch.arange(t) < torch.tensor(lengths).unsqueeze(1)
        mixed = replace(batch, mask=mask)
        step = _step(model, 0, mixed, targets)
        assert torch.isfinite(step.loss), f"the loss is {step.loss.item()}: {step.terms}"
        faults = [n for n, p in model.named_parameters() if p.grad is not None and not torch.isfinite(p.grad).all()]
        assert not faults, f"gradients are not finite: {', '.join(faults)}"
        model.eval()
        together = _answers(model, mixed)
        for i, length in enumerate(lengths):
            here = batch.take(torch.tensor([i]))
            alone = replace(here, audio=here.audio[:, :length], visual=here.visual[:, :length])
            found = {name: value[i : i + 1] for name, value in together.items()}
            beyond = found["segments"][:, length:]
            assert bool((beyond == harness.spec.background).all()), f"answers in the padding: {beyond.tolist()}"
            cut = {name: value[:, :length] if name in _BY_SEGMENT else value for name, value in found.items()}
            _require_equal(f"answers of a video of {length} segments", _answers(model, alone), cut)


_BY_SEGMENT = ("segments", "relevance", "audio_scores", "visual_scores")


def _model(harness: Harness) -> Model:
    """The model in double precision, which shows small differences; without dropout, whose masks depend on strides."""
    model = harness.model().double().train()
    without_dropout(model)
    return model


def _batch(harness: Harness, seed: int) -> tuple[Batch, Targets]:
    return harness.batch(4, seed=seed).to(dtype=torch.float64), harness.targets(4, seed=seed, negatives=1)


def _step(model: Model, seed: int, batch: Batch, targets: Targets) -> StepOutput:
    torch.manual_seed(seed)
    model.zero_grad()
    step: StepOutput = model(batch, targets)
    if step.loss.requires_grad:
        step.loss.backward()  # type: ignore[no-untyped-call]
    return step


@torch.no_grad()
def _answers(model: Model, batch: Batch, segments: int | None = None) -> dict[str, Tensor]:
    """Predictions by name, of the first ``segments`` only."""
    predictions = model.decode(model.predict(batch, model.view())).tensors()
    return {name: value[:, :segments] if name in _BY_SEGMENT else value for name, value in predictions.items()}


def _require_equal(what: str, one: Mapping[str, Tensor | None], other: Mapping[str, Tensor | None]) -> None:
    assert one.keys() == other.keys(), f"{what} differ: {', '.join(sorted(one.keys() ^ other.keys()))}"
    differ = [name for name, value in one.items() if not _close(value, other[name])]
    assert not differ, f"{what} differ with padding: {', '.join(differ)}"


def _close(one: Tensor | None, other: Tensor | None) -> bool:
    """Equal to five digits of the largest number: losses compute in float32."""
    if one is None or other is None:
        return one is other
    one, other = one.detach().double(), other.detach().double()
    scale = max(1e-4, float(one.abs().max()))
    return one.shape == other.shape and torch.allclose(one, other, rtol=0.0, atol=1e-5 * scale)
