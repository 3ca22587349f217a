"""Reading and writing of videos by PyAV (extra ``media``): both streams on one timeline, segment by segment."""
