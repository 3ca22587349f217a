"""Checks for encoders."""

from __future__ import annotations

from dataclasses import replace

import torch

from avelzoo.components import EncoderConfig
from avelzoo.testing.harness import SPEC, random_batch

SIZES = ((1, 1, (1, 1), 6), (2, 7, (3, 1), 6), (3, 16, (2, 3), 128))


def check_shapes_at_odd_sizes(config: EncoderConfig) -> None:
    """Outputs are (b t width) for any b, t, h, w and channels."""
    for b, t, grid, audio_dim in SIZES:
        spec = replace(SPEC, grid=grid, audio_dim=audio_dim)
        encoder = config.build(spec)
        batch = random_batch(spec, b, t)
        encoded = encoder(batch.audio, batch.visual)
        for name in ("fused", "audio", "visual"):
            got, want = tuple(getattr(encoded, name).shape), (b, t, getattr(encoder.widths, name))
            assert got == want, f"{name} is {got}, not {want}, for t={t}, grid={grid}"
        for channel, value in encoded.channels.items():
            assert value.shape[:1] == (b,), f"'{channel}' is {tuple(value.shape)}: its first dimension is not b={b}"


def check_every_parameter_gets_a_gradient(config: EncoderConfig) -> None:
    """Every parameter influences the outputs."""
    encoder = config.build(SPEC)
    batch = random_batch(SPEC)
    encoded = encoder(batch.audio, batch.visual)
    outputs = (encoded.fused, encoded.audio, encoded.visual, *encoded.channels.values())
    if learned := [o.square().sum() for o in outputs if o.requires_grad]:
        torch.stack(learned).sum().backward()  # type: ignore[no-untyped-call]
    idle = [name for name, p in encoder.named_parameters() if p.grad is None]
    assert not idle, f"parameters without a gradient: {', '.join(idle)}"


def check_videos_do_not_see_each_other(config: EncoderConfig) -> None:
    """The encoding of a video does not depend on the rest of the batch."""
    encoder = config.build(SPEC).eval()
    batch = random_batch(SPEC, 4)
    with torch.no_grad():
        together = encoder(batch.audio, batch.visual).fused[2:3]
        alone = encoder(batch.audio[2:3], batch.visual[2:3]).fused
    assert torch.allclose(together, alone, atol=1e-5), "a video's encoding depends on its neighbours in the batch"


def check_keeps_the_dtype(config: EncoderConfig) -> None:
    """Float64 features have float64 encodings."""
    encoder = config.build(SPEC).double()
    batch = random_batch(SPEC).to(dtype=torch.float64)
    assert encoder(batch.audio, batch.visual).fused.dtype == torch.float64, "float64 features come out otherwise"


def check_single_segments(config: EncoderConfig) -> None:
    """The encoding of a single segment is finite: a memory may encode its entries one by one."""
    encoder = config.build(SPEC).eval()
    batch = random_batch(SPEC, 5, 1)
    assert torch.isfinite(encoder(batch.audio, batch.visual).fused).all(), "t = 1 gives values that are not finite"
