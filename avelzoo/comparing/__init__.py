"""Systems compared on the same videos: intervals, paired tests, groups that a test set cannot separate."""
