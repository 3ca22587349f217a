"""Block diagrams of components: the encoder `st-fusion`, the three kinds of heads, a bank's update and reading."""

from __future__ import annotations

from collections.abc import Sequence

from avelzoo.charts.drawing import Rectangle
from pictures.sheet import DATA, DECISION, TRAINING, Box, Sheet

AUDIO, VISUAL = "audio", "visual"
EVENT = (False, False, True, True, True, True, False, False, False, False)


def st_fusion() -> str:
    """Stages of the encoder, sight above, sound below, fusion at the right."""
    sheet = Sheet(
        "The encoder st-fusion",
        "The image of a segment is projected, gets positions and passes a spatial encoder over its cells. In the "
        "spatial decoder the segment's audio attends to these cells. The mean over the cells passes a visual encoder "
        "over time, the projected audio an audio encoder over time, and the temporal decoder lets one attend to the "
        "other. The final fusion convolves both results over three segments and normalises them: fused features F. "
        "The outputs audio and visual are those of the two temporal encoders.",
        880,
        372,
    )
    h = 50.0
    x = (16.0, 142.0, 296.0, 490.0, 644.0)
    sheet.text(x[0], 22, "**image of a segment", anchor="start")
    image = sheet.box(x[0], 32, 96, h, "visual", "(b t h w v)", colour=VISUAL)
    seen = sheet.box(x[1], 32, 118, h, "projection", "+ positions", colour=VISUAL)
    cells = sheet.box(x[2], 32, 150, h, "spatial encoder", "over h w cells", colour=VISUAL)
    asked = sheet.box(x[3], 32, 150, h, "spatial decoder", "audio asks cells")
    over_time = sheet.box(x[2], 142, 150, h, "visual encoder", "over t", colour=VISUAL)
    sheet.text(x[0], 286, "**sound of a segment", anchor="start")
    sound = sheet.box(x[0], 296, 96, h, "audio", "(b t a)", colour=AUDIO)
    heard = sheet.box(x[1], 296, 118, h, "projection", "", colour=AUDIO)
    audio_time = sheet.box(x[2], 296, 150, h, "audio encoder", "over t", colour=AUDIO)
    temporal = sheet.box(x[3], 219, 156, h, "temporal decoder", "sound asks sight")
    final = sheet.box(x[4] + 12, 120, 118, 68, "final fusion", "Conv3, Conv3,", "LayerNorm")
    sheet.arrow([image.right(), seen.left()])
    sheet.arrow([seen.right(), cells.left()])
    sheet.arrow([cells.right(), asked.left()])
    sheet.arrow([cells.bottom(), over_time.top()])
    sheet.text(cells.bottom()[0] + 8, 116, "mean over cells", anchor="start")
    sheet.arrow([sound.right(), heard.left()])
    sheet.arrow([heard.right(), audio_time.left()])
    up = heard.top(0.8)
    sheet.arrow([up, (up[0], 126), (asked.x + 30, 126), (asked.x + 30, asked.bottom()[1])], colour=AUDIO)
    bend = temporal.x + 32
    sheet.arrow([over_time.right(), (bend, over_time.right()[1]), (bend, temporal.top()[1])])
    sheet.arrow([audio_time.right(), (bend, audio_time.right()[1]), (bend, temporal.bottom()[1])])
    sheet.arrow([asked.right(), (final.top()[0], asked.right()[1]), final.top()])
    sheet.text(final.top()[0] - 8, asked.right()[1] - 8, "f_s", anchor="end")
    sheet.arrow([temporal.right(), (final.bottom()[0], temporal.right()[1]), final.bottom()])
    sheet.text(final.bottom()[0] - 10, temporal.right()[1] - 8, "f_t", anchor="end")
    out = 806.0
    sheet.arrow([final.right(), (out, final.right()[1])])
    sheet.text(out + 6, final.right()[1] - 3, "**fused", "(b t d)", anchor="start")
    sheet.arrow([over_time.bottom(), (over_time.bottom()[0], 205), (out, 205)], colour=VISUAL)
    sheet.text(out + 6, 202, "**visual", "(b t d)", anchor="start")
    sheet.arrow([audio_time.right(0.8), (out, audio_time.right(0.8)[1])], colour=AUDIO)
    sheet.text(out + 6, audio_time.right(0.8)[1] - 3, "**audio", "(b t d)", anchor="start")
    return sheet.svg()


