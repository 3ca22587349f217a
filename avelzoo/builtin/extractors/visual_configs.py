"""Options of the built-in visual extractors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from avelzoo.config import Bounds, Help
from avelzoo.errors import OptionError
from avelzoo.extractors import ExtractorConfig, FindWeights, Modality

if TYPE_CHECKING:
    from avelzoo.extractors import Extractor


@dataclass(frozen=True, kw_only=True)
class VisualConfig(ExtractorConfig):
    """Options that visual extractors share."""

    modality: ClassVar[Modality] = "visual"

    frames: Annotated[int, Help("frames per segment; 16 as in AVE"), Bounds(min=1, max=1000)] = 16


@dataclass(frozen=True, kw_only=True)
class ColourMotionConfig(VisualConfig):
    """Colour and motion of each cell of a grid, without weights.

    Eight numbers in [0, 1] per cell: mean and deviation of red, green and blue over the segment, mean and largest
    difference of grey levels between successive frames.

    >>> ColourMotionConfig(grid=(4, 6)).build(lambda file: None).shape
    (4, 6, 8)
    """

    grid: Annotated[tuple[int, ...], Help("cells: height, width"), Bounds(min=1, max=64)] = (7, 7)

    def __post_init__(self) -> None:
        super().__post_init__()
        require_grid(self.grid)

    def build(self, find: FindWeights, *, device: str = "cpu", precision: str = "32") -> Extractor:
        from avelzoo.builtin.extractors.colour_motion import ColourMotion

        return ColourMotion(self)


def require_grid(grid: tuple[int, ...]) -> None:
    """Refuse a grid that is not two numbers.

    Raises:
        OptionError: the grid has another number of values.
    """
    if len(grid) != 2:
        raise OptionError(
            "option 'extractor.grid' needs two numbers",
            found=",".join(map(str, grid)) or "none",
            expected="height,width, such as 7,7",
        )
