"""The public network for audio-visual video parsing (JustinYuu/MM_Pyramid) around avelzoo-baselines' pyramid.

Nothing was released for AVE, so this network compares the pyramid with the public code; no AVE model can be loaded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

import torch
from avelzoo_baselines.mm_pyramid.pyramid import Pyramid
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo import Registrar, RunError, UsageError, hookimpl, load_renamed, without_dropout
from avelzoo.published.official import OfficialOutputs

FRAMES = 8
"""Frames per segment of the image features."""


class ParsingNetwork(nn.Module):
    """Stem, pyramid and attentive pooling of JustinYuu/MM_Pyramid's ``AVVPNet``.

    With s, r the segments' image and motion features and a their audio::

        v = W [mean_8 W_s s; W_r r],  (V, A) = Pyramid(v, W_a a),  x = the two streams V, A
        p = sigmoid(W_p x)                                       segment probabilities
        T = softmax_t(W_t x),  M = softmax_streams(W_m x)
        video = sum_t,m T M p,  first stream = sum_t T p of V,  second stream = sum_t T p of A

    The public code names the first stream audio and the second visual, although V comes first; their labels are
    exchanged in its loss and in its evaluation.

    Args:
        pyramid: the pyramid.
        width: its channels d.
        audio_dim: channels of the audio.
        image_dim: channels of the image features.
        motion_dim: channels of the motion features.
        classes: c, of which several may hold at once.
    """

    def __init__(
        self, pyramid: Pyramid, *, width: int, audio_dim: int, image_dim: int, motion_dim: int, classes: int
    ) -> None:
        super().__init__()
        self.pyramid = pyramid
        self.audio_in = nn.Linear(audio_dim, width)
        self.image_in = nn.Linear(image_dim, width)
        self.motion_in = nn.Linear(motion_dim, width)
        self.visual_in = nn.Linear(2 * width, width)
        self.probability = nn.Linear(width, classes)
        self.time_attention = nn.Linear(width, classes)
        self.stream_attention = nn.Linear(width, classes)

    def forward(self, audio: Tensor, image: Tensor, motion: Tensor) -> dict[str, Tensor]:
        """(b t a), (b 8t i), (b t m) -> the public code's values by name, segments (b t 2 c), videos (b c)."""
        frames = self.image_in(image).unflatten(1, (-1, FRAMES)).mean(dim=2)
        visual = self.visual_in(torch.cat([frames, self.motion_in(motion)], dim=-1))
        first, second = self.pyramid(visual, self.audio_in(audio))
        streams = torch.stack([first, second], dim=2)
        prob, in_time, in_stream = (
            layer(streams) for layer in (self.probability, self.time_attention, self.stream_attention)
        )
        probabilities = prob.sigmoid()
        pooled = in_time.softmax(dim=1) * probabilities
        per_stream = pooled.sum(dim=1)
        return {
            "pyramid_first": first,
            "pyramid_second": second,
            "prob_logits": prob,
            "frame_att_logits": in_time,
            "av_att_logits": in_stream,
            "global_prob": (pooled * in_stream.softmax(dim=2)).sum(dim=(1, 2)),
            "a_prob": per_stream[:, 0],
            "v_prob": per_stream[:, 1],
            "frame_prob": probabilities,
        }


def predictions(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Labels (b t c) of both streams: where the segment and the video reach one half."""
    holds = (values["frame_prob"] >= 0.5) & (values["global_prob"] >= 0.5)[:, None, None]
    first, second = holds.long().unbind(dim=2)
    return {"decoded_audio": first, "decoded_visual": second}


def losses(values: Mapping[str, Tensor], labels: Tensor) -> dict[str, Tensor]:
    """Binary cross-entropies of both streams and of the video; the second stream's labels are smoothed by 0.1."""
    smooth = {"loss_audio": labels, "loss_visual": 0.9 * labels + 0.05, "loss_global": labels}
    names = {"loss_audio": "a_prob", "loss_visual": "v_prob", "loss_global": "global_prob"}
    found = {
        loss: F.binary_cross_entropy(values[name].clamp(1e-7, 1 - 1e-7), smooth[loss]) for loss, name in names.items()
    }
    return found | {"loss_total": found["loss_audio"] + found["loss_visual"] + found["loss_global"]}


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


class MMPyramid2022(OfficialOutputs):
    """Yu et al. 2022: state dicts of ``AVVPNet``, for several of 25 categories at once and other features."""

    settings: ClassVar[tuple[str, ...]] = ("weak",)

    def network(self, state: Mapping[str, Tensor]) -> ParsingNetwork:
        """The parsing network with the checkpoint's weights."""
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
        if mode not in ("eval", "train0"):
            raise UsageError(f"mmpyramid ({setting}) has no mode '{mode}'", expected="eval or train0")
        network = self.network(state)
        features = (inputs[name].float() for name in ("audio", "visual", "visual_st"))
        if mode == "eval":
            network.eval()
            with torch.no_grad():
                values: dict[str, Tensor] = network(*features)
            return values | predictions(values)
        without_dropout(network.train())
        values = network(*features)
        values |= losses(values, inputs["labels"].float())
        return {name: value.detach() for name, value in values.items()}


def own_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict in avelzoo's keys; queries, keys and values stacked, unused entries left out."""
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
    """avelzoo's key for a key of the public code."""
    for pattern, replacement in _RENAMES:
        key = re.sub(pattern, replacement, key)
    return key


@hookimpl
def avelzoo_register(zoo: Registrar) -> None:
    """Offer it to `official_outputs`."""
    zoo.published_code("mmpyramid", MMPyramid2022)
