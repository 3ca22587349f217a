"""What was found in a video, and when: events on a time axis, with the scores they came from."""
