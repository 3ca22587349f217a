"""Whole-module checkpoints give their state dict; nothing in them runs."""

from __future__ import annotations

import pickle
import sys
import types

import pytest
import torch
from torch import nn

from avelzoo.errors import RunError
from avelzoo.published.official import read_state_dict


@pytest.fixture
def foreign():
    """A network of a module that is gone by the time its checkpoint is read."""
    module = types.ModuleType("fully_model_of_somebody")
    code = """
import torch
from torch import nn
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.norm = nn.BatchNorm1d(2)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, bidirectional=True)
        self.blocks = nn.Sequential(Block(), nn.ReLU(), Block())
        self.scale = nn.Parameter(nn.Linear(2, 2).weight.detach().half())
        self.absent = None
        self.kept = {1, 2}
        self.register_buffer("passing", torch.ones(1), persistent=False)
"""
    exec(code, module.__dict__)  # noqa: S102, a class whose module can be taken away again
    for cls in (module.Block, module.Net):
        cls.__module__ = module.__name__
    sys.modules[module.__name__] = module
    torch.manual_seed(0)
    yield module.Net()
    sys.modules.pop(module.__name__, None)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize(
    "wrap", [lambda net: net, lambda net: {"epoch": 3, "net": net}], ids=["bare", "in a dictionary"]
)
def test_a_pickled_module_gives_its_state_dict(foreign, tmp_path, zipped, wrap):
    file = tmp_path / "net.pt"
    torch.save(wrap(foreign), file, _use_new_zipfile_serialization=zipped)
    want = {name: value.clone() for name, value in foreign.state_dict().items()}
    del sys.modules["fully_model_of_somebody"]
    got = read_state_dict(file)
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert got[name].dtype == value.dtype
        assert torch.equal(got[name], value), name


@pytest.mark.parametrize(
    "wrap",
    [torch.compile, nn.DataParallel, torch.optim.swa_utils.AveragedModel],
    ids=["compiled", "parallel", "average"],
)
def test_a_pickled_wrapper_gives_the_state_dict_of_what_it_wraps(tmp_path, wrap):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    torch.save({"model": wrap(net), "epoch": 3}, tmp_path / "net.pt")
    got = {name.removeprefix("module."): value for name, value in read_state_dict(tmp_path / "net.pt").items()}
    assert all(torch.equal(got[name], value) for name, value in net.state_dict().items())


def test_a_parameter_as_torch_0_3_pickled_it(tmp_path):
    """There, a parameter is its class called on a tensor, followed by a tuple of state."""

    class OldParameter:
        def __init__(self, data):
            self.data = data

        def __reduce__(self):
            return (nn.Parameter, (self.data,), (True, False, None))

    class OldModule(nn.Module):
        pass

    OldModule.__module__, OldModule.__qualname__ = "torch.nn.modules.linear", "Linear"
    module = OldModule()
    weight = torch.arange(6.0).reshape(2, 3)
    module.__dict__["_parameters"]["weight"] = OldParameter(weight)
    OldModule.__name__ = "Linear"
    file = tmp_path / "old.pt"
    real, nn.modules.linear.Linear = nn.modules.linear.Linear, OldModule
    try:
        torch.save(module, file, _use_new_zipfile_serialization=False)
    finally:
        nn.modules.linear.Linear = real
    assert torch.equal(read_state_dict(file)["weight"], weight)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_truncated_and_foreign_files(foreign, tmp_path):
    file = tmp_path / "net.pt"
    torch.save(foreign, file, _use_new_zipfile_serialization=False)
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    with pytest.raises(RunError):
        read_state_dict(file)
    file.write_bytes(pickle.dumps([1, 2, 3]))
    with pytest.raises(RunError):
        read_state_dict(file)
