"""Charts as SVG text: light and dark, titled and described, without scripts or fonts from elsewhere.

Values are drawn as they are given: a caller who wants per cent multiplies by 100. Missing values are None or NaN.
"""

from avelzoo.charts.bar import BarGroup, bar_chart
from avelzoo.charts.frame import Reference
from avelzoo.charts.interval import IntervalRow, interval_chart
from avelzoo.charts.line import Point, Series, line_chart
from avelzoo.charts.matrix import matrix_chart
from avelzoo.charts.reliability import ReliabilityBin, reliability_chart
from avelzoo.charts.scatter import ScatterGroup, scatter_chart

__all__ = [
    "BarGroup",
    "IntervalRow",
    "Point",
    "Reference",
    "ReliabilityBin",
    "ScatterGroup",
    "Series",
    "bar_chart",
    "interval_chart",
    "line_chart",
    "matrix_chart",
    "reliability_chart",
    "scatter_chart",
]
