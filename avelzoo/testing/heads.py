"""Promises of heads."""

from __future__ import annotations

from dataclasses import replace

import torch

from avelzoo.components import HeadConfig
from avelzoo.testing.bench import bench_for, tensors_of


def check_decodes_into_the_categories(config: HeadConfig) -> None:
    """Ids are 0..n, categories 0..n-1, relevance in [0, 1], shapes (b t), (b), (b n), (b t)."""
    for bench in bench_for(config):
        model = bench.model().train()
        model(bench.batch(), bench.targets())
        model.eval()
        n = bench.spec.n
        for t in (1, 5, 9):
            with torch.no_grad():
                decoded = model.head.decode(model.predict(bench.batch(4, t, seed=1), model.view()))
            assert tuple(decoded.segments.shape) == (4, t), f"segments are {tuple(decoded.segments.shape)}"
            assert tuple(decoded.category.shape) == (4,), f"category is {tuple(decoded.category.shape)}"
            assert tuple(decoded.category_scores.shape) == (4, n), "category_scores are not (b n)"
            assert tuple(decoded.relevance.shape) == (4, t), "relevance is not (b t)"
            assert decoded.segments.dtype == torch.int64, "segments are not int64"
            assert 0 <= int(decoded.segments.min()) <= int(decoded.segments.max()) <= n, "ids leave 0..n"
            assert 0 <= int(decoded.category.min()) <= int(decoded.category.max()) < n, "categories leave 0..n-1"
            assert float(decoded.relevance.min()) >= 0, "relevance is below 0"
            assert float(decoded.relevance.max()) <= 1, "relevance is above 1"
            assert torch.equal(decoded.category_scores.argmax(1), decoded.category), "category is not the best score's"


def check_forwards_extras(config: HeadConfig) -> None:
    """The encoder's extras are in the predictions, so that an encoder's own loss trains with any head."""
    for bench in bench_for(config):
        model = bench.model().train()
        batch, targets = bench.batch(), bench.targets()
        encoded = model.encoder(batch.audio, batch.visual)
        model.memory.observe(encoded, batch, targets)
        probe = torch.zeros(len(batch.rows))
        marked = replace(encoded, extras={**encoded.extras, "conformance_probe": probe})
        extras = model.head(marked, model.memory.read(model.encoder)).extras
        lost = set(marked.extras) - set(extras)
        assert not lost, f"extras of the encoder that the predictions lack: {', '.join(sorted(lost))}"
        assert extras["conformance_probe"] is probe, "an extra of the encoder was replaced"


def check_every_parameter_gets_a_gradient(config: HeadConfig) -> None:
    """No parameter is left out of the predictions."""
    for bench in bench_for(config):
        model = bench.model().train()
        step = model(bench.batch(), bench.targets())
        torch.stack([value.float().square().sum() for value in tensors_of(step.predictions)]).sum().backward()  # type: ignore[no-untyped-call]
        idle = [name for name, p in model.head.named_parameters() if p.grad is None]
        assert not idle, f"parameters without a gradient: {', '.join(idle)}"
