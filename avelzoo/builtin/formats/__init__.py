"""File formats of localization results, a file per format."""
