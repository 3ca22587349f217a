"""The verdict of a comparison in plain English; each sentence states only what the numbers show."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from avelzoo.comparing.wording import Wording, p_text
from avelzoo.components import LEAK_MARK, LEAK_NOTE

if TYPE_CHECKING:
    from avelzoo.comparing.comparison import Comparison, Pair

MANY = 6
"""More pairs than this are not told one by one."""


def sentences(found: Comparison) -> tuple[str, ...]:
    """The verdict: scores against floors, pairs, and what is not covered."""
    say = Wording(found.unit)
    return (
        _best(found, say),
        *_floors(found, say),
        *_pairs(found, say),
        *_noise(found),
        *([f"{LEAK_MARK} {LEAK_NOTE}."] if any(row.leaks_duration for row in found.rows) else []),
        *(f"{note[0].upper()}{note[1:]}." for note in found.notes),
    )


def _best(found: Comparison, say: Wording) -> str:
    best, title = found.rows[0], found.title[0].upper() + found.title[1:]
    head = f"{title}, {found.videos:,} videos"
    if math.isnan(best.mean):
        return f"{head}: undefined."
    text = f"{say.number(best.mean)} ({100 * found.level:g} % interval {say.span(best.interval)})"
    if len(found.rows) == 1:
        return f"{head}: '{best.name}' has {text}."
    if all(math.isclose(row.mean, best.mean, abs_tol=1e-12) for row in found.rows):
        same = all(pair.identical for pair in found.pairs)
        who = "both score" if len(found.rows) == 2 else f"all {len(found.rows)} systems score"
        return f"{head}: {who} {text}{'; the predictions are identical' if same else ''}."
    way = "highest" if found.higher_is_better else "lowest"
    return f"{head}: '{best.name}' has the {way} mean of {len(found.rows)} systems, {text}."


def _floors(found: Comparison, say: Wording) -> Iterator[str]:
    floors = found.rows[0].floors
    if floors is None:
        return
    oracle = floors.category_oracle
    under = [row.name for row in found.rows if row.interval.high < oracle]
    below = [row.name for row in found.rows if not row.interval.low > oracle and row.name not in under]
    text = f"The true category in every segment, without any localization, reaches {say.number(oracle)}"
    one = len(found.rows) == 1
    parts = []
    if not below and not under:
        parts.append("the system exceeds it" if one else "all systems exceed it")
    if below:
        who = "no system is" if len(below) == len(found.rows) else f"{_listed(below)} {_be(below)}"
        parts.append(
            f"{'the system is not' if one else who}{'' if one or who == 'no system is' else ' not'} shown to exceed it"
        )
    if under:
        who = "all systems are" if len(under) == len(found.rows) else f"{_listed(under)} {_be(under)}"
        parts.append(f"{'the system is' if one else who} below it")
    yield f"{text}; {', and '.join(parts)}."
    for row in found.rows:
        if row.gain is not None and row.gain.low <= 0:
            shown = "scores less than" if row.gain.high < 0 else "is not shown to score more than"
            yield f"'{row.name}' {shown} its own category in every segment: {say.with_span(row.gain)} {say.points}."


def _pairs(found: Comparison, say: Wording) -> Iterator[str]:
    shown: Sequence[Pair] = found.pairs
    if len(shown) > MANY and found.baseline is None:
        best = found.rows[0].name
        shown = [pair for pair in found.pairs if best in (pair.first, pair.second)]
        apart = sum(pair.separated for pair in found.pairs)
        yield f"These videos separate {apart} of {len(found.pairs)} pairs; rows that share a letter are not separated."
    for pair in shown:
        yield _pair(found, pair, say)
    known = [pair.minimum_detectable for pair in found.pairs if pair.minimum_detectable is not None]
    if known:
        low, high = say.number(min(known)), say.number(max(known))
        size = f"{high} {say.points}" if low == high else f"{low} to {high} {say.points}, depending on the pair,"
        yield (
            f"One test on these {found.videos:,} videos detects a true difference of {size} in 80 % of cases, and"
            " smaller differences less often."
        )


def _pair(found: Comparison, pair: Pair, say: Wording) -> str:
    difference = pair.difference
    if math.isnan(difference.value) or math.isnan(pair.p):
        return f"'{pair.first}' and '{pair.second}' cannot be compared: the measure is undefined."
    p = p_text(pair.adjusted_p)
    size = (
        f"{say.signed(difference.value)} {say.points} ({say.signed_span(difference)};"
        f" adjusted p {p if p.startswith('<') else '= ' + p})"
    )
    margin = say.number(found.margin)
    if pair.separated:
        word = "better" if (difference.value > 0) == found.higher_is_better else "worse"
        small = f", within the margin of {margin}" if pair.practically_equal else ""
        return f"'{pair.first}' is {word} than '{pair.second}': {size}{small}."
    equal = "they are practically equal" if pair.practically_equal else "they are not shown to be equal either"
    where = "lies within" if pair.practically_equal else "exceeds"
    head = f"'{pair.first}' and '{pair.second}' are not separated: {size}"
    return f"{head}{_reason(found, pair)}; {equal}, as the interval {where} ±{margin} {say.points}."


def _reason(found: Comparison, pair: Pair) -> str:
    """Why a pair is not separated although one of the two conditions holds."""
    if pair.adjusted_p < 1 - found.level:
        noise = pair.difference.method.startswith("seed+")
        interval = "the interval, which also covers training noise," if noise else "the interval"
        return f". The test on these trained models is significant, but {interval} includes 0"
    if 0 not in pair.difference:
        return f". The interval excludes 0, but the adjusted p is not below {100 * (1 - found.level):.3g} %"
    return ""


def _noise(found: Comparison) -> Iterator[str]:
    single = found.single_runs
    if len(single) == len(found.rows):
        one = "one run" if len(single) == 1 else "one run each"
        yield f"Training noise is not covered: {one}. Another seed may give another result."
        return
    if single:
        yield f"Training noise is not covered for {_listed(single)}: one run{' each' if len(single) > 1 else ''}."
    several = [row for row in found.rows if row.runs > 1]
    counts = sorted({row.runs for row in several})
    runs = f"{counts[0]} runs" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} runs"
    whose = f" of {_listed([row.name for row in several])}" if single else ""
    tests = "; p-values concern these runs only" if found.pairs else ""
    yield f"Intervals{whose} cover the choice of videos and training noise ({runs}){tests}."


def _be(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _listed(names: Sequence[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " and " + quoted[-1]
