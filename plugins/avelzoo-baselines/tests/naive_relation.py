"""CMRAN, CMBS and CACE-Net written down from their description, on the public state dicts, one video at a time."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

State = Mapping[str, Tensor]


def linear(state: State, name: str, x: Tensor) -> Tensor:
    return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def norm(state: State, name: str, x: Tensor) -> Tensor:
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(variance + 1e-5) * state[f"{name}.weight"] + state[f"{name}.bias"]


def attend(state: State, name: str, query: Tensor, memory: Tensor, heads: int) -> Tensor:
    """One video: (q d), (k d) -> (q d)."""
    d = query.shape[-1]
    weight, bias = state[f"{name}.in_proj_weight"], state[f"{name}.in_proj_bias"]
    q = query @ weight[:d].T + bias[:d]
    k = memory @ weight[d : 2 * d].T + bias[d : 2 * d]
    v = memory @ weight[2 * d :].T + bias[2 * d :]
    size = d // heads
    parts = []
    for h in range(heads):
        at = slice(h * size, (h + 1) * size)
        weights = torch.softmax(q[:, at] @ k[:, at].T / size**0.5, dim=-1)
        parts.append(weights @ v[:, at])
    return linear(state, f"{name}.out_proj", torch.cat(parts, dim=-1))


def feed(state: State, name: str, x: Tensor) -> Tensor:
    return linear(state, f"{name}.linear2", torch.relu(linear(state, f"{name}.linear1", x)))


def encode(state: State, name: str, x: Tensor) -> Tensor:
    x = linear(state, f"{name}.affine_matrix", x)
    for i in range(2):
        layer = f"{name}.encoder.layers.{i}"
        x = norm(state, f"{layer}.norm1", x + attend(state, f"{layer}.self_attn", x, x, 4))
        x = norm(state, f"{layer}.norm2", x + feed(state, layer, x))
    return x


def decode(state: State, name: str, query: Tensor, memory: Tensor) -> Tensor:
    q = linear(state, f"{name}.affine_matrix", query)
    layer = f"{name}.decoder.layers.0"
    both = torch.cat([memory, q])
    q = norm(state, f"{layer}.norm1", q + attend(state, f"{layer}.multihead_attn", q, both, 4))
    return norm(state, f"{layer}.norm2", q + feed(state, layer, q))


def interact(state: State, name: str, x: Tensor, y: Tensor, heads: int) -> Tensor:
    g = x * y
    out = attend(state, f"{name}.video_multihead", g, torch.cat([y, x]), heads)
    return norm(state, f"{name}.norm1", g + out)


def channels(state: State, audio: Tensor, cells: Tensor) -> Tensor:
    """kappa of one segment: (a), (l v) -> (v)."""
    p = "spatial_channel_att"
    heard = torch.relu(linear(state, f"{p}.affine_audio_1", audio))
    seen = torch.relu(linear(state, f"{p}.affine_video_1", cells))
    context = torch.stack([heard * seen[i] for i in range(len(cells))]).mean(0)
    inner = torch.relu(linear(state, f"{p}.affine_bottleneck", context))
    return torch.sigmoid(linear(state, f"{p}.affine_v_c_att", inner))


def places(state: State, audio: Tensor, cells: Tensor) -> Tensor:
    """The audio-guided sum of one segment's cells: (a), (l v) -> (v)."""
    p = "spatial_channel_att"
    seen = torch.relu(linear(state, f"{p}.affine_video_2", cells))
    heard = torch.relu(linear(state, f"{p}.affine_audio_2", audio))
    z = torch.tanh(linear(state, f"{p}.affine_v_s_att", seen * heard))
    return (torch.softmax(z, dim=0) * cells).sum(0)


def project(state: State, visual: Tensor) -> Tensor:
    """One video: (t h w v) -> (t l v)."""
    return torch.relu(linear(state, "v_fc", visual.reshape(visual.shape[0], -1, visual.shape[-1])))


def cmran_seen(state: State, audio: Tensor, visual: Tensor) -> Tensor:
    """One video: (t a), (t h w v) -> (t v)."""
    out = []
    for a, cells in zip(audio, project(state, visual), strict=True):
        out.append(places(state, a, cells * (1 + channels(state, a, cells))))
    return torch.stack(out)


def look(state: State, cells: Tensor, suffix: str = "", norm_name: str = "norm") -> Tensor:
    """Self-attention over one segment's cells: (l v) -> (l v)."""
    p = "spatial_channel_att"
    q, k, v = (linear(state, f"{p}.video_{part}{suffix}", cells) for part in ("query", "key", "value"))
    return norm(state, f"{p}.{norm_name}", cells + torch.softmax(q @ k.T, dim=-1) @ v)


