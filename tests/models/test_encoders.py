from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from avelzoo.builtin.encoders.configs import MeanPoolConfig, STFusionConfig
from avelzoo.errors import OptionError
from avelzoo.records import FeatureSpec
from tests.models.worlds import SPEC, make_batch

SMALL = STFusionConfig(width=8, heads=2, feedforward=12)
TABLE_2 = {
    "full model": SMALL,
    "- audio modality": replace(SMALL, modality="visual"),
    "- visual modality": replace(SMALL, modality="audio"),
    "- transformer": replace(SMALL, attention="vanilla"),
    "- spatial fusion": replace(SMALL, spatial_fusion=False),
    "- temporal fusion": replace(SMALL, temporal_fusion=False),
    "- spatial and temporal fusion": replace(SMALL, spatial_fusion=False, temporal_fusion=False),
}
VARIANTS = TABLE_2 | {
    "one modality without fusion": replace(SMALL, modality="audio", spatial_fusion=False, temporal_fusion=False),
    "visual, temporal alone": replace(SMALL, modality="visual", spatial_fusion=False),
    "two layers": replace(SMALL, layers=2),
    "standard decoder": replace(SMALL, decoder_self_attention=True),
    "one convolution": replace(SMALL, final_fusion="one-convolution"),
    "no positions": replace(SMALL, spatial_positions=False),
    "mean-pool": MeanPoolConfig(width=8),
}


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())
@pytest.mark.parametrize(("t", "grid", "audio_dim"), [(1, (1, 1), 128), (3, (2, 3), 2048), (17, (3, 1), 5)])
def test_any_size(config, t, grid, audio_dim):
    spec = FeatureSpec(segments=10, audio_dim=audio_dim, grid=grid, visual_dim=9, categories=("a", "b"))
    encoder = config.build(spec)
    batch = make_batch(2, t, spec)
    encoded = encoder(batch.audio, batch.visual)
    assert encoded.fused.shape == (2, t, encoder.widths.fused)
    assert encoded.audio.shape == (2, t, encoder.widths.audio)
    assert encoded.visual.shape == (2, t, encoder.widths.visual)


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())
def test_every_parameter_learns(config):
    encoder = config.build(SPEC)
    batch = make_batch()
    encoded = encoder(batch.audio, batch.visual)
    (encoded.fused.square().sum() + encoded.audio.square().sum() + encoded.visual.square().sum()).backward()
    assert [name for name, p in encoder.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())
def test_videos_do_not_see_each_other(config):
    encoder = config.build(SPEC).eval()
    batch = make_batch()
    together = encoder(batch.audio, batch.visual).fused
    alone = encoder(batch.audio[1:2], batch.visual[1:2]).fused
    torch.testing.assert_close(together[1:2], alone)


@pytest.mark.parametrize("modality", ["audio", "visual"])
def test_an_absent_modality_has_no_influence(modality):
    encoder = replace(SMALL, modality=modality).build(SPEC).eval()
    batch, other = make_batch(seed=0), make_batch(seed=1)
    kept = encoder(batch.audio, batch.visual).fused
    changed = (encoder(batch.audio, other.visual) if modality == "audio" else encoder(other.audio, batch.visual)).fused
    assert torch.equal(kept, changed)
    assert not any(
        name.startswith({"audio": "visual_in", "visual": "audio_in"}[modality])
        for name, _ in encoder.named_parameters()
    )


def test_rows_have_the_length_the_margins_assume():
    encoder = STFusionConfig().build(SPEC).eval()
    batch = make_batch()
    norms = encoder(batch.audio, batch.visual).fused.norm(dim=-1)
    torch.testing.assert_close(norms, torch.full_like(norms, 16.0), rtol=1e-3, atol=0)


def test_positions_make_the_grid_ordered():
    batch = make_batch()
    flipped = batch.visual.flip(2)
    for positions in (True, False):
        encoder = replace(SMALL, spatial_positions=positions).build(SPEC).eval()
        same = torch.allclose(encoder(batch.audio, batch.visual).fused, encoder(batch.audio, flipped).fused, atol=1e-5)
        assert same is not positions


def test_heads_must_divide_the_width():
    with pytest.raises(OptionError, match="do not divide"):
        STFusionConfig(width=10, heads=4)


def test_standardized_channels_have_mean_zero_and_deviation_one_over_training():
    encoder = MeanPoolConfig(standardize=True, width=4, dropout=0).build(SPEC).train()
    batches = [make_batch(seed=seed) for seed in range(3)]
    for batch in batches:
        encoder(100 * batch.audio + 7, batch.visual)
    encoder.eval()
    scaled = torch.cat([encoder.audio_scale(100 * batch.audio + 7) for batch in batches]).flatten(0, 1)
    torch.testing.assert_close(scaled.mean(dim=0), torch.zeros(SPEC.audio_dim), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std(dim=0, correction=0), torch.ones(SPEC.audio_dim), atol=1e-4, rtol=0)
    before = encoder.audio_scale.count.item()
    encoder(batches[0].audio, batches[0].visual)
    assert encoder.audio_scale.count.item() == before


def test_standardized_outputs_do_not_depend_on_the_scale_of_the_features():
    batch = make_batch()
    plain, scaled = (MeanPoolConfig(standardize=True, width=4, dropout=0).build(SPEC).train() for _ in range(2))
    scaled.load_state_dict(plain.state_dict())
    for encoder, factor in ((plain, 1), (scaled, 50)):
        encoder(factor * batch.audio, batch.visual)
        encoder.eval()
    outputs = plain(batch.audio, batch.visual).fused, scaled(50 * batch.audio, batch.visual).fused
    torch.testing.assert_close(*outputs, atol=1e-4, rtol=1e-4)
