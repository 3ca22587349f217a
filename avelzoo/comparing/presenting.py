"""Tables of a comparison: rows, pairs and groups as text for people, and all numbers for programs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from avelzoo.comparing.comparison import Comparison, Group, Pair, Row
from avelzoo.comparing.tables import TextTable
from avelzoo.comparing.wording import Wording, p_text
from avelzoo.components import LEAK_MARK

Column = tuple[str, Callable[[Row], str]]


def rows_table(found: Comparison) -> TextTable:
    """Systems, best first: mean, deviation over runs, interval, gain over the floors, letter."""
    say = Wording(found.unit)
    columns: list[Column] = [
        ("system", _name),
        ("runs", lambda row: str(row.runs)),
        ("mean", lambda row: say.number(row.mean)),
        ("std", lambda row: say.number(row.std)),
        (f"{100 * found.level:g} % interval", lambda row: say.span(row.interval)),
    ]
    if any(row.floors for row in found.rows):
        columns += [
            ("own floor", lambda row: say.number(row.floors.own_category if row.floors else None)),
            ("gain", lambda row: say.with_span(row.gain)),
        ]
    if found.baseline is None and len(found.rows) > 1:
        columns.append(("letter", lambda row: row.letter))
    rows = [[cell(row) for _, cell in columns] for row in found.rows]
    floors = found.rows[0].floors
    if floors is not None:
        blank = [""] * (len(columns) - 3)
        for label, value in (
            ("floor: background", floors.background),
            ("floor: true category", floors.category_oracle),
        ):
            rows.append([label, "", say.number(value), *blank])
    title = f"{found.title} in {found.unit}, {found.videos:,} videos"
    return TextTable(
        columns=[name for name, _ in columns], rows=rows, title=title, left=("letter",), notes=_notes(found)
    )


def pairs_table(found: Comparison, *, brief: bool = False) -> TextTable:
    """Pairs of systems: difference, interval, p-values, effect size, smallest detectable difference.

    Args:
        found: the comparison.
        brief: leave out p before correction, effect size and detectable difference.
    """
    say = Wording(found.unit)
    columns: dict[str, Callable[[Pair], str]] = {
        "pair": lambda pair: f"{pair.first} - {pair.second}",
        "difference": lambda pair: say.signed(pair.difference.value),
        f"{100 * found.level:g} % interval": lambda pair: say.signed_span(pair.difference),
    }
    columns |= {} if brief else {"p": lambda pair: p_text(pair.p)}
    columns |= {"adjusted p": lambda pair: p_text(pair.adjusted_p)}
    notes = [
        "p: whole videos are swapped between the systems; adjusted by Holm over this table.",
        separated_note(found),
    ]
    if not brief:
        columns |= {
            "effect": lambda pair: "-" if pair.effect_size is None else f"{pair.effect_size:.2f}",
            "detectable": lambda pair: say.number(pair.minimum_detectable),
        }
        notes += [
            "Effect: difference in standard deviations of the videos' differences.",
            "Detectable: true difference that one test shows in 80 % of cases.",
        ]
    columns |= {"verdict": _verdict}
    return TextTable(
        columns=list(columns),
        rows=[[cell(pair) for cell in columns.values()] for pair in found.pairs],
        title=f"differences of {found.title} in {say.points}",
        left=("verdict",),
        notes=notes,
    )


def separated_note(found: Comparison) -> str:
    """What a separated pair must fulfil, in words."""
    noise = ", training noise included," if any(row.runs > 1 for row in found.rows) else ""
    return f"Separated: adjusted p below {100 * (1 - found.level):.3g} %, and an interval{noise} that excludes 0."


def groups_table(found: Comparison) -> TextTable:
    """Systems by group, with intervals; own-category floor and gain where they are known."""
    floors = any(row.floors for row in found.rows)
    columns = ["group", "videos", "system", "mean", f"{100 * found.level:g} % interval"]
    columns += ["own floor", "gain"] if floors else []
    say = Wording(found.unit)
    rows = [
        _group_row(group, row, place, say, floors=floors)
        for group in found.groups
        for place, row in enumerate(group.rows)
    ]
    return TextTable(columns=columns, rows=rows, title=f"{found.title} by group, in {found.unit}", left=("system",))


def numbers_table(found: Comparison) -> TextTable:
    """All numbers of the rows, as fractions: one line per system and group."""
    columns = ["group", "videos", "system", "runs", "seeds", "measure", "mean", "std", "low", "high", "interval"]
    columns += ["floor_background", "floor_category_oracle", "floor_own_category", "gain", "gain_low", "gain_high"]
    columns += ["letter", "leaks_duration", "signature"]
    everything = Group(name="all", videos=found.videos, rows=found.rows, differences=())
    rows = [_numbers(found, group, row) for group in (everything, *found.groups) for row in group.rows]
    return TextTable(columns=columns, rows=rows)


def _notes(found: Comparison) -> list[str]:
    """What the columns mean."""
    lines = []
    if any(row.floors for row in found.rows):
        lines.append("Floors have one id in every segment of a video; own floor: the system's own category.")
        lines.append("Gain: mean minus own floor.")
    if found.baseline is None and len(found.rows) > 1:
        lines.append("Systems that share a letter are not separated by these videos.")
    return lines


def _numbers(found: Comparison, group: Group, row: Row) -> Sequence[str]:
    floors, gain = row.floors, row.gain
    return (
        *(group.name, str(group.videos), row.name, str(row.runs), " ".join(map(str, row.seeds)), found.measure),
        *map(_raw, (row.mean, row.std, row.interval.low, row.interval.high)),
        row.interval.method,
        *map(_raw, (floors.background, floors.category_oracle, floors.own_category) if floors else (None,) * 3),
        *map(_raw, (gain.value, gain.low, gain.high) if gain else (None,) * 3),
        row.letter,
        str(row.leaks_duration).lower(),
        found.signatures.get(row.name, ""),
    )


def _group_row(group: Group, row: Row, place: int, say: Wording, *, floors: bool) -> Sequence[str]:
    head = (group.name, str(group.videos)) if place == 0 else ("", "")
    tail = (say.number(row.floors.own_category if row.floors else None), say.with_span(row.gain)) if floors else ()
    return (*head, _name(row), say.number(row.mean), say.span(row.interval), *tail)


def _name(row: Row) -> str:
    return f"{row.name} {LEAK_MARK}" if row.leaks_duration else row.name


def _verdict(pair: Pair) -> str:
    words = [*(["separated"] if pair.separated else []), *(["practically equal"] if pair.practically_equal else [])]
    return ", ".join(words) or "not separated"


def _raw(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else repr(float(value))
