"""What lies beside the weights becomes inert; what would run something is refused by name; nothing is ever run."""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import decimal
import enum
import functools
import importlib
import os
import pathlib
import pickle
import re
import shutil
import signal
import subprocess
import sys
import types
import uuid

import numpy as np
import pytest
import torch

from avelzoo.errors import RunError
from avelzoo.published.checkpoints import read_checkpoint

WEIGHTS = collections.OrderedDict(a=torch.arange(3.0), b=torch.ones(2, 2, dtype=torch.int64))


class Colour(enum.Enum):
    RED = 1


Point = collections.namedtuple("Point", "x y")


@pytest.fixture
def settings():
    """Objects of a package that is gone by the time they are read, as those of settings libraries."""
    module = types.ModuleType("settings_of_somebody")
    code = """
class DictConfig(dict):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.parent, self.entries, self.args = None, 3, 4
class ListConfig(list): pass
class Slots: __slots__ = ("a", "b")
def main(): raise SystemExit("ran")
"""
    exec(code, module.__dict__)  # noqa: S102, classes whose module can be taken away again
    for name in ("DictConfig", "ListConfig", "Slots", "main"):
        getattr(module, name).__module__ = module.__name__
    sys.modules[module.__name__] = module
    slots = module.Slots()
    slots.a = slots.b = 1
    yield {"d": module.DictConfig(lr=1), "l": module.ListConfig([1, 2]), "s": slots, "f": module.main}
    sys.modules.pop(module.__name__, None)


BESIDE = {
    "namespace": argparse.Namespace(lr=1e-3, args=1, entries=2, state=3),
    "numpy scalar": np.float64(77.3),
    "numpy bool": np.bool_(True),
    "numpy array": np.ones((2, 3)),
    "numpy texts": np.array(["a", "b"]),
    "numpy objects": np.array([1, "a", None], dtype=object),
    "numpy date": np.datetime64("2020-01-01"),
    "numpy generator": np.random.default_rng(0),
    "path": pathlib.Path("somewhere"),
    "date": dt.datetime(2020, 1, 2, tzinfo=dt.UTC),
    "delta": dt.timedelta(seconds=1),
    "enum": Colour.RED,
    "signal": signal.SIGINT,
    "flag": re.IGNORECASE,
    "pattern": re.compile("a+"),
    "named tuple": Point(1, 2),
    "defaultdict": collections.defaultdict(list, a=[1]),
    "deque": collections.deque([1, 2]),
    "counter": collections.Counter("aab"),
    "set": {1, 2},
    "bytes": b"\x00\xff",
    "complex": 1j,
    "slice": slice(1, 2),
    "decimal": decimal.Decimal("1.2"),
    "uuid": uuid.UUID(int=1),
    "partial": functools.partial(print, 1),
    "simple": types.SimpleNamespace(a=1),
    "function": os.path.join,
    "error": ValueError("x"),
    "device": torch.device("cpu"),
    "dtype": torch.float16,
    "size": torch.Size([1, 2]),
    "module": torch.nn.Linear(2, 2),
    "optimizer": torch.optim.Adam([torch.nn.Parameter(torch.ones(2))]).state_dict(),
    "sparse": torch.eye(2).to_sparse(),
    "meta": torch.ones(2, device="meta"),
}


def weights(path):
    read = read_checkpoint(path)
    assert read.key == "state_dict"
    assert list(read.state) == list(WEIGHTS)
    assert all(torch.equal(read.state[name], value) for name, value in WEIGHTS.items())
    return read


