"""The two that are compared, behind one face: a training step, an evaluation, their arithmetic."""

from __future__ import annotations

from typing import Protocol, cast

import numpy as np
import torch

from avelzoo import Dataset, Model, build
from avelzoo.builtin.ge2023.official import Ge2023
from avelzoo.engine.device import make_fabric
from avelzoo.engine.evaluation import Evaluator
from avelzoo.engine.loader import Loader
from avelzoo.engine.processes import SingleProcess
from avelzoo.profiling.flops import count_flops
from bench.plain import Layout, autocast
from bench.reference import BUFFERS, Reference
from bench.sizes import Sizes, Videos, full_bank


class Subject(Protocol):
    """What is timed."""

    def step(self, videos: Videos, indices: np.ndarray) -> float:
        """A training step on these videos; its loss."""
        ...

    def evaluate(self, videos: Videos) -> np.ndarray:
        """Segment ids of all videos."""
        ...

    def fill(self, sizes: Sizes) -> None:
        """Fill the bank."""
        ...


class Plain:
    """The reference.

    Args:
        sizes: of everything.
        precision: ``32``, or ``bf16-mixed`` by `torch.autocast`.
        seed: of the initial weights.
        layout: of the transformer layers.
        every_batch: encode the bank in every batch of an evaluation, as the public code does.
    """

    def __init__(
        self,
        sizes: Sizes,
        precision: str = "32",
        seed: int = 0,
        layout: Layout = "attention",
        *,
        every_batch: bool = False,
    ) -> None:
        torch.manual_seed(seed)
        self.model = Reference(sizes, layout)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=3e-4, fused=True)
        self.batch_size, self.precision, self.every_batch = sizes.batch, precision, every_batch

    def fill(self, sizes: Sizes) -> None:
        """Fill the bank."""
        for name, value in full_bank(sizes).items():
            if name != "relevance":
                self.model.get_buffer(name).copy_(value)

    def step(self, videos: Videos, indices: np.ndarray) -> float:
        """As everybody writes it."""
        self.model.train()
        self.optimizer.zero_grad()
        with autocast(self.precision):
            loss = self.model(*videos.fetch(indices))
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())

    @torch.inference_mode()
    def evaluate(self, videos: Videos) -> np.ndarray:
        """Batch after batch."""
        self.model.eval()
        found = []
        with autocast(self.precision):
            items = self.model.bank()
            for start in range(0, len(videos), self.batch_size):
                batch, _ = videos.fetch(np.arange(start, min(start + self.batch_size, len(videos))))
                found.append(self.model.answer(batch, self.model.bank() if self.every_batch and start else items))
        ids: np.ndarray = torch.cat(found).numpy()
        return ids


class Ours:
    """avelzoo's model under avelzoo's engine, with the reference's initial weights.

    Args:
        sizes: of everything.
        precision: as in `ComputeConfig`.
        seed: of the initial weights.
    """

    def __init__(self, sizes: Sizes, precision: str = "32", seed: int = 0) -> None:
        recipe = sizes.recipe(precision)
        self.model = build(recipe, sizes.spec)
        torch.manual_seed(seed)
        copy_weights(Reference(sizes), self.model)  # not `Plain`: its optimizer loads PyTorch's compiler, 70 MiB
        self.compute = recipe.compute
        fabric = make_fabric("cpu", precision)
        fabric.setup_module(self.model)
        self.optimizer = recipe.optimizer.build(self.model.parameters())
        self.processes = SingleProcess(fabric, precision)

    def fill(self, sizes: Sizes) -> None:
        """Fill the bank."""
        for name, value in full_bank(sizes).items():
            self.model.memory.get_buffer(f"slots.{name}").copy_(value)

    def step(self, videos: Videos, indices: np.ndarray) -> float:
        """As `avelzoo.engine.training` does it."""
        self.model.train()
        share = self.processes.fetch(videos, indices)
        self.optimizer.zero_grad()
        with self.processes.fabric.autocast():
            loss = self.processes.step(self.model, share).loss
        self.processes.backward(self.model, loss)
        self.optimizer.step()
        return float(loss.detach())

    def evaluate(self, videos: Videos) -> np.ndarray:
        """The engine's evaluation."""
        loader = Loader({videos.name: videos}, self.processes, workers=0)
        size = self.compute.eval_batch_size
        evaluator = Evaluator(self.model, OneSplit(videos), loader, self.processes, batch_size=size)
        with evaluator.reading() as predictions:
            found: np.ndarray = predictions(videos.name).segments
        return found


class OneSplit(Dataset):
    """Videos as a data set."""

    def __init__(self, videos: Videos) -> None:
        self.spec = videos.spec
        self._videos = videos

    def split(self, name: str) -> Videos:
        """The videos."""
        return self._videos


def copy_weights(reference: Reference, model: Model) -> None:
    """Give avelzoo's model the reference's parameters and bank: the names are the public code's."""
    rename = Ge2023().rename
    own = model.state_dict()
    given = {}
    for key, value in reference.state_dict().items():
        name = f"memory.slots.{key}" if key in BUFFERS else rename(key)
        assert own[name].shape == value.shape, name
        given[name] = value
    kept = {name: own[name] for name in ("head.decision.scale", "head.decision.tuned")}
    missing = set(own) - set(given) - set(kept)
    assert not missing, missing
    model.load_state_dict(given | kept)


def make(name: str, sizes: Sizes, precision: str = "32", seed: int = 0) -> Plain | Ours:
    """A subject by name: ``avelzoo``; ``reference``, with a layout or ``every-batch`` after a colon."""
    if name == "avelzoo":
        return Ours(sizes, precision, seed)
    variant = name.partition(":")[2]
    if variant == "every-batch":
        return Plain(sizes, precision, seed, every_batch=True)
    return Plain(sizes, precision, seed, cast("Layout", variant or "attention"))


def arithmetic(subject: Subject, videos: Videos, batch: int, *, evaluate: bool) -> int:
    """Floating-point operations of a step or an evaluation: those of matrix products, convolutions and attention."""
    return count_flops(lambda: subject.evaluate(videos) if evaluate else subject.step(videos, np.arange(batch)))
