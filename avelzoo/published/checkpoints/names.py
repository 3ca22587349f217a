"""Classification of names in a pickle: data, or functions that would run something if the pickle were executed.

avelzoo executes nothing of a checkpoint. The classification protects users who open the file with other tools: a
settings object beside the weights is harmless, a call of ``os.system`` is an attack.
"""

from __future__ import annotations

import sys
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING

_BUILTIN_DATA = frozenset({
    "bool", "int", "float", "complex", "str", "bytes", "bytearray", "object", "list", "tuple", "dict", "set",
    "frozenset", "slice", "range", "type", "Ellipsis", "NotImplemented", "NoneType",
})  # fmt: skip
_PLAIN: dict[str, frozenset[str] | None] = {
    "argparse": None,
    "array": None,
    "builtins": _BUILTIN_DATA,
    "collections": None,
    "configparser": None,
    "copyreg": frozenset({"_reconstructor", "__newobj__", "__newobj_ex__"}),
    "dataclasses": frozenset({"Field", "_MISSING_TYPE", "_HAS_DEFAULT_FACTORY_CLASS"}),
    "datetime": None,
    "decimal": None,
    "_decimal": None,
    "enum": None,
    "fractions": None,
    "functools": frozenset({"partial"}),
    "inspect": frozenset({"Parameter", "Signature", "_ParameterKind"}),
    "ipaddress": None,
    "itertools": frozenset({"count", "cycle", "repeat"}),
    "logging": frozenset({"getLogger", "Logger", "RootLogger", "Formatter", "StreamHandler", "LogRecord"}),
    "numbers": None,
    "operator": frozenset({"attrgetter", "itemgetter", "methodcaller", "getitem"}),
    "optparse": frozenset({"Values"}),
    "pathlib": None,
    "pathlib._local": None,
    "random": frozenset({"Random", "SystemRandom"}),
    "re": None,
    "signal": None,
    "statistics": None,
    "string": None,
    "time": frozenset({"struct_time"}),
    "types": frozenset({"SimpleNamespace", "MappingProxyType", "GenericAlias", "NoneType", "UnionType"}),
    "typing": None,
    "urllib.parse": frozenset({"ParseResult", "SplitResult"}),
    "uuid": None,
    "zoneinfo": None,
    "zoneinfo._common": None,
}
"""Names of the standard library that construct data: all names of a module, or those listed."""
_FRAMEWORKS = ("torch", "numpy")
_RUNNING_MODULES = (
    "torch.hub", "torch.jit", "torch.package", "torch.utils.cpp_extension", "torch.utils.model_zoo", "torch.ops",
    "torch.classes", "numpy.testing", "numpy.f2py", "numpy.distutils",
    "numpy.ctypeslib",
)  # fmt: skip
_RUNNING_NAMES = frozenset({
    "load", "save", "loads", "fromfile", "tofile", "memmap", "open_memmap", "loadtxt", "savetxt", "genfromtxt", "savez",
    "savez_compressed", "runstring", "exec_command", "load_library", "compile", "system", "popen", "eval", "exec",
    "__import__", "import_module", "vectorize", "frompyfunc", "apply_along_axis",
})  # fmt: skip
_RUNNING_PACKAGES = ("pip", "setuptools", "distutils", "pkg_resources", "IPython", "pexpect")


def would_run(module: str, name: str) -> bool:
    """Whether calling this name could do more than construct a value.

    True for names of the standard library that are not known data, and for functions of PyTorch and NumPy that load,
    save or compile. Other packages count as data, except a few that exist to run things.
    """
    root = module.partition(".")[0]
    if root in _FRAMEWORKS:
        within = any(module == known or module.startswith(f"{known}.") for known in _RUNNING_MODULES)
        return within or not _RUNNING_NAMES.isdisjoint(name.split("."))
    if root in _RUNNING_PACKAGES:
        return True
    if root not in sys.stdlib_module_names:
        return False
    if module not in _PLAIN or ("." in name and name.rpartition(".")[2][:1].islower()):
        return True
    known = _PLAIN[module]
    return known is not None and name not in known and not name.endswith(("Error", "Exception", "Warning"))


def modern(module: str, name: str) -> tuple[str, str]:
    """Translate a module and name of Python 2, which protocols before 3 write, to Python 3."""
    return NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
