"""Outputs of Ge et al. 2023's public code, computed with avelzoo's modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from avelzoo.builtin.heads.event_aware import EventAware
from avelzoo.builtin.memory.bank import SEGMENT_BITS, Bank
from avelzoo.builtin.memory.slots import RankedSlots
from avelzoo.builtin.objectives import terms
from avelzoo.composition.model import Model, StepOutput
from avelzoo.errors import UsageError
from avelzoo.published.probes import adam_step, gradient_norms, without_dropout
from avelzoo.records import Batch, Targets

LEARNING_RATE = 3e-4
_PUBLIC_TERMS = {
    "loss_bg": "relevance",
    "loss_evn": "event",
    "loss_u": "unimodal",
    "loss_p": "prototype",
    "loss_c": "contrastive",
}


@torch.no_grad()
def eval_outputs(model: Model, setting: str, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Evaluation mode: relevance scores, event scores, features, bank features, decoded labels."""
    model.eval()
    batch = _batch(inputs)
    encoded = model.encoder(batch.audio, batch.visual)
    view = model.view()
    assert view is not None
    output = model.head(encoded, view)
    predictions = model.head.decode(output)
    return {
        "bg_preds": predictions.relevance,
        "evn_pred": predictions.category_scores,
        "fused_feats": encoded.fused,
        "afeats": encoded.audio,
        "vfeats": encoded.visual,
        "prototypes": view.prototypes(),
        "memory_of_predicted_class": view.items[predictions.category],
        "pred": predictions.segments,
    }


def train_outputs(
    model: Model, setting: str, inputs: Mapping[str, Tensor], mode: str, keys: Mapping[str, str]
) -> dict[str, Tensor]:
    """Training mode without dropout: predictions, losses, the bank after its update, gradients, one Adam step.

    Args:
        model: model with the checkpoint's weights; changed by the call.
        setting: ``full`` or ``weak``.
        inputs: audio, visual, labels.
        mode: ``train0`` or a variant.
        keys: the public code's parameter names -> avelzoo's.
    """
    variants: dict[str, Callable[[Tensor], Tensor]] = {
        "train0": lambda labels: labels,
        "train0_cold": lambda labels: labels,
        "train0_repeat": lambda labels: labels,
    }
    if setting == "weak":
        variants |= {"train0_mil": _category_only, "train0_bgvideo": _last_is_background}
    if mode not in variants:
        raise UsageError(f"ge2023 {setting} has no mode '{mode}'", expected=", ".join(["eval", *variants]))
    model.train()
    without_dropout(model)
    assert isinstance(model.memory, Bank) and isinstance(model.head, EventAware)
    slots = model.memory.slots
    if mode == "train0_cold":
        for name in ("audio", "visual", "score", "filled"):
            slots.get_buffer(name).zero_()
    batch = _batch(inputs)
    targets = _targets(variants[mode](inputs["labels"].float()), setting)

    with torch.no_grad():
        encoded = model.encoder(batch.audio, batch.visual)
        unimodal = model.memory.classifiers(encoded.audio, encoded.visual)
        entries = model.memory.candidates(encoded, batch, targets, unimodal)
        entries = entries.take(entries.allowed.nonzero().squeeze(1))
    if mode == "train0_repeat":
        with torch.no_grad():
            model(batch, targets)
    step: StepOutput = model(batch, targets)
    out = _output(step, targets) | _losses(model, step) | _bank(slots)
    out["selected_segment"] = entries.key & ((1 << SEGMENT_BITS) - 1)
    at = slots.key[entries.category] == entries.key.unsqueeze(1)
    out["inserted_slot"] = torch.where(at.any(dim=1), at.int().argmax(dim=1), -1)
    step.loss.backward()  # type: ignore[no-untyped-call]
    named = dict(model.named_parameters())
    parameters = {key: named[own] for key, own in keys.items()}
    out["grad_norm"] = gradient_norms(parameters)
    return out | adam_step(parameters, LEARNING_RATE)


def _batch(inputs: Mapping[str, Tensor]) -> Batch:
    audio = inputs["audio"].float()
    return Batch(audio=audio, visual=inputs["visual"].float(), rows=torch.arange(audio.shape[0]))


def _targets(labels: Tensor, setting: str) -> Targets:
    """Targets from the public label arrays: segments (b t n+1) or videos (b n+1), background last."""
    n = labels.shape[-1] - 1
    if setting == "weak":
        event = labels[:, :n].argmax(dim=-1).where(labels[:, :n].sum(dim=-1) > 0, n)
        return Targets(event=event, presence=1 - labels[:, n], segments=None, background=n)
    segments = labels.argmax(dim=-1)
    event = labels[..., :n].argmax(dim=-1).amax(dim=1)
    return Targets(event=event, presence=torch.ones(len(event)), segments=segments, background=n)


def _category_only(labels: Tensor) -> Tensor:
    return F.one_hot(labels[:, :-1].argmax(dim=-1), labels.shape[-1]).to(labels.dtype)


def _last_is_background(labels: Tensor) -> Tensor:
    changed = labels.clone()
    changed[-1] = 0
    changed[-1, -1] = 1
    return changed


def _output(step: StepOutput, targets: Targets) -> dict[str, Tensor]:
    p, view = step.output, step.view
    assert p.relevance_logits is not None and p.event_logits is not None and p.prototype_logits is not None
    assert p.audio_logits is not None and p.visual_logits is not None
    assert p.embedding is not None and p.metric is not None and view is not None
    full = targets.segments is not None
    relevance = targets.relevance if full else p.relevance_logits.sigmoid()
    event = targets.event.where(targets.has_event, 0)
    farthest, nearest, _ = terms.anchor_extremes(p.embedding, view, p.metric, event)
    pull, push = terms.contrastive_segments(farthest, nearest, relevance, p.metric.margin)
    contrastive = terms.contrastive_videos(pull, push, relevance, parts=True) if full else pull + push
    return {
        "bg_preds": p.relevance_logits.sigmoid().detach(),
        "evn_pred": p.event_logits.detach(),
        "audio_evn_preds": p.audio_logits.detach(),
        "video_evn_preds": p.visual_logits.detach(),
        "rf_bg_loss": contrastive.detach(),
        "rf_evn_pred": p.prototype_logits.mean(dim=1).detach(),
    }


def _losses(model: Model, step: StepOutput) -> dict[str, Tensor]:
    weights = model.objective.weights
    found = {public: (weights[own] * step.terms[own]).detach() for public, own in _PUBLIC_TERMS.items()}
    return found | {"loss_total": step.loss.detach()}


def _bank(slots: RankedSlots) -> dict[str, Tensor]:
    out: dict[str, Tensor] = {"bank.cls_sc_queue": slots.score.clone()}
    for public, own in (("cls_v_queue", "visual"), ("cls_a_queue", "audio"), ("cls_sc_queue", "score")):
        values = slots.get_buffer(own).double()
        out[f"bank.{public}.sum"] = values.sum()
        out[f"bank.{public}.abs_sum"] = values.abs().sum()
        if own != "score":
            out[f"bank.{public}.slot_sum"] = values.flatten(2).sum(dim=-1)
    return out
