"""A plain reference of `ead-b`'s mathematics: the best code that a careful person writes with stock torch modules.

Nothing is recomputed, no gradient is written by hand, and dropout is torch's. The layout is the fastest of three
(`bench.plain`); the bank's update sorts each category once; evaluation encodes the bank once, or in every batch as the
public code does (`bench.subjects.Plain`). Parameter names are those of the public state dict. `tests/bench` proves it
equal to avelzoo's model: losses, gradients, bank, answers.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo.nn import sinusoids
from avelzoo.records import Batch, Targets
from bench.plain import Layer, Layout, jensen_shannon, widened
from bench.sizes import Sizes


class Fusion(nn.Module):
    """Eq. 1."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(2 * width, width, 3, padding=1), nn.LeakyReLU(), nn.Conv1d(width, width, 3, padding=1)
        )
        self.ln2 = nn.LayerNorm(width)

    def forward(self, spatial: Tensor, temporal: Tensor) -> Tensor:
        """(b t d) twice -> (b t d)."""
        joined = torch.cat([spatial, temporal], dim=-1).transpose(1, 2)
        out: Tensor = self.ln2(self.layers(joined).transpose(1, 2))
        return out


BUFFERS = ("audio", "visual", "score", "key", "relevance", "filled")
"""What a slot of the bank holds."""


