"""Lines of text: how wide they are, and how they are made to fit."""

from __future__ import annotations

import unicodedata


def text_width(text: str, size: float) -> float:
    """Approximate width of a line in a sans-serif font.

    >>> text_width("bark", 10) < text_width("BARK", 10)
    True
    """
    return size * sum(_advance(character) for character in text)


def _advance(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if unicodedata.combining(character):
        return 0.0
    if character in "iljtfr.,:;'|!() ":
        return 0.37
    return 0.76 if character.isupper() or character in "mwMW@%" else 0.62


def shortened(text: str, size: float, width: float) -> str:
    """The text, or its beginning and an ellipsis where it is wider than ``width``."""
    if text_width(text, size) <= width + 1e-6:  # a width made from this text's own, less rounding
        return text
    room, kept = width - text_width("…", size), 0
    for character in text:
        room -= size * _advance(character)
        if room < 0:
            break
        kept += 1
    return text[:kept].rstrip(" ,;-") + "…"


def shortened_before(text: str, end: str, size: float, width: float) -> str:
    """The text and its end, such as a value: only the text is shortened, as a cut number is another number.

    >>> shortened_before("floor of everything", ": 80.67 %", 10, 100)
    'floor of…: 80.67 %'
    """
    return shortened(text, size, width - text_width(end, size)) + end


def wrapped(text: str, size: float, width: float, lines: int) -> list[str]:
    """The text in at most ``lines`` lines of ``width``, broken at spaces; the last one is shortened."""
    words, found = text.split(), [""]
    for i, word in enumerate(words):
        longer = f"{found[-1]} {word}".strip()
        if found[-1] and text_width(longer, size) > width:
            if len(found) == lines:
                found[-1] = shortened(" ".join([found[-1], *words[i:]]), size, width)
                return found
            found.append(word)
        else:
            found[-1] = longer
    return [shortened(line, size, width) for line in found]
