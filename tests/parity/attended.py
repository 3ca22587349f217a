"""The public models of AVEL 2018, PSP and CPSP from their descriptions, in plain operations over public keys."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def linear(state, key, x):
    """x W^T, plus the bias where there is one."""
    out = x @ state[f"{key}.weight"].T
    return out + state[f"{key}.bias"] if f"{key}.bias" in state else out


def attend(state, prefix, audio, visual):
    """(b t a), (b t 7 7 v) -> (b t v); the audio enters once per location."""
    x = visual.flatten(2, 3)
    seen = linear(state, f"{prefix}affine_v", F.relu(linear(state, f"{prefix}affine_video", x)))
    heard = linear(state, f"{prefix}affine_g", F.relu(linear(state, f"{prefix}affine_audio", audio)))
    z = linear(state, f"{prefix}affine_h", torch.tanh(seen + heard[..., None]))
    return (z.softmax(dim=2) * x).sum(dim=2)


def lstm(state, prefix, x):
    """Both directions, step by step."""
    outputs = []
    for suffix, steps in (("", x), ("_reverse", x.flip(1))):
        w_in, w_state = state[f"{prefix}.weight_ih_l0{suffix}"], state[f"{prefix}.weight_hh_l0{suffix}"]
        bias = state[f"{prefix}.bias_ih_l0{suffix}"] + state[f"{prefix}.bias_hh_l0{suffix}"]
        hidden = cell = x.new_zeros(len(x), w_state.shape[1])
        found = []
        for step in steps.unbind(1):
            i, f, g, o = (step @ w_in.T + hidden @ w_state.T + bias).chunk(4, dim=1)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
            hidden = torch.sigmoid(o) * torch.tanh(cell)
            found.append(hidden)
        found = torch.stack(found, 1)
        outputs.append(found.flip(1) if suffix else found)
    return torch.cat(outputs, 2)


def soft_margin(p, y):
    """Mean of the multi-label soft margin of p taken for logits."""
    return -(y * torch.log(1 / (1 + torch.exp(-p))) + (1 - y) * torch.log(torch.exp(-p) / (1 + torch.exp(-p)))).mean()


def avel2018(state, setting, audio, visual, labels):
    """A+V-att."""
    seen = attend(state, "", audio, visual)
    h = F.relu(torch.cat([lstm(state, "lstm_audio", audio), lstm(state, "lstm_video", seen)], 2))
    score = linear(state, "L2", F.relu(linear(state, "L1", h)))
    if setting == "full":
        probs = score.softmax(-1)
        return {"probs": probs, "pred": probs.argmax(-1), "loss_total": soft_margin(probs, labels)}
    probs = score.max(dim=1).values.softmax(-1)
    return {
        "video_probs": probs,
        "score": score,
        "pred": score.argmax(-1),
        "loss_total": soft_margin(probs, labels),
    }


def avel2018_dmrn(state, setting, audio, visual, labels):
    """DMRN of one block, with the public code's exchanged roles."""
    seen = attend(state, "", audio, visual)
    a, v = lstm(state, "lstm_audio", audio), lstm(state, "lstm_video", seen)
    m = 0.5 * (
        linear(state, "U_v.2", torch.tanh(linear(state, "U_v.0", v)))
        + linear(state, "U_a.2", torch.tanh(linear(state, "U_a.0", a)))
    )
    v, a = torch.tanh(a + m), torch.tanh(v + m)
    probs = linear(state, "L2", 0.5 * (v + a)).softmax(-1)
    return {"probs": probs, "pred": probs.argmax(-1), "loss_total": soft_margin(probs, labels)}


