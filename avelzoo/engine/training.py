"""The loop over epochs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
import torch
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from avelzoo.composition.model import Model
from avelzoo.composition.recipe import Recipe
from avelzoo.contracts import Dataset, Split
from avelzoo.engine import test_curve as optimism
from avelzoo.engine.checkpoint import Progress, load_state, save_state, save_weights
from avelzoo.engine.deciding import tune
from avelzoo.engine.diverging import divergence_named, in_epoch
from avelzoo.engine.evaluation import answers, short_scores, truth_of
from avelzoo.engine.losses import Losses, require_finite_weights
from avelzoo.engine.optimization import learning_rates
from avelzoo.engine.order import epoch_batches
from avelzoo.engine.processes import Augment, Processes
from avelzoo.engine.rng import rng_preserved
from avelzoo.engine.run_events import RunEvents
from avelzoo.engine.rundir import RunDir
from avelzoo.system.files import write_lines


@dataclass
class Trainer:
    """Trains a model and keeps its best epoch and its exact state in a run folder.

    Attributes:
        model: on its device already.
        average: the moving average of its weights, which is evaluated and saved in its place; None without.
        optimizer: of its parameters, prepared by the fabric.
        processes: who works on it, on which device and in which precision.
        dataset: train, val and test.
        recipe: how to train.
        folder: where best weights, state and metrics go.
        events: hears how it goes.
    """

    model: Model
    average: AveragedModel | None
    optimizer: Optimizer
    processes: Processes
    dataset: Dataset
    recipe: Recipe
    folder: RunDir
    events: RunEvents

    def __post_init__(self) -> None:
        self.train = self.recipe.train
        self.evaluated = self.model if self.average is None else cast("Model", self.average.module)
        self._transform = self.recipe.transform.build(self.dataset.spec, self.recipe.supervision)
        self._rates = learning_rates(self.recipe.schedule, self.recipe.optimizer.learning_rate, self.train.epochs)

    def fit(self) -> Progress:
        """Train from the saved state, or from the start where there is none, to the last epoch."""
        progress = self._restored()
        with rng_preserved(self.processes.fabric.device):  # a listener may draw random numbers, in a resumed run too
            self.events.run_started(progress.epochs_done)
        for epoch in range(progress.epochs_done, self.train.epochs):
            if self.train.patience and progress.epochs_done - progress.best_epoch >= self.train.patience:
                break
            with in_epoch(epoch):
                self._epoch(epoch, progress)
            self._keep(progress)
            with rng_preserved(self.processes.fabric.device):
                self.events.epoch_finished(epoch, progress.history[-1], progress.best_epoch == epoch + 1)
        return progress

    def _restored(self) -> Progress:
        if not self.processes.broadcast_object(self.folder.state.exists()):
            return Progress()
        precision = self.processes.fabric.strategy.precision
        progress, generators = load_state(
            self.folder.state, self.model, self.average, self.optimizer, precision, read=self.processes.read
        )
        self._publish(progress)
        self.processes.restore(generators)
        return progress

    def _epoch(self, epoch: int, progress: Progress) -> None:
        """Train for one 0-based epoch, look at val, and judge by that alone."""
        began = time.perf_counter()
        rate = self._rates[epoch]
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        for model in {self.model: None, self.evaluated: None}:
            model.begin_epoch(epoch, self.train.epochs)
        self.model.train()
        losses = self._train(epoch, self.dataset.split("train"))
        require_finite_weights(self.model, epoch)
        self.processes.synchronise(self.model)
        if self.average is not None:
            self.processes.synchronise(self.average)
        trained = time.perf_counter()
        split = self.dataset.split("val")
        truth = truth_of(self.dataset.spec, split)
        found = tune(
            self.evaluated.head.decision, answers(self.evaluated, split, self.processes, self.recipe.compute), truth
        )
        val = short_scores(found, truth)
        accuracy = val["segment_accuracy"] or 0.0
        if accuracy > progress.best_val:  # the first one, on ties
            progress.best_val, progress.best_epoch = accuracy, epoch + 1
        line = {"epoch": epoch + 1, "learning_rate": rate} | losses.means() | {"val": val}
        line |= optimism.look(self.evaluated, self.dataset, self.processes, self.recipe.compute)
        now = time.perf_counter()
        progress.history.append(line | {"train_seconds": trained - began, "seconds": now - began})
        progress.seconds += now - began
        progress.epochs_done = epoch + 1

    def _train(self, epoch: int, split: Split) -> Losses:
        """The steps of one epoch."""
        batches = epoch_batches(len(split), self.recipe.sampler, self.train, epoch)
        fabric, size = self.processes.fabric, self.train.accumulate
        losses = Losses(epoch, check_every=1 if fabric.device.type == "cpu" else 20)
        for step, indices in enumerate(batches):
            share = self.processes.fetch(split, indices, self._augment(epoch, step))
            group = batches[step - step % size :][:size]
            if step % size == 0:
                self.optimizer.zero_grad()
            where, replay = f"epoch {epoch + 1}, step {step + 1}", partial(self.model, share.batch, share.targets)
            with divergence_named(self.model, where, replay, losses.last):
                with fabric.autocast():
                    out = self.processes.step(self.model, share)
                losses.add(out.loss, out.terms)
                part = len(indices) / sum(map(len, group))  # of the videos that make up this optimizer step
                last = step % size == len(group) - 1
                self.processes.backward(self.model, out.loss if part == 1 else part * out.loss, last=last)
                if last:
                    self._optimize()
            self.events.step_finished(epoch, step, len(batches))
        losses.check()
        return losses

    def _augment(self, epoch: int, step: int) -> Augment | None:
        """The transform with a generator of this step, the same in every process and in a resumed run."""
        if self._transform is None:
            return None
        seed = np.random.SeedSequence([self.train.seed, epoch, step]).generate_state(1, np.uint64)[0]
        return partial(self._transform, generator=torch.Generator().manual_seed(int(seed)))

    def _optimize(self) -> None:
        """One step of the optimizer, and of the average."""
        if self.train.clip_norm is not None:
            self.processes.fabric.clip_gradients(
                self.model, self.optimizer, max_norm=self.train.clip_norm, error_if_nonfinite=False
            )
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.model)

    def _keep(self, progress: Progress) -> None:
        """Save the state, then all that follows from it: a kill at any moment loses at most the running epoch."""
        generators = self.processes.generators()
        if self.processes.first:
            save_state(
                self.folder.state,
                self.model,
                self.average,
                self.optimizer,
                precision=self.processes.fabric.strategy.precision,
                generators=generators,
                progress=progress,
            )
        self._publish(progress)

    def _publish(self, progress: Progress) -> None:
        """Bring the other files in line with the state. Done again on resuming, as a kill may have come between."""
        if not self.processes.first:
            return
        if progress.best_epoch == progress.epochs_done:
            save_weights(self.folder.best, self.evaluated, epoch=progress.best_epoch)
        write_lines(self.folder.metrics, progress.history)
