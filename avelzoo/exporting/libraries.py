"""The libraries of the extra ``onnx``, imported when they are needed."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from avelzoo.errors import UsageError

NAMES = ("onnx", "onnxscript", "onnxruntime")


def require_libraries() -> None:
    """Import the libraries that an export needs.

    Raises:
        UsageError: a library is missing.
    """
    for name in NAMES:
        library(name)


def library(name: str) -> ModuleType:
    """One of ``NAMES``.

    Raises:
        UsageError: the library is missing.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise UsageError(
            f"the export to ONNX needs the library {name}",
            found=str(error),
            fix="pip install 'avelzoo[onnx]'",
        ) from error