def propagate(state, a, v, threshold, *, full):
    """a~, v~ of positive sample propagation."""
    v1, v2, a1, a2 = (
        F.relu(linear(state, f"psp.{key}", v if key[0] == "v" else a)) for key in ("v_L1", "v_L2", "a_L1", "a_L2")
    )
    s = F.relu(torch.einsum("bid,bjd->bij", v2, a1) / 16)
    found = []
    for rows, keep, add in ((s, v, a2), (s.transpose(1, 2), a, v1)):
        share = rows / (rows.sum(-1, keepdim=True) + 1e-8)
        share = torch.where(share > threshold, share, 0.0)
        if full:
            share = share / (share.sum(-1, keepdim=True) + 1e-8)
        found.append(keep + torch.einsum("bij,bjd->bid", share, add))
    v, a = found
    if full:
        v, a = F.relu(linear(state, "psp.v_fc", v)), F.relu(linear(state, "psp.a_fc", a))
    norm = (256,), state["psp.layer_norm.weight"], state["psp.layer_norm.bias"], 1e-6
    return F.layer_norm(a, *norm), F.layer_norm(v, *norm)


def psp_features(state, audio, visual, threshold):
    """Fused features, cosines and what the audio sees, of the fully supervised network."""
    audio = linear(state, "fa.1", linear(state, "fa.0", audio))
    seen = attend(state, "attention.", audio, visual)
    a = lstm(state, "lstm_a_v.lstm_audio", audio)
    v = lstm(state, "lstm_a_v.lstm_video", linear(state, "fv.1", linear(state, "fv.0", seen)))
    a, v = propagate(state, a, v, threshold, full=True)
    cosine = (a * v).sum(-1) / (a.norm(dim=-1) * v.norm(dim=-1))
    return (a + v) / 2, cosine, seen


def pair_loss(cosine, relevance):
    """MSE of normalised positive cosines and the events' equal shares."""
    r = F.relu(cosine)
    r = r / (r.sum(1, keepdim=True) + 1e-8)
    return ((r - relevance / relevance.sum(1, keepdim=True)) ** 2).mean()


def psp(state, setting, audio, visual, labels, *, threshold=None):
    """PSP, both networks."""
    if setting == "full":
        fused, cosine, seen = psp_features(state, audio, visual, 0.099 if threshold is None else threshold)
        out = linear(state, "L2", F.relu(linear(state, "L1", fused)))
        cls = -(labels * out.log_softmax(-1)).sum(-1).mean()
        pair = pair_loss(cosine, 1 - labels[..., -1])
        values = {"fusion": fused, "out": out, "cross_att": cosine, "loss_cls": cls, "loss_avps": pair}
        return values | {"pred": out.argmax(-1), "attended_visual": seen, "loss_total": cls + 100 * pair}
    seen = attend(state, "attention.", audio, visual)
    a = lstm(state, "lstm_a_v.lstm_audio", audio)
    v = lstm(state, "lstm_a_v.lstm_video", linear(state, "linear_v", seen))
    a, v = propagate(state, a, v, 0.095 if threshold is None else threshold, full=False)
    score = linear(state, "L2", F.relu(linear(state, "L1", (a + v) / 2)))
    score = score * torch.sigmoid(F.relu(linear(state, "W3", score)))
    avg = score.mean(1).softmax(-1)
    loss = -(labels * avg.log() + (1 - labels) * (1 - avg).log()).mean()
    return {"scores_avg": avg, "score": score, "pred": score.argmax(-1), "attended_visual": seen, "loss_total": loss}


def cpsp(state, setting, audio, visual, labels):
    """CPSP's networks, which are PSP's fully supervised one under a double branch."""
    fused, cosine, seen = psp_features(state, audio, visual, 0.099 if setting == "full" else 0.095)
    is_event = linear(state, "event_classifier.0", fused).squeeze(-1)
    category = linear(state, "category_classifier.0", fused.mean(1))
    segment = category.argmax(1, keepdim=True).where(torch.sigmoid(is_event) > 0.5, category.shape[1])
    common = {"fusion": fused, "is_event_scores": is_event, "attended_visual": seen, "pred": segment}
    if setting == "full":
        return common | {"event_scores": category, "cross_att": cosine}
    video = (torch.sigmoid(is_event)[..., None] * category[:, None]).max(1).values.softmax(-1)
    return common | {"raw_logits": category, "event_scores": video}