def gated_seen(state: State, audio: Tensor, visual: Tensor, beta: float, norm_name: str = "norm") -> Tensor:
    """CMBS's attention over one video: (t a), (t h w v) -> (t v)."""
    p = "spatial_channel_att"
    out = []
    for a, cells in zip(audio, project(state, visual), strict=True):
        z = look(state, cells, norm_name=norm_name)
        g = torch.relu(linear(state, f"{p}.affine_video_ave", z.mean(0)))
        score = torch.tanh(linear(state, f"{p}.ave_v_att", torch.relu(linear(state, f"{p}.affine_video_3", z)) * g))
        s = (torch.softmax(score, dim=0) * z).sum(0)
        f = places(state, a, cells * (1 + channels(state, a, z)))
        out.append(f * (1 + beta * torch.sigmoid(s)))
    return torch.stack(out)


def recur(state: State, name: str, x: Tensor) -> Tensor:
    """A bidirectional LSTM by its equations: (t c) -> (t 2h)."""
    directions = []
    for suffix, steps in (("", range(len(x))), ("_reverse", range(len(x) - 1, -1, -1))):
        parts = [state[f"{name}.{part}_l0{suffix}"] for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        size = parts[1].shape[1]
        h, c = x.new_zeros(size), x.new_zeros(size)
        seen: dict[int, Tensor] = {}
        for t in steps:
            i, f, g, o = (parts[0] @ x[t] + parts[2] + parts[1] @ h + parts[3]).split(size)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            seen[t] = h
        directions.append(torch.stack([seen[t] for t in range(len(x))]))
    return torch.cat(directions, dim=-1)


def top4(x: Tensor) -> Tensor:
    """Mean of the four largest values over t: (t c) -> (c)."""
    return torch.sort(x, dim=0, descending=True).values[:4].mean(0)


def cmran(state: State, audio: Tensor, visual: Tensor, *, weak: bool) -> dict[str, Tensor]:
    videos = []
    for a, v in zip(audio, visual, strict=True):
        f = cmran_seen(state, a, v)
        o_a = decode(state, "audio_decoder", a, encode(state, "video_encoder", f))
        o_v = decode(state, "video_decoder", f, encode(state, "audio_encoder", a))
        z = interact(state, "AVInter", o_v, o_a, 2 if weak else 4)
        is_event = linear(state, "localize_module.classifier", z)[:, 0]
        category = linear(state, "localize_module.event_classifier", z.max(0).values)
        gated = torch.stack([torch.sigmoid(r) * category for r in is_event]).max(0).values
        videos.append((f, is_event, category, torch.softmax(gated, dim=0)))
    f, is_event, category, video = (torch.stack(part) for part in zip(*videos, strict=True))
    if weak:
        return {"attended_visual": f, "is_event_scores": is_event, "raw_logits": category, "event_scores": video}
    return {"attended_visual": f, "is_event_scores": is_event.T.unsqueeze(-1), "event_scores": category}


def cmbs(state: State, audio: Tensor, visual: Tensor, *, weak: bool) -> dict[str, Tensor]:
    one = cmbs_weak_video if weak else gated_video
    videos = []
    for a, v in zip(audio, visual, strict=True):
        f = gated_seen(state, a, v, 0.5 if weak else 0.4)
        videos.append({"attended_visual": f} | one(state, a, f))
    return collect(videos)


def collect(videos: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Videos side by side; what the public supervised models return with time first is turned."""
    found = {name: torch.stack([video[name] for video in videos]) for name in videos[0]}
    if "av_gate" not in found:
        for name in ("is_event_scores", "audio_visual_gate"):
            found[name] = found[name].T.unsqueeze(-1)
    return found


def gated_video(state: State, a: Tensor, f: Tensor, *, scale: float | None = None) -> dict[str, Tensor]:
    """What follows the attention under full supervision; CACE-Net's localiser where ``scale`` is given."""
    q_a = recur(state, "audio_visual_rnn_layer.audio_rnn", a)
    q_v = recur(state, "audio_visual_rnn_layer.visual_rnn", f)
    k_v, k_a = encode(state, "video_encoder", q_v), encode(state, "audio_encoder", q_a)
    o_a, o_v = decode(state, "audio_decoder", q_a, k_v), decode(state, "video_decoder", q_v, k_a)
    g_a = torch.sigmoid(linear(state, "audio_gated.0", k_a))
    g_v = torch.sigmoid(linear(state, "video_gated.0", k_v))
    o_v, o_a = o_v * (1 + 0.1 * g_a), o_a * (1 + 0.1 * g_v)
    av = (top4(linear(state, "video_cas", o_v)) + top4(linear(state, "audio_cas", o_a))) / 2
    x1 = interact(state, "AVInter", o_v, o_a, 4)
    z = (x1 + interact(state, "VAInter", o_a, x1, 4)) / 2
    category = linear(state, "localize_module.event_classifier", z.max(0).values) + 0.3 * av
    found = {"event_scores": category, "audio_visual_gate": (g_a * g_v)[:, 0], "av_score": av}
    relevant = z
    if scale is not None:
        q = torch.relu(linear(state, "localize_module.encoder_q.0", z))
        relevant = z + scale * q
        found["queries"] = q / q.norm(dim=-1, keepdim=True)
    return found | {"is_event_scores": linear(state, "localize_module.classifier", relevant)[:, 0]}


def cmbs_weak_video(state: State, a: Tensor, f: Tensor) -> dict[str, Tensor]:
    k_v, k_a = encode(state, "video_encoder", f), encode(state, "audio_encoder", a)
    o_a, o_v = decode(state, "audio_decoder", a, k_v), decode(state, "video_decoder", f, k_a)
    g_a = torch.sigmoid(linear(state, "audio_gated.0", k_v))
    g_v = torch.sigmoid(linear(state, "video_gated.0", k_a))
    o_v, o_a = 0.8 * o_v + 0.2 * g_a * o_v, 0.8 * o_a + 0.2 * g_v * o_a
    g = (g_a + g_v) / 2
    w_v, w_a = torch.sigmoid(linear(state, "video_cas", o_v)), torch.sigmoid(linear(state, "audio_cas", o_a))
    x1 = interact(state, "AVInter", o_v, o_a, 2)
    z = (x1 + interact(state, "VAInter", o_a, x1, 2)) / 2
    c = z @ state["CAS_model.classifier.0.weight"][..., 0].T
    raw = top4(0.5 * (w_v + w_a) * c)
    video = torch.softmax((g * raw).max(0).values, dim=0)
    return {"av_gate": g[:, 0], "raw_logits": raw, "event_scores": video}


def cace_net(state: State, audio: Tensor, visual: Tensor) -> dict[str, Tensor]:
    p = "spatial_channel_att"
    videos = []
    for a, v in zip(audio, visual, strict=True):
        f = gated_seen(state, a, v, 0.4, norm_name="v_norm")
        scene = torch.stack([look(state, cells, "2", "v_norm").mean(0) for cells in project(state, v)])
        q, k, val = (linear(state, f"{p}.audio_{part}", a) for part in ("query", "key", "value"))
        context = norm(state, f"{p}.a_norm", a + torch.softmax(q @ k.T, dim=-1) @ val)
        asked = linear(state, f"{p}.v_query", scene) @ linear(state, f"{p}.vaudio_key", context).T
        g = torch.softmax(asked, dim=-1) @ linear(state, f"{p}.vaudio_value", context)
        heard = a * (1 + 0.3 * torch.sigmoid(g))
        videos.append({"attended_visual": f, "attended_audio": heard} | gated_video(state, heard, f, scale=0.6))
    return collect(videos)


def event_losses(found: Mapping[str, Tensor], labels: Tensor, *, gated: bool) -> dict[str, Tensor]:
    """The public losses under full supervision."""
    fg = 1 - labels[..., -1]
    category = torch.tensor([int(video[:, :-1].sum(0).argmax()) for video in labels])
    rows = torch.arange(len(category))

    def bce(x: Tensor) -> Tensor:
        x = x.squeeze(-1).T
        return -(fg * F.logsigmoid(x) + (1 - fg) * F.logsigmoid(-x)).mean()

    def ce(x: Tensor) -> Tensor:
        return -torch.log(torch.softmax(x, dim=-1)[rows, category]).mean()

    losses = {"loss_is_event": bce(found["is_event_scores"]), "loss_event_class": ce(found["event_scores"])}
    if gated:
        losses |= {"loss_is_gate": bce(found["audio_visual_gate"]), "loss_cas": ce(found["av_score"])}
    return losses | {"loss_total": torch.stack(list(losses.values())).sum()}


def video_loss(found: Mapping[str, Tensor], labels: Tensor) -> dict[str, Tensor]:
    """The public loss under weak supervision: the multi-label soft margin of probabilities."""
    p = found["event_scores"]
    inner = labels * torch.log(1 / (1 + torch.exp(-p))) + (1 - labels) * torch.log(torch.exp(-p) / (1 + torch.exp(-p)))
    return {"loss_total": -inner.mean()}
