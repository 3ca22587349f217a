"""Tables as Markdown, LaTeX and CSV."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO

_LATEX = {
    "\\": r"\textbackslash{}",
    **{c: f"\\{c}" for c in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "±": r"$\pm$",
    "\u2020": r"$^\dagger$",
}


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """A table of text.

    Attributes:
        columns: headings.
        rows: cells, one per column.
        title: caption; empty for none.
        left: columns whose text is flush left; the first one always is.
        notes: lines below the table.

    >>> print(TextTable(columns=("system", "score"), rows=(("a", "1.0"),)).markdown())
    | system | score |
    | :--- | ---: |
    | a | 1.0 |
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    left: Sequence[str] = ()
    notes: Sequence[str] = ()

    def markdown(self) -> str:
        """The table in Markdown, with its title above and its notes below."""
        rule = [":---" if self._is_left(i) else "---:" for i in range(len(self.columns))]
        lines = [_markdown_row(row) for row in (self.columns, *self.rows)]
        lines.insert(1, _markdown_row(rule))
        parts = [*([f"**{self.title}**"] if self.title else []), "\n".join(lines), *self.notes]
        return "\n\n".join(parts)

    def latex(self) -> str:
        """The table in LaTeX, for the package ``booktabs``; title and notes are its caption."""
        form = "".join("l" if self._is_left(i) else "r" for i in range(len(self.columns)))
        body = [r"\toprule", _latex_row(self.columns), r"\midrule", *map(_latex_row, self.rows), r"\bottomrule"]
        lines = [rf"\begin{{tabular}}{{{form}}}", *body, r"\end{tabular}"]
        if self.title:
            sentence = f"{self.title[0].upper()}{self.title[1:]}."
            caption = latex_text(" ".join((sentence, *self.notes)))
            return "\n".join([r"\begin{table}", rf"\caption{{{caption}}}", *lines, r"\end{table}"])
        lines = [*(f"% {note}" for note in self.notes), *lines]
        return "\n".join(lines)

    def csv(self) -> str:
        """The table as comma-separated values, without title and notes."""
        out = StringIO()
        csv.writer(out, lineterminator="\n").writerows([self.columns, *self.rows])
        return out.getvalue()

    def _is_left(self, place: int) -> bool:
        return place == 0 or self.columns[place] in self.left


def latex_text(text: str) -> str:
    r"""Text with the special characters of LaTeX escaped.

    >>> latex_text("50 % of a_b")
    '50 \\% of a\\_b'
    """
    return "".join(_LATEX.get(c, c) for c in text)


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(map(latex_text, cells)) + r" \\"
