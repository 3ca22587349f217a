"""A component from one class: the config that is derived, where it is registered, what is refused."""

from __future__ import annotations

from dataclasses import make_dataclass
from typing import Annotated, Literal

import numpy as np
import pytest
import torch
from torch import nn

import avelzoo
from avelzoo import Bounds, Encoded, Encoder, FeatureSpec, Help, Launcher, MeanPoolConfig, Widths
from avelzoo.components import BASES, KINDS
from avelzoo.config import options
from avelzoo.contracts import Transform
from avelzoo.errors import AmbiguousNameError, OptionError, PluginError
from avelzoo.plugin import decorators, defining
from avelzoo.plugin.default import as_default, default_host
from avelzoo.plugin.host import PluginHost
from avelzoo.plugin.registry import THIS_PROCESS
from avelzoo.scaffold import KINDS as TEMPLATES, write_file

SPEC = FeatureSpec(segments=4, audio_dim=3, grid=(1, 2), visual_dim=5, categories=("a", "b"))


@pytest.fixture(autouse=True)
def forget():
    """What a test defines is gone after it."""
    default_host()
    yield
    defining._HERE.clear()
    if default_host().registry.names("recipe") and any(r.name == THIS_PROCESS for r in default_host().records):
        default_host().remove(THIS_PROCESS)


def idea(name="my-idea", default=64):
    @avelzoo.encoder(name)
    class MyIdea(Encoder):
        """Both modalities, added."""

        paper = "tian2018"

        def __init__(self, spec: FeatureSpec, *, width: Annotated[int, Help("channels"), Bounds(min=1)] = default):
            super().__init__()
            self.widths = Widths(fused=width, audio=width, visual=width)
            self.audio = nn.Linear(spec.audio_dim, width)

        def forward(self, audio, visual):
            heard = self.audio(audio)
            return Encoded(fused=heard, audio=heard, visual=heard)

    return MyIdea


def test_every_kind_has_a_decorator_and_only_those():
    for kind in BASES:
        assert getattr(avelzoo, kind) is getattr(decorators, kind)
        assert getattr(avelzoo, kind).__name__ == kind
    assert set(KINDS) < set(BASES)


def test_the_derived_config():
    cls = idea()
    (option,) = options(cls.Config)
    assert (option.name, option.type, option.default, option.help, option.bounds) == (
        "width", int, 64, "channels", Bounds(min=1),
    )  # fmt: skip
    assert cls.Config.__doc__ == "Both modalities, added."
    assert (cls.Config.kind, cls.Config.paper) == ("encoder", "tian2018")
    assert cls.Config(width=8).build(SPEC).widths.fused == 8
    assert isinstance(cls.Config(width=8).build(SPEC), cls)
    assert cls.Config(width=8) == cls.Config.from_dict({"width": "8"})
    with pytest.raises(OptionError, match=r"'encoder.width' does not accept 0"):
        cls.Config(width=0)


def test_it_is_registered_in_this_process_and_replaced_by_the_next_definition():
    first, second = idea(), idea(default=32)
    entry = default_host().registry.get("encoder", "my-idea")
    assert entry.target is second.Config is not first.Config
    assert (entry.qualified, entry.summary) == ("this-process/my-idea", "Both modalities, added.")
    assert [r.source for r in default_host().records if r.name == THIS_PROCESS] == ["in process"]


def test_a_name_of_another_plugin_is_ambiguous():
    idea("mean-pool")
    with pytest.raises(AmbiguousNameError, match="exists in 2 plugins"):
        default_host().registry.get("encoder", "mean-pool")
    assert default_host().registry.get("encoder", "this-process/mean-pool")


def test_a_host_of_ones_own_knows_it_when_told():
    cls, host = idea(), PluginHost(entry_points=False)
    assert "my-idea" not in host.registry.names("encoder")
    host.define("encoder", "my-idea", cls.Config)
    with as_default(host):
        assert default_host() is host
    assert host.registry.get("encoder", "my-idea").target is cls.Config


