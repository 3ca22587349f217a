"""The encoder keeps every promise of its contract."""

from __future__ import annotations

from avelzoo import EncoderConfig
from avelzoo.testing import Check, parametrize_with_checks
from avelzoo_conv_mix.config import ConvMixConfig


@parametrize_with_checks([ConvMixConfig()])
def test_contract(config: EncoderConfig, check: Check) -> None:
    """One promise."""
    check(config)
