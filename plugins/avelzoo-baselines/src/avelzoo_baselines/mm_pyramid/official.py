"""Reading the checkpoints of MM-Pyramid's public code (JustinYuu/MM_Pyramid), which parses videos (AVVP)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, NoReturn

from avelzoo import OfficialSystem, RunError, UsageError, load_renamed, without_dropout

if TYPE_CHECKING:
    from torch import Tensor

    from avelzoo import FeatureSpec, Model, Recipe
    from avelzoo_baselines.mm_pyramid.parsing import ParsingNetwork

_RENAMES: tuple[tuple[str, str], ...] = (
    (r"^MMP\.capture\.msa\.(\d+)\.", r"pyramid.units.\1."),
    (r"\.vsablock\.layer\.", ".visual_self."),
    (r"\.asablock\.layer\.", ".audio_self."),
    (r"\.cmablock\.layer\.", ".cross."),
    (r"\.lv1\.", ".visual_merge.own."),
    (r"\.lv2\.", ".visual_merge.cross."),
    (r"\.la1\.", ".audio_merge.own."),
    (r"\.la2\.", ".audio_merge.cross."),
    (r"^MMP\.capture\.vnetwork\.(\d+)\.", r"pyramid.units.\1.visual_block."),
    (r"^MMP\.capture\.anetwork\.(\d+)\.", r"pyramid.units.\1.audio_block."),
    (r"^MMP\.fusion\.vadaptiveinteraction\.", "pyramid.visual_fusion.layer."),
    (r"^MMP\.fusion\.aadaptiveinteraction\.", "pyramid.audio_fusion.layer."),
    (r"^MMP\.fusion\.vselectfusion\.", "pyramid.visual_fusion.weight."),
    (r"^MMP\.fusion\.aselectfusion\.", "pyramid.audio_fusion.weight."),
    (r"\.self_attn\.linears\.3\.", ".attention.out_proj."),
    (r"\.feed_forward\.w_([12])\.", r".feedforward.linear\1."),
    (r"\.sublayer\.0\.norm\.", ".norm1."),
    (r"\.sublayer\.1\.norm\.", ".norm2."),
    (r"^fc_prob\.", "probability."),
    (r"^fc_frame_att\.", "time_attention."),
    (r"^fc_av_att\.", "stream_attention."),
    (r"^fc_a\.", "audio_in."),
    (r"^fc_v\.", "image_in."),
    (r"^fc_st\.", "motion_in."),
    (r"^fc_fusion\.", "visual_in."),
)
_UNUSED = (
    r"^MMP\.(capture|fusion)\.(multiheadattn|feedforward)\.",
    r"\.self_attn\.layer_norm\.",
    r"network\.\d+\.net\.",
)
"""Layers that clones were made of, norms inside the attentions, and second names of the convolutions."""
_STACKED = re.compile(r"(.*\.)self_attn\.linears\.([012])\.(weight|bias)")
"""Queries, keys and values: three layers there, one stacked layer here."""
_NEEDED = (
    "fc_prob.weight",
    "fc_a.weight",
    "fc_v.weight",
    "fc_st.weight",
    "MMP.capture.msa.0.vsablock.layer.feed_forward.w_1.weight",
)


class MMPyramid2022(OfficialSystem):
    """Yu et al. 2022: state dicts of ``AVVPNet``, the network for audio-visual video parsing.

    That task has other features and several of 25 categories at once; `outputs` computes the network's values around
    the pyramid that `run` trains. Nothing was released for AVE, so there is no AVE model to load.
    """

    settings: ClassVar[tuple[str, ...]] = ("weak",)

    def recipe(self, setting: str, state: Mapping[str, Tensor]) -> Recipe:
        """Refused: the checkpoints are for another task."""
        self._refuse()

    def spec(self, setting: str, state: Mapping[str, Tensor]) -> FeatureSpec:
        """Refused: the checkpoints are for another task."""
        self._refuse()

    def load(self, setting: str, state: Mapping[str, Tensor]) -> Model:
        """Refused: the checkpoints are for another task."""
        self._refuse()

    def network(self, state: Mapping[str, Tensor]) -> ParsingNetwork:
        """The parsing network with the checkpoint's weights."""
        from avelzoo_baselines.mm_pyramid.parsing import ParsingNetwork
        from avelzoo_baselines.mm_pyramid.pyramid import Pyramid

        missing = [key for key in _NEEDED if key not in state]
        if missing:
            raise RunError(
                "this is not a checkpoint of mmpyramid's public code",
                found=f"{len(state)} entries, such as {', '.join(list(state)[:3]) or 'none'}",
                expected="entries " + ", ".join(missing),
                fix="name the system the checkpoint belongs to",
            )
        classes, width = state["fc_prob.weight"].shape
        levels = {m[1] for key in state if (m := re.match(r"MMP\.capture\.msa\.(\d+)\.", key))}
        feedforward = state["MMP.capture.msa.0.vsablock.layer.feed_forward.w_1.weight"].shape[0]
        network = ParsingNetwork(
            Pyramid(width, 8, feedforward, levels=len(levels), dropout=0.2, attention_dropout=0.1),
            width=width,
            audio_dim=state["fc_a.weight"].shape[1],
            image_dim=state["fc_v.weight"].shape[1],
            motion_dim=state["fc_st.weight"].shape[1],
            classes=classes,
        )
        load_renamed(network, own_state(state), origin="mmpyramid (weak)")
        return network

    def outputs(
        self, setting: str, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor], mode: str
    ) -> dict[str, Tensor]:
        """``eval``: the forward's values and decoded labels; ``train0``: without dropout, with the losses."""
        import torch

        from avelzoo_baselines.mm_pyramid.parsing import decoded, losses

        if mode not in ("eval", "train0"):
            raise UsageError(f"mmpyramid ({setting}) has no mode '{mode}'", expected="eval or train0")
        network = self.network(state)
        features = (inputs[name].float() for name in ("audio", "visual", "visual_st"))
        if mode == "eval":
            network.eval()
            with torch.no_grad():
                values: dict[str, Tensor] = network(*features)
            return values | decoded(values)
        without_dropout(network.train())
        values = network(*features)
        values |= losses(values, inputs["labels"].float())
        return {name: value.detach() for name, value in values.items()}

    def _refuse(self) -> NoReturn:
        raise UsageError(
            "MM-Pyramid's public checkpoints parse videos (AVVP: several of 25 categories, image and motion features)",
            expected="a checkpoint of an event localization system; MM-Pyramid released none",
            fix="train the recipe 'mm-pyramid'; official_outputs reads these checkpoints for comparison",
        )


def own_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict in avelzoo's keys; queries, keys and values stacked, unused entries left out."""
    import torch

    stacks: dict[str, dict[int, Tensor]] = {}
    renamed: dict[str, Tensor] = {}
    for key, value in state.items():
        if any(re.search(pattern, key) for pattern in _UNUSED):
            continue
        if part := _STACKED.fullmatch(key):
            name = rename(f"{part[1]}attention.in_proj_{part[3]}")
            stacks.setdefault(name, {})[int(part[2])] = value
            continue
        renamed[rename(key)] = value
    for name, parts in stacks.items():
        renamed[name] = torch.cat([parts[i] for i in sorted(parts)])
    return renamed


def rename(key: str) -> str:
    """avelzoo's key for one of the public code's."""
    for pattern, replacement in _RENAMES:
        key = re.sub(pattern, replacement, key)
    return key