def test_a_definition_that_is_refused_leaves_the_one_before():
    cls = idea()
    with pytest.raises(PluginError, match="is not described by"):
        default_host().define("encoder", "my-idea", int)
    assert default_host().registry.get("encoder", "my-idea").target is cls.Config


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_file_belongs_to_its_plugin_and_is_replaced_when_loaded_again(kind, tmp_path):
    file = write_file("my-part", kind, tmp_path / "my_file.py")
    host = PluginHost(entry_points=False)
    for _ in range(2):
        host.add_file(file)
        entry = host.registry.get(kind, "my-part")
        assert (entry.plugin, entry.distribution) == ("my-file", "my_file.py")
    assert "my-part" not in default_host().registry.names(kind)
    host.remove("my-file")
    assert "my-part" not in host.registry.names(kind)


def test_what_a_file_imports_is_not_the_files(tmp_path):
    """Only classes that the file itself defines are its own."""
    module = tmp_path / "theirs.py"
    module.write_text("from tests.core.test_decorators import idea\nMyIdea = idea('of-another')\n")
    host = PluginHost(entry_points=False)
    host.add_file(module)
    assert "of-another" not in host.registry.names("encoder")


def test_kinds_whose_configs_take_over_methods():
    @avelzoo.launcher("my-launcher")
    class MyLauncher(Launcher):
        """Runs nothing."""

        isolated = False

        def __init__(self, *, workers: Annotated[int, Help("jobs at once")] = 2):
            self.workers = workers

        def launch(self, jobs):
            yield from ()

    assert MyLauncher.Config(workers=3).build().workers == 3
    assert MyLauncher.Config.isolated is False

    @avelzoo.sampler("my-sampler")
    class Backwards:
        """The last video first."""

        def __init__(self, *, skip: Annotated[int, Help("videos left out")] = 0):
            self.skip = skip

        def positions(self, videos, batch_size, rng):
            return np.arange(videos - self.skip)[::-1]

    assert Backwards.Config(skip=1).positions(4, 2, np.random.default_rng(0)).tolist() == [2, 1, 0]

    @avelzoo.optimizer("my-optimizer")
    class Plain(torch.optim.SGD):
        """SGD with momentum."""

        def __init__(self, parameters, *, learning_rate, momentum: Annotated[float, Help("momentum")] = 0.9):
            super().__init__(parameters, lr=learning_rate, momentum=momentum)

    made = Plain.Config(learning_rate=0.5).build([nn.Parameter(torch.zeros(1))])
    assert (made.defaults["lr"], made.defaults["momentum"]) == (0.5, 0.9)

    @avelzoo.schedule("my-schedule")
    class Halved(torch.optim.lr_scheduler.LRScheduler):
        """Half the rate."""

        def __init__(self, optimizer):
            super().__init__(optimizer)

        def get_lr(self):
            return [0.25 for _ in self.base_lrs]

    assert Halved.Config().build(made, 3).get_last_lr() == [0.25]

    @avelzoo.transform("my-transform")
    class Louder(Transform):
        """Louder audio, under full supervision."""

        supervisions = ("full",)

        def __init__(self, supervision, *, gain: Annotated[float, Help("factor of the audio")] = 2.0):
            super().__init__()
            self.gain, self.supervision = gain, supervision

        def __call__(self, batch, targets):
            return batch, targets

    assert Louder.Config.supervisions == ("full",)
    assert Louder.Config().build(SPEC, "full").supervision == "full"


def test_methods_of_the_config_see_the_options(tmp_path):
    host = PluginHost(entry_points=False)
    host.add_file(write_file("my-data", "dataset", tmp_path / "my_data.py"))
    config = host.registry.get("dataset", "my-data").target(videos=7, weak_protocol="onehot")
    assert config.train_defaults("full") == {"epochs": 5, "batch_size": 16}
    assert config.weak_protocol == "onehot"
    assert len(config.open("full").split("val")) == 7


def class_with(init, base=Encoder):
    return type("MyIdea", (base,), {"__init__": init, "forward": lambda self, audio, visual: None})


