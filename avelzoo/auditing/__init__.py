"""Prediction files of any code, scored and judged without torch."""
