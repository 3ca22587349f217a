"""Audits of prediction files of any repository: scores, floors, claims and a verdict. Works without torch."""

from __future__ import annotations

from avelzoo.auditing.auditing import audit
from avelzoo.auditing.auditor import Reading
from avelzoo.auditing.records import Audit, LabelFacts, Part, Variant

__all__ = ["Audit", "LabelFacts", "Part", "Reading", "Variant", "audit"]
