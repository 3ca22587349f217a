"""Every encoder runs with every head, memory and supervision, or is refused in one sentence."""

from __future__ import annotations

import pytest

from avelzoo.plugin.default import default_host
from avelzoo.testing.grid import walk_encoder

REGISTRY = default_host().registry
ENCODERS = REGISTRY.entries("encoder")
GENERAL_HEADS = {"single", "double", "event-aware", "event-aware-classifiers"}


@pytest.mark.parametrize("entry", ENCODERS, ids=[entry.qualified for entry in ENCODERS])
def test_whole_row(entry):
    pairings = list(walk_encoder(REGISTRY, entry))
    assert len(pairings) == 2 * len(REGISTRY.entries("head")) * len(REGISTRY.entries("memory"))
    for pairing in pairings:
        assert bool(pairing.objective) is not bool(pairing.refusal)
        needs_memory = pairing.head == "event-aware" and pairing.memory == "none"
        if pairing.head in GENERAL_HEADS and not needs_memory:
            assert pairing.refusal == "", f"{pairing} should work"
        if needs_memory:
            assert "reads memory" in pairing.refusal
