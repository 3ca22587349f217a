"""What each decoder makes of the same scores, and what each schedule makes of a learning rate; both computed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from avelzoo import default_host
from avelzoo.charts import Point, Series, line_chart
from avelzoo.charts.drawing import Curve, Rectangle, Text
from avelzoo.metrics import PredictionArrays
from avelzoo.names import predictions
from pictures.sheet import SMALL, WIDTH, Sheet

SOUND = (0.05, 0.10, 0.55, 0.85, 0.90, 0.80, 0.35, 0.20, 0.15, 0.60, 0.10, 0.05)
SIGHT = (0.30, 0.35, 0.40, 0.75, 0.85, 0.90, 0.80, 0.70, 0.45, 0.30, 0.25, 0.20)
RELEVANCE = (0.08, 0.15, 0.46, 0.82, 0.90, 0.88, 0.44, 0.56, 0.22, 0.61, 0.12, 0.06)
"""Of one category in twelve segments: sound stops early, sight stays, and there is a noise near the end."""
OTHER = 0.35
"""Of a second category, in all segments and both modalities."""
OPTIONS = {"agreement": {"audio": 0.5, "visual": 0.5}}
"""Values instead of the defaults."""
RULES = {
    "threshold": "relevance above the threshold",
    "single-span": "the best single run of it",
    "agreement": "sound and sight, each above its own",
    "dynamic-threshold": "fused, filtered and shifted score",
    "competition": "both modalities' shares are high",
}


def scores() -> PredictionArrays:
    """The example as the predictions of a split of one video; a second category is weak everywhere."""
    audio, visual, relevance = (np.array(part, dtype=np.float32) for part in (SOUND, SIGHT, RELEVANCE))
    both = [np.stack([part, np.full_like(part, OTHER)], axis=-1)[None] for part in (audio, visual)]
    made = predictions(*both)
    return replace(made, relevance=relevance[None])


def decoders() -> str:
    """Curves of the scores above, a lane with the decided segments for each rule below."""
    found = {}
    registry = default_host().registry
    for name in RULES:
        decoder = registry.get("decoder", name).target(**OPTIONS.get(name, {})).build(None, None)
        found[name] = decoder.decide(scores()).segments[0] == 0
    told = "; ".join(f"{name}: segments {_runs(marks)}" for name, marks in found.items())
    t = len(SOUND)
    sheet = Sheet(
        "What each decoder makes of the same scores",
        f"Scores of one category in {t} segments from sound, from sight, and the head's relevance; a second category "
        f"has {OTHER} throughout. Decided as events, with all thresholds at 0.5: {told}.",
        760,
        392,
    )
    left, right, top, tall = 300.0, 744.0, 52.0, 120.0
    cell = (right - left) / t
    for i, (name, values) in enumerate((("sound", SOUND), ("sight", SIGHT), ("relevance", RELEVANCE))):
        colour = ("audio", "visual", "relevance")[i]
        dash = ((), (7.0, 4.0), (2.0, 3.0))[i]
        corners = [(left + (j + k) * cell, top + tall * (1 - v)) for j, v in enumerate(values) for k in (0, 1)]
        sheet.drawing.add(Curve(corners, stroke=colour, width=2.2, dash=dash))
        x = left + i * 130
        sheet.drawing.add(Curve([(x, 22), (x + 30, 22)], stroke=colour, width=2.2, dash=dash))
        sheet.drawing.add(Text(x + 38, 26.5, name, 13))
    for level in (0.0, 0.5, 1.0):
        y = top + tall * (1 - level)
        sheet.rule(left, right, y)
        sheet.drawing.add(Text(left - 8, y + 4, f"{level:g}", SMALL, "muted", "end"))
    sheet.drawing.add(Text(16, top + tall / 2 + 4, "scores of one category", 13))
    sheet.text(16, top + tall / 2 + 22, f"another one has {OTHER} throughout", anchor="start")
    y = top + tall + 22
    for name, marks in found.items():
        sheet.drawing.add(Text(16, y + 13, name, 13, bold=True), Text(16, y + 28, RULES[name], SMALL, "muted"))
        for j, marked in enumerate(marks):
            fill = "event" if marked else "band"
            high, tall_cell = (2, 24) if marked else (8, 12)
            sheet.drawing.add(Rectangle(left + j * cell + 1, y + high, cell - 2, tall_cell, fill, 2))
        y += 39
    return sheet.svg()


def _runs(marks: np.ndarray) -> str:
    numbers = [str(i + 1) for i in np.flatnonzero(marks)]
    return ", ".join(numbers) if numbers else "none"


def schedules() -> str:
    """The factor of the learning rate by epoch."""
    from torch import nn, optim

    registry = default_host().registry
    epochs = 30
    options = {"cosine": {}, "steps": {"milestones": (10, 20)}, "constant": {}}
    series = []
    for name, values in options.items():
        optimizer = optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
        scheduler = registry.get("schedule", name).target(**values).build(optimizer, epochs)
        points = []
        for epoch in range(epochs):
            points.append(Point(epoch, scheduler.get_last_lr()[0]))
            optimizer.step()
            scheduler.step()
        series.append(Series(name, points))
    return line_chart(
        series,
        title="Learning rate of each schedule",
        description="In 30 epochs the rate of cosine falls along half a cosine to 0, that of steps with milestones 10 "
        "and 20 falls to a tenth twice, that of constant stays.",
        x_label="epoch of 30",
        y_label="factor of the learning rate",
        from_zero=True,
        width=WIDTH,
        height=180,
    )
