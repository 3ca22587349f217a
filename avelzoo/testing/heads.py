"""Checks for heads."""

from __future__ import annotations

from dataclasses import replace

import torch

from avelzoo.channels import MEMORY, Channel, channels_of
from avelzoo.components import HeadConfig
from avelzoo.errors import ChannelError
from avelzoo.testing.harness import harnesses_for, tensors_of


def check_decodes_into_the_categories(config: HeadConfig) -> None:
    """Ids are 0..n, categories 0..n-1, relevance in [0, 1], shapes (b t), (b), (b n), (b t)."""
    for harness in harnesses_for(config):
        model = harness.model().train()
        model(harness.batch(), harness.targets())
        model.eval()
        n = harness.spec.n
        for t in (1, 5, 9):
            with torch.no_grad():
                predictions = model.head.decode(model.predict(harness.batch(4, t, seed=1), model.view()))
            assert tuple(predictions.segments.shape) == (4, t), f"segments are {tuple(predictions.segments.shape)}"
            assert tuple(predictions.category.shape) == (4,), f"category is {tuple(predictions.category.shape)}"
            assert tuple(predictions.category_scores.shape) == (4, n), "category_scores are not (b n)"
            assert tuple(predictions.relevance.shape) == (4, t), "relevance is not (b t)"
            assert predictions.segments.dtype == torch.int64, "segments are not int64"
            assert 0 <= int(predictions.segments.min()) <= int(predictions.segments.max()) <= n, "ids leave 0..n"
            assert 0 <= int(predictions.category.min()) <= int(predictions.category.max()) < n, (
                "categories leave 0..n-1"
            )
            assert float(predictions.relevance.min()) >= 0, "relevance is below 0"
            assert float(predictions.relevance.max()) <= 1, "relevance is above 1"
            assert torch.equal(predictions.category_scores.argmax(1), predictions.category), (
                "category is not the best score's"
            )


def check_reads_what_it_declares(config: HeadConfig) -> None:
    """The output is the same with the declared channels only: the head reads no others."""
    for harness in harnesses_for(config):
        model = harness.model().eval()
        batch, readable = harness.batch(), channels_of(*config.reads(harness.recipe.supervision))
        with torch.no_grad():
            view = model.view() if MEMORY in readable else None
            encoded = model.encoder(batch.audio, batch.visual)
            extra = {Channel("conformance_probe", "(b)", "read by nobody"): torch.zeros(len(batch.rows))}
            everything = replace(encoded, channels={**encoded.channels, **extra})
            declared = replace(encoded, channels={c: v for c, v in encoded.channels.items() if c in readable})
            try:
                found, want = model.head(declared, view).given(), model.head(everything, view).given()
            except ChannelError as error:
                raise AssertionError(f"reads what it does not declare in `reads`: {error.problem}") from error
        differ = [str(c) for c in want if c not in found or not torch.equal(found[c], want[c])]
        assert not differ, f"reads channels that it does not declare in `reads`: they change {', '.join(differ)}"


def check_every_parameter_gets_a_gradient(config: HeadConfig) -> None:
    """Every parameter influences the predictions."""
    for harness in harnesses_for(config):
        model = harness.model().train()
        step = model(harness.batch(), harness.targets())
        if learned := [value.float().square().sum() for value in tensors_of(step.output)]:
            torch.stack(learned).sum().backward()  # type: ignore[no-untyped-call]
        idle = [name for name, p in model.head.named_parameters() if p.grad is None]
        assert not idle, f"parameters without a gradient: {', '.join(idle)}"
