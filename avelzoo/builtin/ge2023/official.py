"""Reader of the checkpoints and outputs of Ge et al. 2023's public code (ShipingGe/AVEL)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from avelzoo.builtin.datasets.configs import AveConfig
from avelzoo.builtin.encoders.configs import STFusionConfig
from avelzoo.builtin.ge2023.recipes import ead_b_official
from avelzoo.builtin.heads.configs import EventAwareConfig
from avelzoo.builtin.memory.configs import JsdBankConfig
from avelzoo.components import Supervision
from avelzoo.data.facts import AVE_CATEGORIES
from avelzoo.errors import RunError
from avelzoo.published.official import OfficialSystem, load_renamed
from avelzoo.records import FeatureSpec

if TYPE_CHECKING:
    from torch import Tensor

    from avelzoo.composition.model import Model
    from avelzoo.composition.recipe import Recipe

_RENAMES: tuple[tuple[str, str], ...] = (
    (r"^audio_fc\.", "encoder.audio_in."),
    (r"^video_fc\.", "encoder.visual_in."),
    (r"^(spatial|temporal)_decoder\.(.*)norm2\.", r"\1_decoder.\2norm1."),
    (r"^(spatial|temporal)_decoder\.(.*)norm3\.", r"\1_decoder.\2norm2."),
    (r"^(spatial|temporal)_decoder\.", r"encoder.\1_decoder."),
    (r"^video_stf\.", "encoder.spatial_encoder."),
    (r"^audio_tf\.", "encoder.audio_encoder."),
    (r"^video_ttf\.", "encoder.visual_encoder."),
    (r"\.layers\.(\d+)\.(self_attn|multihead_attn)\.", r".blocks.\1.attention."),
    (r"\.layers\.(\d+)\.(linear\d)\.", r".blocks.\1.feedforward.\2."),
    (r"\.layers\.(\d+)\.(norm\d)\.", r".blocks.\1.\2."),
    (r"^fusion_layer\.layers\.", "encoder.fusion.layers."),
    (r"^fusion_layer\.ln2\.", "encoder.fusion.norm."),
    (r"^audio_classifier\.", "memory.classifiers.audio."),
    (r"^video_classifier\.", "memory.classifiers.visual."),
    (r"^final_event_classifier\.linear2\.", "head.event.linear."),
    (r"^final_bg_classifier\.linear2\.", "head.relevance.linear."),
    (r"^aligned_bank\.cls_v_queue$", "memory.slots.visual"),
    (r"^aligned_bank\.cls_a_queue$", "memory.slots.audio"),
    (r"^aligned_bank\.cls_sc_queue$", "memory.slots.score"),
)
_POSITIONS = "vstf_pe.pe"
_QUEUES = ("aligned_bank.cls_v_queue", "aligned_bank.cls_a_queue", "aligned_bank.cls_sc_queue")


class Ge2023(OfficialSystem):
    """Ge et al. 2023: state dicts of ``MAML`` (full) and ``MEME_WS`` (weak)."""

    settings: ClassVar[tuple[str, ...]] = ("full", "weak")

    def recipe(self, setting: str, state: Mapping[str, Tensor]) -> Recipe:
        """`ead-b-official` with the checkpoint's sizes; all videos of a batch are candidates for the bank."""
        self._require(state)
        supervision: Supervision = "full" if setting == "full" else "weak"
        base = ead_b_official(supervision)
        layers = 1 + max(int(m[1]) for key in state if (m := re.match(r"video_stf\.layers\.(\d+)\.", key)))
        hidden, width = state["video_stf.layers.0.linear1.weight"].shape
        assert isinstance(base.encoder, STFusionConfig) and isinstance(base.memory, JsdBankConfig)
        assert isinstance(base.head, EventAwareConfig)
        return replace(
            base,
            dataset=AveConfig(weak_protocol=base.dataset.weak_protocol),
            encoder=replace(base.encoder, width=width, feedforward=hidden, layers=layers),
            memory=replace(base.memory, size=state["aligned_bank.cls_sc_queue"].shape[1], update_fraction=1.0),
        )

    def spec(self, setting: str, state: Mapping[str, Tensor]) -> FeatureSpec:
        """Sizes of the checkpoint's training features."""
        n, _, h, w, v = state["aligned_bank.cls_v_queue"].shape
        names = AVE_CATEGORIES if n == len(AVE_CATEGORIES) else tuple(f"category {k}" for k in range(n))
        audio_dim = state["aligned_bank.cls_a_queue"].shape[-1]
        return FeatureSpec(segments=10, audio_dim=audio_dim, grid=(h, w), visual_dim=v, categories=names)

    def rename(self, key: str) -> str:
        """avelzoo's key for a key of the public code."""
        for pattern, replacement in _RENAMES:
            key = re.sub(pattern, replacement, key)
        return key

    def load(self, setting: str, state: Mapping[str, Tensor]) -> Model:
        """The model of `recipe` with the checkpoint's weights and bank."""
        import torch

        from avelzoo.composition.building import build

        model = build(self.recipe(setting, state), self.spec(setting, state))
        renamed = {self.rename(key): value for key, value in state.items() if key != _POSITIONS}
        score = renamed["memory.slots.score"]
        renamed["memory.slots.filled"] = score > 0
        # The public code stores no identity of a segment; no video has a negative key.
        renamed["memory.slots.key"] = -1 - torch.arange(score.numel()).reshape(score.shape)
        renamed["memory.slots.relevance"] = (score > 1).to(score.dtype) if setting == "full" else score * 0
        load_renamed(model, renamed, origin=f"ge2023 ({setting})")
        return model

    def outputs(
        self, setting: str, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor], mode: str
    ) -> dict[str, Tensor]:
        """Outputs of the public forward pass, losses and bank update; see `avelzoo.builtin.ge2023.outputs`."""
        from avelzoo.builtin.ge2023.outputs import eval_outputs, train_outputs

        model = self.load(setting, state)
        if mode == "eval":
            return eval_outputs(model, setting, inputs)
        keys = {key: self.rename(key) for key in state if key != _POSITIONS and key not in _QUEUES}
        return train_outputs(model, setting, inputs, mode, keys)

    def _require(self, state: Mapping[str, Tensor]) -> None:
        needed = ("video_stf.layers.0.linear1.weight", *_QUEUES)
        missing = [key for key in needed if key not in state]
        if missing:
            raise RunError(
                "the file is not a checkpoint of ge2023's public code",
                found=f"{len(state)} entries, such as {', '.join(list(state)[:3]) or 'none'}",
                expected="entries " + ", ".join(missing),
                fix="name the system of the checkpoint",
            )
