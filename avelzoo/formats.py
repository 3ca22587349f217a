"""Formats of localization results: a config per format turns a result into the text of a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from avelzoo.config import Config

if TYPE_CHECKING:
    from avelzoo.timeline.records import Localization


@dataclass(frozen=True, kw_only=True)
class FormatConfig(Config, ABC):
    """Settings of a file format.

    Class attributes:
        suffix: end of file names, such as ``.vtt``.

    >>> default_host().registry.get("format", "vtt").target.suffix
    '.vtt'
    """

    kind: ClassVar[str] = "format"
    suffix: ClassVar[str]

    @abstractmethod
    def text(self, result: Localization) -> str:
        """Content of the file for one video, readable for any status."""
