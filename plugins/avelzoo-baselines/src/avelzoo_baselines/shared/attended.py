"""Keys and layouts that the public code of AVEL 2018, PSP and CPSP have in common."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from avelzoo import FeatureSpec
from avelzoo_baselines.shared.official import category_names

if TYPE_CHECKING:
    from torch import Tensor

Renames = tuple[tuple[str, str], ...]

_LAYERS = {
    "affine_audio": "attention.audio",
    "affine_video": "attention.visual",
    "affine_g": "attention.audio_map",
    "affine_v": "attention.visual_map",
    "affine_h": "attention.score",
}
_LSTMS = {"lstm_audio": "audio_lstm.lstm", "lstm_video": "visual_lstm.lstm"}


@dataclass(frozen=True)
class PublicStreams:
    """Key prefixes of the parts of `AttendedStreams` in a public model, with a dot at the end or empty.

    Attributes:
        attention: prefix of the audio-guided attention.
        lstms: prefix of the LSTMs.
    """

    attention: str = ""
    lstms: str = ""

    @property
    def renames(self) -> Renames:
        """(pattern, replacement) pairs."""
        keys = {self.attention + key: own for key, own in _LAYERS.items()}
        keys |= {self.lstms + key: own for key, own in _LSTMS.items()}
        return tuple((rf"^{re.escape(key)}\.", f"encoder.streams.{own}.") for key, own in keys.items())

    @property
    def needed(self) -> tuple[str, ...]:
        """Keys that sizes are read off."""
        attention = tuple(f"{self.attention}affine_{part}.weight" for part in ("audio", "video", "v"))
        return (*attention, f"{self.lstms}lstm_audio.weight_hh_l0")

    def sizes(self, state: Mapping[str, Tensor]) -> dict[str, int]:
        """Options of an encoder with attended streams."""
        return {
            "hidden": state[f"{self.lstms}lstm_audio.weight_hh_l0"].shape[1],
            "attention_width": state[f"{self.attention}affine_audio.weight"].shape[0],
        }

    def spec(self, state: Mapping[str, Tensor], *, n: int, audio_dim: int | None = None) -> FeatureSpec:
        """Sizes of the features; a checkpoint has only the number of cells of the grid, which is assumed square.

        Args:
            state: the checkpoint.
            n: event categories.
            audio_dim: a, where the attention does not read the audio itself.
        """
        cells = state[f"{self.attention}affine_v.weight"].shape[0]
        side = math.isqrt(cells)
        return FeatureSpec(
            segments=10,
            audio_dim=audio_dim or state[f"{self.attention}affine_audio.weight"].shape[1],
            grid=(side, side) if side * side == cells else (cells, 1),
            visual_dim=state[f"{self.attention}affine_video.weight"].shape[1],
            categories=category_names(n),
        )
