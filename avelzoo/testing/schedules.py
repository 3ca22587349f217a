"""Checks for schedules."""

from __future__ import annotations

import math
from dataclasses import replace

from avelzoo.components import ScheduleConfig
from avelzoo.engine.optimization import learning_rates


def check_rates_are_usable(config: ScheduleConfig) -> None:
    """All learning rates are finite and at least 0, and one is above 0, for any number of epochs."""
    for epochs in (1, 2, 7):
        rates = learning_rates(config, 0.1, epochs)
        assert len(rates) == epochs, f"{len(rates)} rates for {epochs} epochs"
        odd = [rate for rate in rates if not (math.isfinite(rate) and rate >= 0)]
        assert not odd, f"rates that are negative or not finite: {odd}"
        assert max(rates) > 0, "every rate is 0"


def check_depends_on_the_epoch_alone(config: ScheduleConfig) -> None:
    """Learning rates are the same in every call: a resumed run computes them again."""
    assert learning_rates(config, 0.1, 5) == learning_rates(config, 0.1, 5), "the rates differ between two calls"


def check_warms_up(config: ScheduleConfig) -> None:
    """Warm-up multiplies the learning rates of its epochs by (e + 1) / (w + 1), and no others."""
    plain = learning_rates(replace(config, warmup_epochs=0), 0.1, 6)
    warm = learning_rates(replace(config, warmup_epochs=3), 0.1, 6)
    wanted = [rate * min(1.0, (epoch + 1) / 4) for epoch, rate in enumerate(plain)]
    close = [math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-15) for a, b in zip(warm, wanted, strict=True)]
    assert all(close), f"rates with warm-up are {warm}, not {tuple(wanted)}"
