"""MM-Pyramid's public parsing network written down from its description, on its state dict, one video at a time."""

from __future__ import annotations

import torch
from naive_relation import State, linear, norm
from torch import Tensor


def attention(state: State, name: str, query: Tensor, memory: Tensor, reach: int | None) -> Tensor:
    """(q d), (k d) -> (q d), eight heads, each query seeing ``reach`` steps to both sides."""
    q = linear(state, f"{name}.linears.0", query)
    k, v = linear(state, f"{name}.linears.1", memory), linear(state, f"{name}.linears.2", memory)
    size = q.shape[-1] // 8
    out = torch.zeros_like(q)
    for h in range(8):
        at = slice(h * size, (h + 1) * size)
        for i in range(len(q)):
            near = [j for j in range(len(k)) if reach is None or abs(i - j) <= reach]
            weights = torch.softmax(torch.stack([q[i, at] @ k[j, at] / size**0.5 for j in near]), dim=0)
            out[i, at] = sum(w * v[j, at] for w, j in zip(weights, near, strict=True))
    return linear(state, f"{name}.linears.3", out)


def layer(state: State, name: str, query: Tensor, memory: Tensor, reach: int | None) -> Tensor:
    """Only the query is normalised."""
    x = query + attention(state, f"{name}.self_attn", norm(state, f"{name}.sublayer.0.norm", query), memory, reach)
    inner = torch.relu(linear(state, f"{name}.feed_forward.w_1", norm(state, f"{name}.sublayer.1.norm", x)))
    return x + linear(state, f"{name}.feed_forward.w_2", inner)


def dilated(state: State, name: str, x: Tensor, step: int) -> Tensor:
    weight, bias = state[f"{name}.conv1.weight"], state[f"{name}.conv1.bias"]
    rows = []
    for t in range(len(x)):
        total = bias
        for tap in range(3):
            at = t + (tap - 1) * step
            if 0 <= at < len(x):
                total = total + weight[:, :, tap] @ x[at]
        rows.append(torch.relu(total))
    mixed = torch.stack(rows) @ state[f"{name}.conv2.weight"][..., 0].T + state[f"{name}.conv2.bias"]
    return torch.relu(mixed + x)


def pyramid(state: State, v: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
    levels_v, levels_a = [], []
    for i in range(4):
        m, reach = f"MMP.capture.msa.{i}", 2**i
        v_s, a_s = layer(state, f"{m}.vsablock.layer", v, v, reach), layer(state, f"{m}.asablock.layer", a, a, reach)
        v_c, a_c = layer(state, f"{m}.cmablock.layer", v, a, reach), layer(state, f"{m}.cmablock.layer", a, v, reach)
        both_v, both_a = torch.cat([v_s, v_c], -1), torch.cat([a_s, a_c], -1)
        v = (
            torch.sigmoid(linear(state, f"{m}.lv1", both_v)) * v_s
            + torch.sigmoid(linear(state, f"{m}.lv2", both_v)) * v_c
        )
        a = (
            torch.sigmoid(linear(state, f"{m}.la1", both_a)) * a_s
            + torch.sigmoid(linear(state, f"{m}.la2", both_a)) * a_c
        )
        v = dilated(state, f"MMP.capture.vnetwork.{i}", v, reach)
        a = dilated(state, f"MMP.capture.anetwork.{i}", a, reach)
        levels_v.append(v)
        levels_a.append(a)
    return fuse(state, "v", levels_v), fuse(state, "a", levels_a)


def fuse(state: State, letter: str, levels: list[Tensor]) -> Tensor:
    rows = []
    for t in range(len(levels[0])):
        stack = torch.stack([level[t] for level in levels])
        x = layer(state, f"MMP.fusion.{letter}adaptiveinteraction", stack, stack, None)
        weights = torch.sigmoid(linear(state, f"MMP.fusion.{letter}selectfusion", x))
        rows.append((weights * x).sum(0))
    return torch.stack(rows)


def parse(state: State, audio: Tensor, visual: Tensor, motion: Tensor) -> dict[str, Tensor]:
    videos = []
    for a, frames, r in zip(audio, visual, motion, strict=True):
        images = linear(state, "fc_v", frames)
        images = torch.stack([images[8 * t : 8 * t + 8].mean(0) for t in range(len(a))])
        v = linear(state, "fc_fusion", torch.cat([images, linear(state, "fc_st", r)], dim=-1))
        first, second = pyramid(state, v, linear(state, "fc_a", a))
        x = torch.stack([first, second], dim=1)
        p = torch.sigmoid(linear(state, "fc_prob", x))
        in_time = torch.softmax(linear(state, "fc_frame_att", x), dim=0)
        in_stream = torch.softmax(linear(state, "fc_av_att", x), dim=1)
        videos.append(
            {
                "pyramid_first": first,
                "pyramid_second": second,
                "frame_prob": p,
                "global_prob": (p * in_time * in_stream).sum((0, 1)),
                "a_prob": (p * in_time)[:, 0].sum(0),
                "v_prob": (p * in_time)[:, 1].sum(0),
            }
        )
    return {name: torch.stack([video[name] for video in videos]) for name in videos[0]}