class Reference(nn.Module):
    """The paper's system under full supervision.

    Args:
        sizes: of the features and the network.
        layout: of the transformer layers.
    """

    places: Tensor
    audio: Tensor
    visual: Tensor
    score: Tensor
    key: Tensor
    relevance: Tensor
    filled: Tensor

    def __init__(self, sizes: Sizes, layout: Layout = "attention") -> None:
        super().__init__()
        s, d, n = sizes, sizes.width, sizes.categories
        p, p_in = (0.1, 0.2) if s.dropout else (0.0, 0.0)

        def project(channels: int) -> nn.Sequential:
            return nn.Sequential(nn.Linear(channels, d), nn.LeakyReLU(), nn.Linear(d, d), nn.Dropout(p_in))

        def layer(kind: str) -> Layer:
            return Layer(kind, layout, d, s.feedforward, p)

        self.width, self.n, self.slots = d, n, s.bank
        self.audio_fc, self.video_fc = project(s.audio), project(s.visual)
        self.position_dropout = nn.Dropout(p)
        self.video_stf, self.audio_tf, self.video_ttf = (layer("encoder") for _ in range(3))
        self.spatial_decoder, self.temporal_decoder = layer("decoder"), layer("decoder")
        self.fusion_layer = Fusion(d)
        self.audio_classifier, self.video_classifier = nn.Linear(d, n), nn.Linear(d, n)
        self.final_event_classifier = nn.ModuleDict({"linear2": nn.Linear(d, n)})
        self.final_bg_classifier = nn.ModuleDict({"linear2": nn.Linear(d, 1)})
        self.feature_dropout = nn.Dropout(p_in)
        self.margin = 0.7
        self.register_buffer("places", sinusoids(s.grid**2, d), persistent=False)
        for name, shape in {
            "audio": (s.audio,),
            "visual": (s.grid, s.grid, s.visual),
            "score": (),
            "relevance": (),
        }.items():
            self.register_buffer(name, torch.zeros(n, s.bank, *shape))
        self.register_buffer("key", torch.full((n, s.bank), -1))
        self.register_buffer("filled", torch.zeros(n, s.bank, dtype=torch.bool))

    def encode(self, audio: Tensor, visual: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(b t a), (b t h w v) -> F, At, Vt, all (b t d)."""
        b, t = audio.shape[:2]
        heard = self.audio_fc(audio)  # (b t d)
        cells = self.video_fc(visual.flatten(2, 3).flatten(0, 1))  # (bt hw d)
        seen = self.video_stf(self.position_dropout(cells + self.places))
        spatial = self.spatial_decoder(heard.flatten(0, 1).unsqueeze(1), seen).view(b, t, -1)
        heard = self.audio_tf(heard)
        watched = self.video_ttf(seen.mean(dim=1).view(b, t, -1))
        return self.fusion_layer(spatial, self.temporal_decoder(heard, watched)), heard, watched

    def bank(self) -> Tensor:
        """(n l d): the categories as videos, those with equally many filled slots together.

        In training every reading scores the stored segments again and ranks them by it.
        """
        items = self.audio.new_zeros(self.n, self.slots, self.width)
        scores = torch.zeros_like(self.score)
        counts = self.filled.sum(dim=1)
        for count in set(counts.tolist()) - {0}:
            which = (counts == count).nonzero().squeeze(1)
            fused, heard, seen = self.encode(self.audio[which, :count], self.visual[which, :count])
            place = (which.unsqueeze(1), torch.arange(count).unsqueeze(0))
            items = items.index_put(place, fused.to(items))
            if self.training:
                with torch.no_grad():
                    said, shown = widened(self.audio_classifier(heard)), widened(self.video_classifier(seen))
                    agreement = 1 - jensen_shannon(said, shown)
                    scores[place] = agreement + self.relevance[place]
        if self.training:
            order = torch.where(self.filled, scores, -1.0).argsort(dim=1, descending=True, stable=True)
            self.score.copy_(scores)
            rows = torch.arange(self.n).unsqueeze(1)
            for name in BUFFERS:
                buffer = self.get_buffer(name)
                buffer.copy_(buffer[rows, order])
        return items

    @torch.no_grad()
    def update(self, batch: Batch, targets: Targets, score: Tensor) -> None:
        """The segments of each category's videos that are not stored yet join it, and the best slots stay."""
        t = batch.audio.shape[1]
        new = {
            "audio": batch.audio,
            "visual": batch.visual,
            "score": score,
            "key": (batch.rows.unsqueeze(1) << 20) + torch.arange(t),
            "relevance": targets.relevance,
            "filled": torch.ones_like(score, dtype=torch.bool),
        }
        flat = {name: values.flatten(0, 1) for name, values in new.items()}
        for k in sorted(set(targets.event.tolist())):
            rows = (targets.event == k).repeat_interleave(t).nonzero().squeeze(1)
            rows = rows[~torch.isin(flat["key"][rows], self.key[k])]
            stored = torch.where(self.filled[k], self.score[k], -1.0)
            order = torch.cat([stored, flat["score"][rows]]).argsort(descending=True, stable=True)[: self.slots]
            enters = order >= self.slots
            for name in BUFFERS:
                kept = self.get_buffer(name)[k][order.clamp(max=self.slots - 1)]
                kept[enters] = flat[name][rows[order[enters] - self.slots]].to(kept.dtype)
                self.get_buffer(name)[k] = kept

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        """(... p d), (... q d) -> (... p q), over sqrt(d), as the margin wants it."""
        return torch.cdist(x, y) / math.sqrt(self.width)

    def prototypes(self, items: Tensor) -> Tensor:
        """(n l d) -> (n d)."""
        weight = self.filled.unsqueeze(-1).float()
        return (items * weight).sum(1) / weight.sum(1).clamp_min(1.0)

    def forward(self, batch: Batch, targets: Targets) -> Tensor:
        """One training step's loss (eq. 14); updates the bank first."""
        fused, heard, seen = self.encode(batch.audio, batch.visual)
        said, shown = widened(self.audio_classifier(heard)), widened(self.video_classifier(seen))
        fused = widened(fused)
        relevant, event = targets.relevance, targets.event
        self.update(batch, targets, 1 - jensen_shannon(said, shown) + relevant)
        filled = self.filled.clone()
        items, usable = self.bank(), filled.any(1)
        logits = -torch.cdist(fused, self.prototypes(items).unsqueeze(0)).masked_fill(~usable, 1e4)
        event_logits = widened(self.final_event_classifier["linear2"](self.feature_dropout(fused))).mean(1)
        relevance_logits = widened(self.final_bg_classifier["linear2"](self.feature_dropout(fused))).squeeze(-1)
        category = event.unsqueeze(1).expand_as(relevant)
        unimodal = sum(F.cross_entropy(x.transpose(1, 2), category, reduction="none") for x in (said, shown))
        own, empty = self.distance(fused, items[event]), ~self.filled[event].unsqueeze(1)
        farthest, nearest = own.masked_fill(empty, 0.0).amax(-1), own.masked_fill(empty, 1e30).amin(-1)
        contrast = relevant * farthest + (1 - relevant) * F.relu(self.margin - nearest)
        prototype = F.cross_entropy(logits.transpose(1, 2), category)
        loss: Tensor = F.cross_entropy(event_logits, event)
        loss = loss + F.binary_cross_entropy_with_logits(relevance_logits, relevant)
        return loss + 0.01 * (unimodal * relevant).mean() + 0.1 * prototype + 0.1 * contrast.mean()

    def answer(self, batch: Batch, items: Tensor) -> Tensor:
        """(b t) ids (eq. 20-21), from the encoded bank."""
        fused = widened(self.encode(batch.audio, batch.visual)[0])
        distance = self.distance(fused, self.prototypes(items).unsqueeze(0)).masked_fill(~self.filled.any(1), 1e4)
        category = distance.mean(1).argmin(-1)
        nearest = self.distance(fused, items[category]).masked_fill(~self.filled[category].unsqueeze(1), 1e30).amin(-1)
        return torch.where(nearest < self.margin, category.unsqueeze(1), torch.full_like(nearest, self.n).long())
