"""The way of a batch from the data set to events, and of a training step: ten parts and the records between."""

from __future__ import annotations

from pictures.sheet import DATA, DECISION, TRAINING, Sheet

TITLE = "A composition of avelzoo: ten parts and the records between them"
DESCRIPTION = (
    "The sampler gives positions to the data set, which returns Batch and Targets. A transform may augment them in "
    "training. The encoder returns Encoded: fused, audio and visual features of shape b t d. In training, the memory "
    "observes the batch and the encoded features; the head reads the memory as a MemoryView of shape n l d. The head "
    "returns HeadOutput. In evaluation, the decoder turns it into events. In training, the objective computes named "
    "loss terms, and the optimizer, with its schedule, updates the weights. Dashed arrows are used in training only."
)


def wide() -> str:
    """For pages: five columns."""
    sheet = Sheet(TITLE, DESCRIPTION, 882, 330)
    w, h, step = 102.0, 54.0, 187.0
    xs = [16 + step * i for i in range(5)]
    rows = (44.0, 158.0, 258.0)
    dataset = sheet.box(xs[0], rows[0], w, h, "dataset", "labels, data", colour=DATA)
    sampler = sheet.box(xs[0], rows[1], w, h, "sampler", "which videos", colour=DATA)
    transform = sheet.box(xs[1], rows[0], w, h, "transform", "in training", colour=DATA)
    encoder = sheet.box(xs[2], rows[0], w, h, "encoder", "fuses both")
    memory = sheet.box(xs[2], rows[1], w, h, "memory", "event bank")
    head = sheet.box(xs[3], rows[0], w, h, "head", "scores")
    decoder = sheet.box(xs[4], rows[0], w, h, "decoder", "rule, from val", colour=DECISION)
    objective = sheet.box(xs[4], rows[1], w, h, "objective", "loss terms", colour=TRAINING)
    optimizer = sheet.box(xs[4], rows[2], w, h, "optimizer", "updates", colour=TRAINING)
    schedule = sheet.box(xs[3], rows[2], w, h, "schedule", "learning rate", colour=TRAINING)
    sheet.arrow([sampler.top(), dataset.bottom()])
    sheet.text(sampler.top()[0] + 10, 132, "positions", anchor="start")
    for one, other, record, *shape in (
        (dataset, transform, "**Batch", "Targets"),
        (transform, encoder, "**Batch", "(b t …)"),
        (encoder, head, "**Encoded", "(b t d)"),
        (head, decoder, "**HeadOutput"),
    ):
        sheet.arrow([one.right(), other.left()])
        middle = (one.right()[0] + other.left()[0]) / 2
        sheet.text(middle, one.right()[1] - 9, record)
        sheet.text(middle, one.right()[1] + 19, *shape)
    sheet.arrow([encoder.bottom(), memory.top()], dashed=True)
    sheet.text(encoder.bottom()[0] + 10, 132, "observe", anchor="start")
    sheet.arrow([memory.right(), (head.bottom()[0], memory.right()[1]), head.bottom()])
    sheet.text((memory.right()[0] + head.bottom()[0]) / 2, memory.right()[1] - 9, "**MemoryView")
    sheet.text((memory.right()[0] + head.bottom()[0]) / 2, memory.right()[1] + 19, "(n l d)")
    bend = head.right()[0] + 22
    low = head.right(0.8)
    sheet.arrow([low, (bend, low[1]), (bend, objective.left()[1]), objective.left()], dashed=True)
    sheet.text(bend + 8, 132, "training", anchor="start")
    sheet.arrow([objective.bottom(), optimizer.top()], dashed=True)
    sheet.text(objective.bottom()[0] + 10, 240, "loss", anchor="start")
    sheet.arrow([schedule.right(), optimizer.left()], dashed=True)
    sheet.arrow([decoder.top(), (decoder.top()[0], 18), (decoder.top()[0] - 40, 18)], colour=DECISION)
    sheet.text(decoder.top()[0] - 46, 22, "**events in seconds", anchor="end")
    _legend(sheet, 16, 262)
    return sheet.svg()


def narrow() -> str:
    """For phones: two columns."""
    sheet = Sheet(TITLE, DESCRIPTION, 390, 640)
    w, h, step = 122.0, 50.0, 92.0
    a, b = 30.0, 238.0
    y = [16 + step * i for i in range(7)]
    dataset = sheet.box(a, y[0], w, h, "dataset", "labels, data", colour=DATA)
    sampler = sheet.box(b, y[0], w, h, "sampler", "which videos", colour=DATA)
    transform = sheet.box(a, y[1], w, h, "transform", "in training", colour=DATA)
    encoder = sheet.box(a, y[2], w, h, "encoder", "fuses both")
    memory = sheet.box(b, y[2], w, h, "memory", "event bank")
    head = sheet.box(a, y[3], w, h, "head", "scores")
    decoder = sheet.box(a, y[4], w, h, "decoder", "rule, from val", colour=DECISION)
    objective = sheet.box(b, y[4], w, h, "objective", "loss terms", colour=TRAINING)
    optimizer = sheet.box(b, y[5], w, h, "optimizer", "updates", colour=TRAINING)
    schedule = sheet.box(a, y[5] + 20, w, h, "schedule", "learning rate", colour=TRAINING)
    sheet.arrow([sampler.left(), dataset.right()])
    sheet.text((a + w + b) / 2, y[0] + 17, "positions")
    for one, other, record, shape in (
        (dataset, transform, "**Batch", "Targets"),
        (transform, encoder, "**Batch", "(b t …)"),
        (encoder, head, "**Encoded", "(b t d)"),
        (head, decoder, "**HeadOutput", ""),
    ):
        sheet.arrow([one.bottom(), other.top()])
        x, y_record = one.bottom()[0] + 9, one.bottom()[1] + (18 if shape else 25)
        sheet.text(x, y_record, record, *([shape] if shape else []), anchor="start")
    sheet.arrow([encoder.right(), memory.left()], dashed=True)
    sheet.text((a + w + b) / 2, y[2] + 17, "observe")
    sheet.arrow([memory.bottom(0.6), (memory.bottom(0.6)[0], head.right(0.25)[1]), head.right(0.25)])
    sheet.text((a + w + b) / 2 + 14, head.right(0.25)[1] - 7, "**MemoryView")
    sheet.arrow([head.right(0.75), (objective.top()[0], head.right(0.75)[1]), objective.top()], dashed=True)
    sheet.text((a + w + b) / 2, head.right(0.75)[1] + 16, "training")
    sheet.arrow([objective.bottom(), optimizer.top()], dashed=True)
    sheet.text(objective.bottom()[0] + 9, y[4] + h + 25, "loss", anchor="start")
    bend = b - 30
    sheet.arrow(
        [schedule.right(), (bend, schedule.right()[1]), (bend, optimizer.left()[1]), optimizer.left()], dashed=True
    )
    sheet.arrow([decoder.bottom(), (decoder.bottom()[0], y[4] + h + 26)], colour=DECISION)
    sheet.text(decoder.bottom()[0], y[4] + h + 40, "**events in seconds")
    _legend(sheet, 30, 575)
    return sheet.svg()


def _legend(sheet: Sheet, x: float, y: float) -> None:
    sheet.arrow([(x, y + 4), (x + 40, y + 4)])
    sheet.text(x + 48, y + 8, "training and evaluation", anchor="start")
    sheet.arrow([(x, y + 24), (x + 40, y + 24)], dashed=True)
    sheet.text(x + 48, y + 28, "training only", anchor="start")
    sheet.text(x, y + 48, "b videos, t segments, d width, n categories, l slots", anchor="start")
