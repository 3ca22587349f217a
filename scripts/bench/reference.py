"""A plain reference of `ead-b`'s mathematics in stock torch modules: sequence-first, float32, nothing clever.

It is what the paper's equations become when they are written down with `torch.nn`, with the layout of the public code
(sequences first, an encoder layer per stream, the bank encoded in every forward pass, in evaluation as well) and the
options of the recipe `ead-b`. Parameter names are those of the public state dict. `tests/bench` proves it equal to
avelzoo's model: losses, gradients, bank, answers.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo.nn import sinusoids
from avelzoo.records import Batch, Targets
from bench.sizes import Sizes


class Decoder(nn.Module):
    """A decoder layer without self-attention: LN(q + MHA(q, m, m)), then LN(q + FF(q))."""

    def __init__(self, width: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.multihead_attn = nn.MultiheadAttention(width, heads, dropout=dropout)
        self.linear1, self.linear2 = nn.Linear(width, feedforward), nn.Linear(feedforward, width)
        self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout, self.dropout2, self.dropout3 = nn.Dropout(dropout), nn.Dropout(dropout), nn.Dropout(dropout)

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        """(q b d), (k b d) -> (q b d)."""
        query = self.norm2(query + self.dropout2(self.multihead_attn(query, memory, memory, need_weights=False)[0]))
        hidden = self.dropout(F.relu(self.linear1(query)))
        out: Tensor = self.norm3(query + self.dropout3(self.linear2(hidden)))
        return out


class Layers(nn.Module):
    """One layer under the public state dict's name."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList([layer])

    def forward(self, *given: Tensor) -> Tensor:
        """As the layer."""
        out: Tensor = self.layers[0](*given)
        return out


