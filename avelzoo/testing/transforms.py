"""Checks for transforms."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace

import torch

from avelzoo.components import TransformConfig
from avelzoo.contracts import Transform
from avelzoo.records import Batch, Targets
from avelzoo.testing.harness import SPEC, random_batch, random_targets


def _cases(config: TransformConfig) -> Iterator[tuple[Transform, Batch, Targets]]:
    """The transform with batches of several sizes, full and weak, with and without videos of background alone."""
    for supervision in config.supervisions:
        transform = config.build(SPEC, supervision)
        if transform is None:
            return
        for b, t, negatives in ((1, 1, 0), (2, 5, 2), (7, 3, 2)):
            targets = random_targets(SPEC, b, t, weak=supervision == "weak", negatives=min(negatives, b))
            yield transform, random_batch(SPEC, b, t), targets


def _seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def check_batch_is_valid(config: TransformConfig) -> None:
    """Features keep their shape and are finite; every tensor of batch and targets has one row per video."""
    for transform, batch, targets in _cases(config):
        new, known = transform(batch, targets, _seeded())
        for name, before in batch.tensors().items():
            now = getattr(new, name)
            assert now.shape[1:] == before.shape[1:], f"{name} is {tuple(now.shape)}, was {tuple(before.shape)}"
            assert now.dtype == before.dtype, f"{name} is {now.dtype}, was {before.dtype}"
            assert bool(torch.as_tensor(now).isfinite().all()), f"{name} is not finite"
        rows = {name: len(value) for name, value in (new.tensors() | known.tensors()).items()}
        assert len(set(rows.values())) == 1, f"numbers of videos differ: {rows}"


def check_targets_are_valid(config: TransformConfig) -> None:
    """Ids are in range, the supervision does not change, and a mixture refers to videos of the batch."""
    for transform, batch, targets in _cases(config):
        _, known = transform(batch, targets, _seeded())
        n, b = targets.background, len(known.event)
        assert known.background == n, f"background is {known.background}, was {n}"
        assert bool(((known.event >= 0) & (known.event <= n)).all()), "event ids leave 0..n"
        assert bool(((known.presence >= 0) & (known.presence <= 1)).all()), "presence leaves [0, 1]"
        assert (known.segments is None) == (targets.segments is None), "segment labels appear or disappear"
        if known.segments is not None:
            own = known.event.unsqueeze(1)
            assert bool(((known.segments == own) | (known.segments == n)).all()), (
                "segments of a category not the video's"
            )
        assert 0 <= known.share <= 1, f"share is {known.share}, outside [0, 1]"
        if known.partner is not None:
            assert bool(((known.partner >= 0) & (known.partner < b)).all()), "partner names no video of the batch"


def check_padding_is_not_read(config: TransformConfig) -> None:
    """The content of padding changes nothing; real segments still come first."""
    mask = torch.arange(SPEC.segments) < torch.tensor([SPEC.segments, 1, 3, 2, SPEC.segments]).unsqueeze(1)
    batch = random_batch(SPEC, len(mask))
    for supervision in config.supervisions:
        transform = config.build(SPEC, supervision)
        if transform is None:
            return
        targets = random_targets(SPEC, len(mask), weak=supervision == "weak", negatives=1)
        found = []
        for value in (0.0, 7.0):
            audio, visual = batch.audio.clone(), batch.visual.clone()
            audio[~mask] = visual[~mask] = value
            new, _ = transform(replace(batch, audio=audio, visual=visual, mask=mask), targets, _seeded())
            assert new.mask is not None, "the mask is lost"
            assert new.mask.shape == new.audio.shape[:2], f"the mask is {tuple(new.mask.shape)}"
            assert bool((new.mask[:, :-1] >= new.mask[:, 1:]).all()), "padding comes before real segments"
            found.append((new.mask, new.audio[new.mask], new.visual[new.mask]))
        assert all(map(torch.equal, *found)), "features in the padding change real segments"


def check_repeats_under_a_seed(config: TransformConfig) -> None:
    """The result depends on the generator's state only, not on the global generator."""
    for transform, batch, targets in _cases(config):
        torch.manual_seed(1)
        first = transform(batch, targets, _seeded(3))
        torch.manual_seed(2)
        again = transform(batch, targets, _seeded(3))
        for one, other in zip(first, again, strict=True):
            same = [torch.equal(value, other.tensors()[name]) for name, value in one.tensors().items()]
            assert all(same), "the same seed gave another batch"


def check_inputs_not_changed_in_place(config: TransformConfig) -> None:
    """The given batch and targets are not modified."""
    for transform, batch, targets in _cases(config):
        before = copy.deepcopy((batch, targets))
        transform(batch, targets, _seeded())
        for now, then in zip((batch, targets), before, strict=True):
            changed = [name for name, value in then.tensors().items() if not torch.equal(now.tensors()[name], value)]
            assert not changed, f"changed in place: {', '.join(changed)}"


def check_leaves_the_global_generator_alone(config: TransformConfig) -> None:
    """All random numbers come from its own generator, so that other parts draw the same numbers without it."""
    for transform, batch, targets in _cases(config):
        torch.manual_seed(0)
        state = torch.get_rng_state()
        transform(batch, targets, _seeded())
        assert torch.equal(torch.get_rng_state(), state), "it drew from PyTorch's global generator"