def heads() -> str:
    """A single branch, a double branch, and a double branch that knows the category."""
    sheet = Sheet(
        "Three ways from fused features to events",
        "single: one classifier of n categories and background decides in every segment. double: one branch classifies "
        "the mean over time, another one decides in every segment whether there is an event, without knowing the "
        "category. event-aware: the category is that of the nearest prototype of the memory; a segment is an event if "
        "it is nearer than the margin m to the memory's anchors of that category.",
        880,
        430,
    )
    for top, name, words in (
        (14, "single", "n + 1 classes in every segment"),
        (128, "double", "two branches that do not know each other"),
        (272, "event-aware", "the category decides how to localize"),
    ):
        sheet.heading(16, top + 16, name)
        sheet.text(16 + 10.2 * len(name) + 14, top + 16, words, anchor="start")
        if top > 20:
            sheet.rule(16, 864, top - 8)
    result = 682.0
    # single
    f = sheet.box(16, 46, 104, 44, "F", "(b t d)", colour=DATA)
    one = sheet.box(166, 46, 236, 44, "linear, n + 1 classes", "in every segment")
    best = sheet.box(474, 46, 150, 44, "largest", "or background", colour=DECISION)
    sheet.arrow([f.right(), one.left()])
    sheet.arrow([one.right(), best.left()])
    _result(sheet, best.right(), result, 68)
    # double
    f = sheet.box(16, 186, 104, 44, "F", "(b t d)", colour=DATA)
    event = sheet.box(166, 156, 236, 44, "linear, n categories", "mean over t")
    relevance = sheet.box(166, 212, 236, 44, "linear, relevance", "in every segment")
    best = sheet.box(474, 156, 150, 44, "largest", "one category", colour=DECISION)
    above = sheet.box(474, 212, 150, 44, "sigmoid > 0.5", "event or not", colour=DECISION)
    _fork(sheet, f, (event, relevance))
    sheet.arrow([event.right(), best.left()])
    sheet.arrow([relevance.right(), above.left()])
    _join(sheet, (best, above), result, 206)
    # event-aware
    f = sheet.box(16, 330, 104, 44, "F", "(b t d)", colour=DATA)
    event = sheet.box(166, 300, 236, 44, "distance to n prototypes", "mean over t")
    relevance = sheet.box(166, 364, 236, 44, "distance to anchors of k*", "nearest one")
    best = sheet.box(474, 300, 150, 44, "nearest: k*", "one category", colour=DECISION)
    above = sheet.box(474, 364, 150, 44, "distance < m", "event or not", colour=DECISION)
    _fork(sheet, f, (event, relevance))
    sheet.arrow([event.right(), best.left()])
    sheet.arrow([relevance.right(), above.left()])
    down, up = best.bottom(0.2), relevance.top(0.75)
    sheet.arrow([down, (down[0], 354), (up[0], 354), up], colour=DECISION)
    sheet.text(down[0] + 8, 358, "k* picks the anchors", anchor="start")
    _join(sheet, (best, above), result, 352)
    return sheet.svg()


def _result(sheet: Sheet, start: tuple[float, float], x: float, y: float) -> None:
    sheet.arrow([start, (x - 8, y)])
    sheet.strip(x, y - 5, EVENT)
    sheet.text(x, y + 26, "category in 4 of 10 segments", anchor="start")


def _fork(sheet: Sheet, f: Box, boxes: Sequence[Box]) -> None:
    bend = f.right()[0] + 24
    for box in boxes:
        sheet.arrow([f.right(), (bend, f.right()[1]), (bend, box.left()[1]), box.left()])


def _join(sheet: Sheet, boxes: Sequence[Box], x: float, y: float) -> None:
    bend = boxes[0].right()[0] + 32
    for box in boxes:
        sheet.arrow([box.right(), (bend, box.right()[1]), (bend, y), (x - 8, y)])
    sheet.strip(x, y - 5, EVENT)
    sheet.text(x, y + 26, "category in 4 of 10 segments", anchor="start")


def bank() -> str:
    """How a bank is updated by a batch, and how it is read."""
    sheet = Sheet(
        "The memory jsd-bank: update and reading",
        "Update, in training only: classifiers of sound and sight predict the category of every segment; the "
        "relation score of a segment is 1 - JSD of both predictions, plus 1 if it is labelled as an event. "
        "The segments with the highest scores stay in the "
        "slots of their category, as raw features. Reading: the encoder encodes the slots anew; the embeddings are the "
        "anchors of a category, and their mean is its prototype.",
        880,
        330,
    )
    h = 52.0
    sheet.heading(16, 28, "update")
    sheet.text(84, 28, "in every training step", anchor="start")
    batch = sheet.box(16, 62, 130, h, "segments", "of the batch", colour=DATA)
    sound = sheet.box(196, 42, 182, 40, "classifier of sound", colour=AUDIO)
    sight = sheet.box(196, 94, 182, 40, "classifier of sight", colour=VISUAL)
    score = sheet.box(430, 62, 190, h, "relation score", "1 - JSD + label", colour=TRAINING)
    _fork(sheet, batch, (sound, sight))
    bend = 404.0
    for box in (sound, sight):
        sheet.arrow([box.right(), (bend, box.right()[1]), (bend, score.left()[1]), score.left()])
    x, y, cell = 690.0, 52.0, 17.0
    shades = ("heat6", "heat5", "heat4", "heat3", "heat2", "heat1")
    for row in range(5):
        for column in range(6):
            filled = column < 6 - (row % 3)
            fill = shades[min(column + row % 2, 5)] if filled else "band"
            sheet.drawing.add(Rectangle(x + column * cell * 1.5, y + row * cell, cell * 1.5 - 2, cell - 2, fill, 2))
    sheet.arrow([score.right(), (x - 8, score.right()[1])])
    sheet.text((score.right()[0] + x) / 2 - 4, score.right()[1] - 9, "highest l")
    sheet.text((score.right()[0] + x) / 2 - 4, score.right()[1] + 19, "stay")
    sheet.text(x, y - 10, "**slots: l for each category", anchor="start")
    sheet.text(x, y + 5 * cell + 14, "strong shade: high score", anchor="start")
    sheet.rule(16, 864, 178)
    sheet.heading(16, 208, "reading")
    sheet.text(90, 208, "after the update; in evaluation once for all batches", anchor="start")
    slots = sheet.box(16, 240, 130, h, "slots", "(n l) raw features", colour=DATA)
    encoder = sheet.box(206, 240, 160, h, "encoder", "the current weights")
    anchors = sheet.box(430, 240, 190, h, "anchors", "embeddings (n l d)", colour=DECISION)
    prototypes = sheet.box(694, 240, 170, h, "prototypes", "(n d)", colour=DECISION)
    sheet.arrow([slots.right(), encoder.left()])
    sheet.arrow([encoder.right(), anchors.left()])
    sheet.arrow([anchors.right(), prototypes.left()])
    sheet.text((anchors.right()[0] + prototypes.left()[0]) / 2 - 3, 258, "mean")
    return sheet.svg()
