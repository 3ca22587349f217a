"""Annotation document of the video annotation program ELAN."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from xml.etree import ElementTree as ET

from avelzoo.builtin.formats.writing import one_line, tiers
from avelzoo.formats import FormatConfig

if TYPE_CHECKING:
    from avelzoo.timeline.records import Localization

UNDATED = "1970-01-01T00:00:00+00:00"
"""The format demands a date; a constant one keeps the file the same for the same result."""

SCHEMA = (
    "{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation",
    "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
)


@dataclass(frozen=True, kw_only=True)
class ElanConfig(FormatConfig):
    """Document of ELAN (EAF 3.0): a tier per category, an annotation per event, times in milliseconds.

    >>> ElanConfig().suffix
    '.eaf'
    """

    suffix: ClassVar[str] = ".eaf"

    def text(self, result: Localization) -> str:
        root = ET.Element("ANNOTATION_DOCUMENT", AUTHOR="avelzoo", DATE=UNDATED, FORMAT="3.0", VERSION="3.0")
        root.set(*SCHEMA)
        header = ET.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
        url = Path(one_line(result.path)).absolute().as_uri()
        ET.SubElement(header, "MEDIA_DESCRIPTOR", MEDIA_URL=url, MIME_TYPE=_mime(result.path))
        order = ET.SubElement(root, "TIME_ORDER")
        slots = annotations = 0
        for category, line in tiers(result).items():
            tier = ET.SubElement(root, "TIER", TIER_ID=one_line(category), LINGUISTIC_TYPE_REF="event")
            for event in line:
                ends = []
                for seconds in (event.start, event.end):
                    slots += 1
                    ends.append(f"ts{slots}")
                    ET.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=ends[-1], TIME_VALUE=str(round(seconds * 1000)))
                annotations += 1
                holder = ET.SubElement(tier, "ANNOTATION")
                placed = ET.SubElement(
                    holder,
                    "ALIGNABLE_ANNOTATION",
                    ANNOTATION_ID=f"a{annotations}",
                    TIME_SLOT_REF1=ends[0],
                    TIME_SLOT_REF2=ends[1],
                )
                ET.SubElement(placed, "ANNOTATION_VALUE").text = one_line(event.category)
        ET.SubElement(
            root, "LINGUISTIC_TYPE", LINGUISTIC_TYPE_ID="event", TIME_ALIGNABLE="true", GRAPHIC_REFERENCES="false"
        )
        ET.indent(root)
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _mime(path: str) -> str:
    return {".mp4": "video/mp4", ".m4v": "video/mp4", ".wav": "audio/x-wav"}.get(Path(path).suffix.lower(), "unknown")