class Fusion(nn.Module):
    """Eq. 1."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(2 * width, width, 3, padding=1), nn.LeakyReLU(), nn.Conv1d(width, width, 3, padding=1)
        )
        self.ln2 = nn.LayerNorm(width)

    def forward(self, spatial: Tensor, temporal: Tensor) -> Tensor:
        """(t b d) twice -> (b t d)."""
        joined = torch.cat([spatial, temporal], dim=-1).permute(1, 2, 0)
        out: Tensor = self.ln2(self.layers(joined).transpose(1, 2))
        return out


BUFFERS = ("audio", "visual", "score", "key", "relevance", "filled")
"""What a slot of the bank holds."""


def jensen_shannon(x: Tensor, y: Tensor) -> Tensor:
    """(... n), (... n) logits -> (...)."""
    p, q = x.softmax(-1), y.softmax(-1)
    middle = ((p + q) / 2).log()
    return ((p * (p.log() - middle)).sum(-1) + (q * (q.log() - middle)).sum(-1)) / 2


class Reference(nn.Module):
    """The paper's system under full supervision.

    Args:
        sizes: of the features and the network.
    """

    audio: Tensor
    visual: Tensor
    score: Tensor
    key: Tensor
    relevance: Tensor
    filled: Tensor

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        s, d, n = sizes, sizes.width, sizes.categories
        p, p_in = (0.1, 0.2) if s.dropout else (0.0, 0.0)

        def project(channels: int) -> nn.Sequential:
            return nn.Sequential(nn.Linear(channels, d), nn.LeakyReLU(), nn.Linear(d, d), nn.Dropout(p_in))

        def encoder() -> Layers:
            return Layers(nn.TransformerEncoderLayer(d, 4, s.feedforward, p))

        def decoder() -> Layers:
            return Layers(Decoder(d, 4, s.feedforward, p))

        self.width, self.n, self.slots = d, n, s.bank
        self.audio_fc, self.video_fc = project(s.audio), project(s.visual)
        self.position_dropout = nn.Dropout(p)
        self.video_stf, self.audio_tf, self.video_ttf = encoder(), encoder(), encoder()
        self.spatial_decoder, self.temporal_decoder = decoder(), decoder()
        self.fusion_layer = Fusion(d)
        self.audio_classifier, self.video_classifier = nn.Linear(d, n), nn.Linear(d, n)
        self.final_event_classifier = nn.ModuleDict({"linear2": nn.Linear(d, n)})
        self.final_bg_classifier = nn.ModuleDict({"linear2": nn.Linear(d, 1)})
        self.feature_dropout = nn.Dropout(p_in)
        self.margin = 0.7
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
        cells = self.video_fc(visual.flatten(2, 3)).flatten(0, 1).transpose(0, 1)  # (hw bt d)
        places = sinusoids(cells.shape[0], self.width).unsqueeze(1).to(cells)
        seen = self.video_stf(self.position_dropout(cells + places))
        spatial = self.spatial_decoder(heard.flatten(0, 1).unsqueeze(0), seen)
        spatial = spatial.view(b, t, -1).transpose(0, 1)  # (t b d)
        heard = self.audio_tf(heard.transpose(0, 1))
        watched = self.video_ttf(seen.mean(dim=0).view(b, t, -1).transpose(0, 1))
        temporal = self.temporal_decoder(heard, watched)
        return self.fusion_layer(spatial, temporal), heard.transpose(0, 1), watched.transpose(0, 1)

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
            items = items.index_put(place, fused)
            with torch.no_grad():
                agreement = 1 - jensen_shannon(self.audio_classifier(heard), self.video_classifier(seen))
                scores[place] = agreement + self.relevance[place]
        if self.training:
            order = torch.where(self.filled, scores, -1.0).argsort(dim=1, descending=True, stable=True)
            self.score.copy_(scores)
            for name in BUFFERS:
                buffer = self.get_buffer(name)
                for k in range(self.n):
                    buffer[k] = buffer[k][order[k]]
        return items

    @torch.no_grad()
    def update(self, batch: Batch, targets: Targets, score: Tensor) -> None:
        """Video after video: its segments that are not stored yet join their category, and the best slots stay."""
        for i in range(batch.audio.shape[0]):
            k = int(targets.event[i])
            key = (batch.rows[i] << 20) + torch.arange(batch.audio.shape[1])
            new = ~torch.isin(key, self.key[k])
            stored = torch.where(self.filled[k], self.score[k], -1.0)
            order = torch.cat([stored, score[i][new]]).argsort(descending=True, stable=True)[: self.slots]
            for name, values in {
                "audio": batch.audio[i],
                "visual": batch.visual[i],
                "score": score[i],
                "key": key,
                "relevance": targets.relevance[i],
            }.items():
                buffer = self.get_buffer(name)
                buffer[k] = torch.cat([buffer[k], values[new]])[order]
            filled = torch.cat([self.filled[k], torch.ones(int(new.sum()), dtype=torch.bool)])
            self.filled[k] = filled[order]

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
        said, shown = self.audio_classifier(heard), self.video_classifier(seen)
        relevant, event = targets.relevance, targets.event
        self.update(batch, targets, 1 - jensen_shannon(said, shown) + relevant)
        filled = self.filled.clone()
        items, usable = self.bank(), filled.any(1)
        logits = -torch.cdist(fused, self.prototypes(items).unsqueeze(0)).masked_fill(~usable, 1e4)
        event_logits = self.final_event_classifier["linear2"](self.feature_dropout(fused)).mean(1)
        relevance_logits = self.final_bg_classifier["linear2"](self.feature_dropout(fused)).squeeze(-1)
        category = event.unsqueeze(1).expand_as(relevant)
        unimodal = sum(F.cross_entropy(x.transpose(1, 2), category, reduction="none") for x in (said, shown))
        own, empty = self.distance(fused, items[event]), ~self.filled[event].unsqueeze(1)
        farthest, nearest = own.masked_fill(empty, 0.0).amax(-1), own.masked_fill(empty, 1e30).amin(-1)
        contrast = relevant * farthest + (1 - relevant) * F.relu(self.margin - nearest)
        prototype = F.cross_entropy(logits.transpose(1, 2), category)
        loss: Tensor = F.cross_entropy(event_logits, event)
        loss = loss + F.binary_cross_entropy_with_logits(relevance_logits, relevant)
        return loss + 0.01 * (unimodal * relevant).mean() + 0.1 * prototype + 0.1 * contrast.mean()

    @torch.no_grad()
    def answer(self, batch: Batch) -> Tensor:
        """(b t) ids (eq. 20-21); encodes the bank again."""
        fused, _, _ = self.encode(batch.audio, batch.visual)
        items = self.bank()
        distance = self.distance(fused, self.prototypes(items).unsqueeze(0)).masked_fill(~self.filled.any(1), 1e4)
        category = distance.mean(1).argmin(-1)
        nearest = self.distance(fused, items[category]).masked_fill(~self.filled[category].unsqueeze(1), 1e30).amin(-1)
        return torch.where(nearest < self.margin, category.unsqueeze(1), torch.full_like(nearest, self.n).long())
