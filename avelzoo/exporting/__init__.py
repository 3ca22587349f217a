"""Export of a run's model to files of other run-times."""

from avelzoo.exporting.onnx_file import OnnxExport, export_onnx

__all__ = ["OnnxExport", "export_onnx"]
