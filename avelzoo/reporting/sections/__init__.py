"""The panels of a report, a module each."""