@pytest.mark.parametrize("name", BESIDE)
def test_data_beside_the_weights_is_inert(tmp_path, name):
    file = tmp_path / "x.pt"
    saved = {"state_dict": WEIGHTS, "beside": BESIDE[name]}
    for protocol, zipped in ((2, True), (2, False), (4, True), (5, False)):
        torch.save(saved, file, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
        weights(file)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_objects_of_unknown_packages_are_inert(tmp_path, settings, zipped):
    torch.save({"state_dict": WEIGHTS, "config": settings}, tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
    del sys.modules["settings_of_somebody"]
    read = weights(tmp_path / "x.pt")
    assert set(read.inert) == {f"settings_of_somebody.{name}" for name in ("DictConfig", "ListConfig", "Slots", "main")}
    assert "settings_of_somebody" not in sys.modules


def test_a_module_that_a_checkpoint_names_is_not_imported(tmp_path, monkeypatch, settings):
    """Not even where it could be."""
    (tmp_path / "settings_of_somebody.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    torch.save({"state_dict": WEIGHTS, "config": settings}, tmp_path / "x.pt")
    monkeypatch.syspath_prepend(tmp_path)
    del sys.modules["settings_of_somebody"]
    weights(tmp_path / "x.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("protocol", [2, 5])
def test_plain_pickles_of_tensors_and_of_arrays(tmp_path, protocol):
    file = tmp_path / "x.pkl"
    file.write_bytes(pickle.dumps({"state_dict": dict(WEIGHTS)}, protocol))
    weights(file)
    arrays = {"a": np.arange(3, dtype=">f4"), "b": np.asfortranarray(np.arange(6.0).reshape(2, 3))}
    file.write_bytes(pickle.dumps(arrays, protocol))
    read = read_checkpoint(file).state
    assert read["a"].dtype == torch.float32
    assert read["b"].dtype == torch.float64
    assert all(
        torch.equal(read[name], torch.from_numpy(value.astype(value.dtype.newbyteorder("="))))
        for name, value in arrays.items()
    )


def test_texts_of_python_2(tmp_path):
    """An 8-bit text beside the weights that is not UTF-8, as Python 2 pickled bytes."""
    torch.save({"state_dict": WEIGHTS, "beside": "abcd"}, tmp_path / "x.pt", _use_new_zipfile_serialization=False)
    new = (tmp_path / "x.pt").read_bytes()
    assert new.count(b"X\x04\x00\x00\x00abcd") == 1
    (tmp_path / "x.pt").write_bytes(new.replace(b"X\x04\x00\x00\x00abcd", b"U\x07\xff\xfe\xfd\xfc\xfb\xfa\xf9"))
    weights(tmp_path / "x.pt")


class Calls:
    """Pickled as a call of a function."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


RUNS = {
    "system": (os.system, "touch {mark}"),
    "mkdir": (os.mkdir, "{mark}"),
    "check_output": (subprocess.check_output, "touch {mark}"),
    "Popen": (subprocess.Popen, "touch {mark}"),
    "eval": (eval, "open('{mark}', 'w')"),
    "exec": (exec, "open('{mark}', 'w')"),
    "open": (open, "{mark}", "w"),
    "import_module": (importlib.import_module, "this"),
    "__import__": (__import__, "this"),
    "rmtree": (shutil.rmtree, "{mark}"),
    "torch.hub.load": (torch.hub.load, "x"),
    "load": (torch.load, "{mark}"),
    "numpy.load": (np.load, "{mark}"),
    "pickle.loads": (pickle.loads, b""),
    "reduce": (functools.reduce, os.system, ["touch {mark}"]),
    "touch": (pathlib.Path.touch, pathlib.Path("mark")),
    "the result of 'functools.partial'": (functools.partial(os.system, "true"),),
    "unlink": (pathlib.Path("mark").unlink,),
}


@pytest.mark.parametrize(("protocol", "zipped"), [(2, True), (4, False)], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", RUNS)
def test_a_call_that_runs_something_is_refused_by_name(tmp_path, monkeypatch, name, zipped, protocol):
    monkeypatch.chdir(tmp_path)
    mark = tmp_path / "mark"
    function, *args = RUNS[name]
    args = [value.format(mark=mark) if isinstance(value, str) else value for value in args]
    saved = {"state_dict": WEIGHTS, "x": Calls(function, *args)}
    torch.save(saved, tmp_path / "x.pt", pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    for tool in ("system", "Popen"):
        monkeypatch.setattr(os if tool == "system" else subprocess, tool, lambda *_: pytest.fail("it ran"))
    before = set(sys.modules)
    with pytest.raises(
        RunError, match=rf"the checkpoint calls .*{re.escape(name)}.*, which weights never need"
    ) as fault:
        read_checkpoint(tmp_path / "x.pt")
    assert fault.value.where == str(tmp_path / "x.pt")
    assert not mark.exists()
    assert "this" not in set(sys.modules) - before
