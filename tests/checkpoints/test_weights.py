"""Where the weights are found in what was saved, and which tensors are refused."""

from __future__ import annotations

import argparse
from collections import OrderedDict

import pytest
import torch

from avelzoo.errors import RunError, UsageError
from avelzoo.published.checkpoints import as_float32, not_finite, read_checkpoint, without_prefixes

S = OrderedDict([("a.w", torch.arange(3.0)), ("a.b", torch.ones(2, 2))])
OTHER = {"x": torch.ones(1)}
ADAM = {"state": {0: {"exp_avg": torch.ones(9)}}, "param_groups": [{"lr": 1.0}]}


def read(tmp_path, value, key=None):
    torch.save(value, tmp_path / "x.pt")
    return read_checkpoint(tmp_path / "x.pt", key)


@pytest.mark.parametrize(
    ("value", "key", "beside"),
    [
        (S, "", ()),
        *(({name: S, "epoch": 3}, name, ()) for name in ("net", "model", "model_state_dict", "state_dict", "params")),
        ({"ema": S, "epoch": 3}, "ema", ()),
        ({"checkpoint": {"model": S, "optimizer": ADAM}}, "checkpoint.model", ()),
        ({"a": {"b": {"state_dict": S}}}, "a.b.state_dict", ()),
        ([S, {"epoch": 3}], "0", ()),
        (argparse.Namespace(net=S, lr=1.0), "net", ()),
        ({"state_dict": S, "optimizer": ADAM, "best_acc": torch.tensor(0.7)}, "state_dict", ("(top)",)),
        ({"state_dict": S, "ema": OTHER}, "state_dict", ("ema",)),
        ({"ema": OTHER, "model": S}, "model", ("ema",)),
        ({"generator": S, "optimizer": ADAM}, "generator", ()),
        ({"mine": S, "best_acc": torch.tensor(0.7)}, "mine", ("(top)",)),
        (S | {"small": OTHER}, "", ("small",)),
    ],
    ids=str,
)  # fmt: skip
def test_wrappers_are_found_and_named(tmp_path, value, key, beside):
    found = read(tmp_path, value)
    assert (found.key, found.beside) == (key, beside)
    assert list(found.state) == list(S)
    assert all(torch.equal(found.state[name], tensor) for name, tensor in S.items())


def test_other_values_among_the_weights_are_left_out(tmp_path):
    found = read(tmp_path, S | {"epoch": 3, "args": argparse.Namespace()})
    assert list(found.state) == list(S)
    assert found.left_out == ("epoch", "args")


def test_a_key_chooses(tmp_path):
    both = {"state_dict": S, "ema": OTHER}
    assert list(read(tmp_path, both, "ema").state) == ["x"]
    with pytest.raises(UsageError, match="no weights under 'emma'") as fault:
        read(tmp_path, both, "emma")
    assert fault.value.expected == "state_dict, ema"
    assert fault.value.where == str(tmp_path / "x.pt")


def test_several_that_could_be_meant_are_refused(tmp_path):
    with pytest.raises(RunError, match="several entries") as fault:
        read(tmp_path, {"encoder": S, "decoder": S})
    assert fault.value.found == "encoder, decoder"
    assert "--key" in fault.value.fix


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": 3},
        [torch.ones(1)],
        torch.ones(1),
        3,
        {"model": {"a": "text"}},
        {"optimizer": ADAM},
        {0: torch.ones(1)},
    ],
    ids=repr,
)
def test_what_is_no_state_dict_is_refused(tmp_path, value):
    with pytest.raises(RunError, match="not a state dict") as fault:
        read(tmp_path, value)
    assert fault.value.where == str(tmp_path / "x.pt")


def test_tensors_without_values_are_refused(tmp_path):
    for tensor, said in (
        (torch.eye(2).to_sparse(), "is sparse"),
        (torch.ones(2, device="meta"), "on the device 'meta'"),
        (torch.nn.Parameter(torch.ones(2, device="meta")), "on the device 'meta'"),
    ):
        with pytest.raises(RunError, match=said) as fault:
            read(tmp_path, S | {"bad": tensor})
        assert fault.value.found == "'bad'"
        assert fault.value.where == str(tmp_path / "x.pt")


@pytest.mark.filterwarnings("ignore")
def test_quantized_tensors_are_refused(tmp_path):
    tensor = torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)
    with pytest.raises(RunError, match="is quantized"):
        read(tmp_path, S | {"bad": tensor})


@pytest.mark.parametrize(
    "tensor",
    [
        torch.nn.Parameter(torch.ones(2)),
        torch.nn.Buffer(torch.ones(2)),
        torch.arange(12.0).reshape(3, 4).t()[1:],
        torch.ones(1).expand(3, 4),
        torch.tensor(3),
        torch.empty(0, 3),
        torch.tensor([True, False]),
        *(torch.ones(2).to(kind) for kind in (torch.float64, torch.float16, torch.bfloat16, torch.float8_e4m3fn)),
    ],
    ids=lambda tensor: f"{type(tensor).__name__} {tensor.dtype} {tuple(tensor.shape)}",
)
def test_every_dense_tensor_is_rebuilt(tmp_path, tensor):
    found = read(tmp_path, {"t": tensor}).state["t"]
    assert type(found) is torch.Tensor
    assert (found.dtype, found.shape) == (tensor.dtype, tensor.shape)
    assert torch.equal(found.float(), tensor.detach().float())


def test_other_number_formats_are_rounded_and_counted():
    state = {"a": torch.ones(2).double(), "b": torch.ones(2).bfloat16(), "c": torch.ones(2), "n": torch.tensor(3)}
    made, rounded = as_float32(state)
    assert {name: value.dtype for name, value in made.items()} == dict.fromkeys("abc", torch.float32) | {
        "n": torch.int64
    }
    assert rounded == {"float64": 1, "bfloat16": 1}
    with pytest.raises(RunError, match="complex numbers") as fault:
        as_float32({"z": torch.ones(1, dtype=torch.complex64)})
    assert "'z'" in fault.value.found


def test_values_that_are_no_numbers_are_found():
    assert not_finite(
        {"a": torch.ones(2), "b": torch.tensor([1.0, float("nan")]), "c": torch.tensor([-float("inf")])}
    ) == ["b", "c"]


@pytest.mark.parametrize(
    "names",
    [
        "fc.w head.b",
        "module.fc.w module.head.b",
        "module.module.fc.w module.module.head.b",
        "_orig_mod.fc.w _orig_mod.head.b",
        "module._orig_mod.model.fc.w module._orig_mod.model.head.b",
        "fc._orig_mod.w head.b",
        "fc.module.w head.b",
        "some.thing.fc.w some.thing.head.b",
        "n_averaged module.fc.w module.head.b",
        "model.fc.w model.head.b loss.weight",
        "module.fc.w head.b",
    ],
)
def test_wrappers_prefixes_are_taken_off_repeatedly(names):
    state = {name: name for name in names.split()}
    offered = {frozenset(shorter): (shorter, taken) for shorter, taken in without_prefixes(state)}
    shorter, taken = offered[frozenset({"fc.w", "head.b"})]
    assert shorter["head.b"].endswith("head.b")
    assert (taken == "") == (names == "fc.w head.b")
    assert next(iter(offered)) == frozenset(state)


def test_names_that_would_fall_together_are_not_shortened():
    state = {"module.a": 1, "a": 2}
    assert [shorter for shorter, _ in without_prefixes(state)] == [state, {"a": 1}]
