"""The system of Ge et al. 2023 as its public code computes it, from the equations, one video at a time.

Plain torch on a state dict with the public code's keys; nothing of avelzoo is used.
"""

from __future__ import annotations

import math

import torch
from naive_relation import State, attend, feed, linear, norm
from torch import Tensor
from torch.nn import functional as F

MARGIN, TEMPERATURE, HEADS = 0.7, 0.1, 4


def self_block(state: State, name: str, x: Tensor) -> Tensor:
    name = f"{name}.layers.0"
    x = norm(state, f"{name}.norm1", x + attend(state, f"{name}.self_attn", x, x, HEADS))
    return norm(state, f"{name}.norm2", x + feed(state, name, x))


def cross_block(state: State, name: str, query: Tensor, memory: Tensor) -> Tensor:
    name = f"{name}.layers.0"
    query = norm(state, f"{name}.norm2", query + attend(state, f"{name}.multihead_attn", query, memory, HEADS))
    return norm(state, f"{name}.norm3", query + feed(state, name, query))


def project(state: State, name: str, x: Tensor) -> Tensor:
    x = linear(state, f"{name}.0", x)
    return linear(state, f"{name}.2", torch.where(x > 0, x, 0.01 * x))


def positions(cells: int, width: int) -> Tensor:
    table = torch.zeros(cells, width, dtype=torch.float64)
    for p in range(cells):
        for i in range(width // 2):
            angle = p * math.exp(-2 * i * math.log(10000.0) / width)
            table[p, 2 * i], table[p, 2 * i + 1] = math.sin(angle), math.cos(angle)
    return table


def convolve(state: State, name: str, x: Tensor) -> Tensor:
    """Three taps over time, zeros outside: (t c) -> (t d)."""
    weight, rows = state[f"{name}.weight"], []
    for t in range(len(x)):
        total = state[f"{name}.bias"]
        for tap in range(3):
            if 0 <= t + tap - 1 < len(x):
                total = total + weight[:, :, tap] @ x[t + tap - 1]
        rows.append(total)
    return torch.stack(rows)


def encode(state: State, audio: Tensor, visual: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One video: (t a), (t h w v) -> F, A, V, each (t d)."""
    heard = project(state, "audio_fc", audio)
    spatial, means = [], []
    for ask, grid in zip(heard, visual, strict=True):
        cells = project(state, "video_fc", grid.reshape(-1, grid.shape[-1]))
        cells = self_block(state, "video_stf", cells + positions(*cells.shape))
        spatial.append(cross_block(state, "spatial_decoder", ask[None], cells)[0])
        means.append(cells.mean(0))
    heard, seen = self_block(state, "audio_tf", heard), self_block(state, "video_ttf", torch.stack(means))
    joined = torch.cat([torch.stack(spatial), cross_block(state, "temporal_decoder", heard, seen)], dim=-1)
    inner = convolve(state, "fusion_layer.layers.0", joined)
    fused = convolve(state, "fusion_layer.layers.2", torch.where(inner > 0, inner, 0.01 * inner))
    return norm(state, "fusion_layer.ln2", fused), heard, seen


def distance(x: Tensor, y: Tensor) -> Tensor:
    return torch.sqrt(((x - y) ** 2).sum() / len(x))


def prototype_scores(fused: Tensor, prototypes: Tensor) -> Tensor:
    """(t d), (n d) -> (n), the mean over segments of -distance / temperature."""
    rows = [torch.stack([-distance(segment, p) / TEMPERATURE for p in prototypes]) for segment in fused]
    return torch.stack(rows).mean(0)


def evaluate(state: State, audio: Tensor, visual: Tensor) -> dict[str, Tensor]:
    """Evaluation: the bank is read as it is."""
    bank = read(state, state["aligned_bank.cls_a_queue"], state["aligned_bank.cls_v_queue"])
    videos = []
    for a, v in zip(audio, visual, strict=True):
        fused, heard, seen = encode(state, a, v)
        scores = prototype_scores(fused, bank.mean(1))
        anchors = bank[scores.argmax()]
        nearest = torch.stack([min(distance(segment, anchor) for anchor in anchors) for segment in fused])
        relevant = torch.sigmoid(MARGIN - nearest)
        videos.append(
            {
                "bg_preds": relevant,
                "evn_pred": scores,
                "fused_feats": fused,
                "afeats": heard,
                "vfeats": seen,
                "memory_of_predicted_class": anchors,
                "pred": torch.where(relevant > 0.5, scores.argmax(), len(bank)),
            }
        )
    found = {name: torch.stack([video[name] for video in videos]) for name in videos[0]}
    return found | {"prototypes": bank.mean(1)}


def read(state: State, audio: Tensor, visual: Tensor) -> Tensor:
    """Every category's slots as the segments of one video: (n l d)."""
    return torch.stack([encode(state, a, v)[0] for a, v in zip(audio, visual, strict=True)])


def agreement(x: Tensor, y: Tensor) -> Tensor:
    """1 - JSD of two rows of logits."""
    p, q = torch.softmax(x, -1), torch.softmax(y, -1)
    m = (p + q) / 2
    return 1 - ((p * torch.log(p / m)).sum() + (q * torch.log(q / m)).sum()) / 2


def train(state: State, audio: Tensor, visual: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """One training forward under full supervision: the bank takes each video's best segment, then is read."""
    queues = [list(state[f"aligned_bank.cls_{name}_queue"].detach().clone()) for name in ("a", "v", "sc")]
    encoded = [encode(state, a, v) for a, v in zip(audio, visual, strict=True)]
    said = [linear(state, "audio_classifier", heard) for _, heard, _ in encoded]
    shown = [linear(state, "video_classifier", seen) for _, _, seen in encoded]
    foreground = 1 - labels[..., -1]
    category = [int(video[:, :-1].sum(0).argmax()) for video in labels]
    chosen = []
    for i, k in enumerate(category):
        pairs = zip(said[i].detach(), shown[i].detach(), foreground[i], strict=True)
        scores = [float(agreement(x, y) + relevant) for x, y, relevant in pairs]
        chosen.append(best := max(range(len(scores)), key=scores.__getitem__))
        offered = (audio[i, best], visual[i, best], torch.tensor(scores[best], dtype=torch.float64))
        joined = [torch.cat([queue[k], new[None]]) for queue, new in zip(queues, offered, strict=True)]
        order = sorted(range(len(joined[2])), key=lambda slot: -float(joined[2][slot]))[: len(joined[2]) - 1]
        for queue, values in zip(queues, joined, strict=True):
            queue[k] = values[order]
    slots = [
        next((s for s, row in enumerate(queues[0][k]) if torch.equal(row, audio[i, chosen[i]])), -1)
        for i, k in enumerate(category)
    ]
    bank = read(state, torch.stack(queues[0]), torch.stack(queues[1]))
    relevance, events, contrast, prototypes = [], [], [], []
    for (fused, _, _), k, fg in zip(encoded, category, foreground, strict=True):
        relevance.append(torch.sigmoid(linear(state, "final_bg_classifier.linear2", fused))[:, 0])
        events.append(linear(state, "final_event_classifier.linear2", fused).mean(0))
        prototypes.append(prototype_scores(fused, bank.mean(1)))
        far = [max(distance(s, anchor) for anchor in bank[k]) for s, f in zip(fused, fg, strict=True) if f]
        near = [min(distance(s, anchor) for anchor in bank[k]) for s, f in zip(fused, fg, strict=True) if not f]
        pull, push = sum(far) / max(len(far), 1), sum(F.relu(MARGIN - x) for x in near) / max(len(near), 1)
        contrast.append(pull + push)
    found = {
        "bg_preds": torch.stack(relevance),
        "evn_pred": torch.stack(events),
        "audio_evn_preds": torch.stack(said),
        "video_evn_preds": torch.stack(shown),
        "rf_bg_loss": torch.stack(contrast),
        "rf_evn_pred": torch.stack(prototypes),
    }
    target = torch.tensor(category)
    p, fg = found["bg_preds"], foreground
    unimodal = sum(
        fg[i, t] * F.cross_entropy(logits[i, t], target[i])
        for logits in (found["audio_evn_preds"], found["video_evn_preds"])
        for i in range(len(fg))
        for t in range(fg.shape[1])
    )
    losses = {
        "loss_bg": -(fg * torch.log(p) + (1 - fg) * torch.log(1 - p)).mean(),
        "loss_evn": F.cross_entropy(found["evn_pred"], target),
        "loss_u": 0.01 * unimodal / fg.numel(),
        "loss_p": 0.1 * F.cross_entropy(found["rf_evn_pred"], target),
        "loss_c": 0.1 * found["rf_bg_loss"].mean(),
    }
    bank_values = {"bank.cls_sc_queue": torch.stack(queues[2])}
    picked = {"selected_segment": torch.tensor(chosen), "inserted_slot": torch.tensor(slots)}
    return found | losses | {"loss_total": sum(losses.values())} | bank_values | picked
