"""Citations of papers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """A bibliographic entry.

    >>> Paper("ge2023", "Ge et al.", "Learning Event-Specific Localization Preferences", "ACM MM", 2023).year
    2023
    """

    key: str
    authors: str
    title: str
    venue: str
    year: int
    doi: str = ""
    code: str = ""

    def __str__(self) -> str:
        link = f", doi:{self.doi}" if self.doi else ""
        return f"{self.authors}. {self.title}. {self.venue} {self.year}{link}"
