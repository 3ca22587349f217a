"""What was found in a video, and when: events on a time axis, with the scores they came from."""

from avelzoo.timeline.event import Event
from avelzoo.timeline.records import Localization, SegmentScores
from avelzoo.timeline.timeline import Interval, Timeline

__all__ = ["Event", "Interval", "Localization", "SegmentScores", "Timeline"]