@pytest.mark.parametrize(
    ("init", "said"),
    [
        (lambda self, spec, width: None, "the option 'width' of the encoder 'my-idea' is positional"),
        (lambda self, spec, *, width=3: None, "the option 'width' of the encoder 'my-idea' has no annotation"),
        (lambda self, *args: None, r"'\*args' in __init__ of the encoder 'my-idea' does not state options"),
        (lambda self, spec, **rest: None, r"'\*\*rest' in __init__ of the encoder 'my-idea' does not state options"),
    ],
)
def test_an_init_that_states_no_options(init, said):
    with pytest.raises(PluginError, match=said) as fault:
        avelzoo.encoder("my-idea")(class_with(init))
    assert "test_decorators.py, line" in fault.value.where
    assert "Annotated[int" in fault.value.fix
    assert "my-idea" not in default_host().registry.names("encoder")


@pytest.mark.parametrize("name", ["build", "gives", "paper", "kind", "name", "_width"])
def test_an_option_whose_name_means_something_else(name):
    code = f"def init(self, spec, *, {name}: int = 3): ..."
    scope: dict = {}
    exec(code, scope)  # noqa: S102 - a name of an argument that a parameter chooses
    with pytest.raises(PluginError, match=f"the encoder 'my-idea' cannot have an option called '{name}'"):
        avelzoo.encoder("my-idea")(class_with(scope["init"]))


def test_a_package_cannot_have_such_an_option_either():
    class Paper:
        @staticmethod
        @avelzoo.hookimpl
        def avelzoo_register(zoo):
            zoo.encoder("my-idea", make_dataclass("C", [("paper", int, 3)], bases=(MeanPoolConfig,), frozen=True))

    with pytest.raises(PluginError, match="cannot have an option called 'paper'"):
        PluginHost(entry_points=False).add(Paper(), name="papers")


def test_a_class_without_the_methods_of_its_contract():
    with pytest.raises(PluginError, match="the encoder 'my-idea' has no method `forward`") as fault:
        avelzoo.encoder("my-idea")(type("MyIdea", (Encoder,), {}))
    assert fault.value.expected.startswith("def forward(self, audio")


def test_other_faults_of_a_class():
    def bare(self, spec, *, width: int): ...

    def mixed(self, spec, *, width: dict = None): ...  # noqa: RUF013

    def outside(self, spec, *, width: Annotated[int, Bounds(min=1)] = 0): ...

    def unknown(self, spec, *, width: Nowhere = 0): ...  # noqa: F821

    def changing(self, spec, *, width: tuple[int, ...] = []): ...

    def fixed(self, spec, *, width: tuple[int, int] = (1, 2)): ...

    def numbered(self, spec, *, width: Literal[1, 2] = 1): ...

    for init, said in (
        (changing, "the option 'width' of the encoder 'my-idea' has a default that can change"),
        (fixed, "cannot be used: .*'width' is a tuple of fixed length"),
        (numbered, "cannot be used: .*'width' has choices that are no texts"),
        (bare, "the option 'width' of the encoder 'my-idea' has no default"),
        (mixed, "the options of the encoder 'my-idea' cannot be used: .*unsupported type"),
        (outside, "the options of the encoder 'my-idea' cannot be used: .*does not accept 0"),
        (unknown, "an annotation in __init__ of the encoder 'my-idea' cannot be read: .*Nowhere"),
    ):
        with pytest.raises(PluginError, match=said) as fault:
            avelzoo.encoder("my-idea")(class_with(init))
        assert "*, width" in fault.value.found or init in (mixed, outside, unknown, fixed, numbered)
        assert init is not outside or (fault.value.found, fault.value.expected) == ("0 (int)", "int >= 1")
    with pytest.raises(PluginError, match=r"the encoder 'my-idea' is not a subclass of avelzoo.Encoder") as fault:
        avelzoo.encoder("my-idea")(class_with(bare, nn.Module))
    assert fault.value.fix == "derive it: class MyIdea(avelzoo.Encoder)"
    with pytest.raises(PluginError, match="the objective 'my-sum' has no method `terms`"):
        avelzoo.objective("my-sum")(type("Sum", (), {}))
    with pytest.raises(PluginError, match="not in kebab-case"):
        avelzoo.encoder("My Idea")
    with pytest.raises(PluginError, match="is not a class"):
        avelzoo.encoder("my-idea")(bare)
