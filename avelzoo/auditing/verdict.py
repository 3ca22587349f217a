"""The verdict: sentences that follow from the numbers."""

from __future__ import annotations

from collections.abc import Iterator

from avelzoo.auditing.claims import Claim, Reach
from avelzoo.auditing.records import Audit, Part


def verdict(audit: Audit) -> tuple[str, ...]:
    """Three to eight sentences; each states numbers of the audit and how they compare."""
    return tuple(_of_file(audit) if audit.whole else _of_labels(audit))


def _of_file(audit: Audit) -> Iterator[str]:
    whole, scores, labels = audit.whole, audit.scores, audit.labels
    if whole is None or scores is None:
        return
    split, value = audit.signature.split, whole.interval.value
    yield (
        f"{whole.right:,} of {whole.segments:,} segments of {split} are right: {_percent(value)}, with a 95 % interval"
        f" over videos from {_ends(whole)}."
    )
    yield f"{_against('That', value, labels.true_category)}, the true category in every segment without localization."
    own = scores.floors.own_category_all_event
    if audit.nameless == labels.videos:
        yield "The file predicts background in every segment, which localizes nothing, and names no categories."
    elif value > own:
        wrong = f", where the {audit.nameless:,} videos without one count as wrong" if audit.nameless else ""
        yield f"Localization adds {_points(value - own)} to an event of its own categories in every segment{wrong}."
    elif value < own:
        yield f"An event of its own categories in every segment would score {_points(own - value)} more."
    else:
        yield "An event of its own categories in every segment would score the same."
    if audit.leak_free is not None:
        leak = audit.leak_free
        yield (
            f"{_leaked(audit)}; the other {leak.videos} score {_percent(leak.interval.value)}, with an interval from"
            f" {_ends(leak)}."
        )
    yield from _of_optimism(audit)
    if audit.claim is not None:
        where = "inside" if audit.claim.inside else "outside"
        prints = ", and the file's score prints as it" if audit.claim.prints else ""
        yield f"The claimed {audit.claim.text} is {where} the interval{prints}."
        yield from _of_reach(audit.claim)
    yield "The file is taken as one training run: the interval covers the choice of videos, not training noise."


def _of_labels(audit: Audit) -> Iterator[str]:
    labels, split = audit.labels, audit.signature.split
    yield f"Background in every segment scores {_percent(labels.background)} on {split}."
    yield f"The true category in every segment, which localizes nothing, scores {_percent(labels.true_category)}."
    if labels.average_window is not None:
        yield f"The true category in its average window of train scores {_percent(labels.average_window)}."
    if labels.leaked_videos:
        yield f"{_leaked(audit)}; the other {labels.videos - labels.leaked_videos:,} are not."
    if audit.claim is not None:
        claimed = audit.claim.percent / 100
        yield f"{_against(f'The claimed {audit.claim.text}', claimed, labels.true_category)}, the second of these."
        yield from _of_reach(audit.claim)
    yield from _of_optimism(audit)
    if labels.leaked_videos == 0 and labels.average_window is None and audit.claim is None:
        yield f"{labels.partial_videos} of {labels.videos} videos have event and background segments."


def _leaked(audit: Audit) -> str:
    count = audit.labels.leaked_videos
    of = f"of the {audit.labels.videos:,} videos of {audit.signature.split}"
    return f"{count:,} {of} {'are' if count > 1 else 'is'} also in train"


def _of_optimism(audit: Audit) -> Iterator[str]:
    found = audit.optimism
    if found is None:
        return
    doubt = ""
    if found.fits is False and audit.whole is not None:
        accuracy = f"{100 * audit.whole.interval.value:.2f} %"
        doubt = f"; but no epoch has the predictions' {accuracy} on test: the two may be of different runs"
    if found.gap:
        yield (
            f"Choosing the epoch on test ({found.test_epoch}, {_percent(found.best)}) instead of val"
            f" ({found.val_epoch}, {_percent(found.at_val)}) gains {_points(found.gap)}{doubt}."
        )
    else:
        both = _percent(found.best)
        yield f"Choosing the epoch on test instead of val gains nothing: both score {both} on test{doubt}."


def _of_reach(claim: Claim) -> Iterator[str]:
    first = claim.reach[0]
    if first.rounded:
        yield f"{_correct(first.rounded)} of {first.total:,} segments are {claim.text} after rounding."
        return
    others = [one for one in claim.reach[1:] if one.rounded]
    text = f"No number of correct segments of {first.total:,} rounds to {claim.text}"
    if first.cut:
        text += f"; {_correct(first.cut)} gives it if digits are cut instead"
    if others:
        text += f"; {_other(others[0])} do by rounding"
    if not first.cut and not others:
        text += "; it may be an average, or of other videos, or misprinted"
    yield f"{text}."


def _other(one: Reach) -> str:
    return f"{_correct(one.rounded)} of the {one.total:,} {one.name}"


def _correct(ends: tuple[int, int] | None) -> str:
    first, last = ends or (0, 0)
    return f"{first:,}" if first == last else f"{first:,} to {last:,}"


def _against(subject: str, value: float, floor: float) -> str:
    if value == floor:
        return f"{subject} equals {_percent(floor)}"
    return f"{subject} is {_points(abs(value - floor))} {'above' if value > floor else 'below'} {_percent(floor)}"


def _ends(part: Part) -> str:
    return f"{100 * part.interval.low:.1f} to {_percent(part.interval.high)}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _points(value: float) -> str:
    return f"{100 * value:.1f} points" if value >= 0.0005 else f"{100 * value:.2g} points"
