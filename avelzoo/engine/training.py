"""The training loop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
import torch
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from avelzoo.composition.model import Model
from avelzoo.composition.recipe import Recipe
from avelzoo.contracts import Dataset
from avelzoo.engine import test_curve
from avelzoo.engine.checkpoint import Progress, load_state, save_state, save_weights
from avelzoo.engine.deciding import fit
from avelzoo.engine.diverging import divergence_named, in_epoch
from avelzoo.engine.evaluation import Evaluator, short_scores
from avelzoo.engine.loader import Loader
from avelzoo.engine.losses import Losses, require_finite_weights
from avelzoo.engine.optimization import learning_rates
from avelzoo.engine.order import epoch_batches
from avelzoo.engine.processes import Augment, Processes, Share
from avelzoo.engine.rng import rng_preserved
from avelzoo.engine.run_events import RunEvents
from avelzoo.engine.rundir import RunDir
from avelzoo.system.files import write_lines


@dataclass
class Trainer:
    """Trains a model; saves its best weights and its exact state in a run folder.

    Attributes:
        model: the model on its device.
        average: moving average of the weights, which is evaluated and saved instead of the model; None without.
        optimizer: optimizer of the parameters.
        processes: processes of the run, with device and precision.
        dataset: data set with train, val and test.
        loader: loader of the batches.
        recipe: recipe with the training options.
        folder: run folder of weights, state and metrics.
        events: receives the run's events.
    """

    model: Model
    average: AveragedModel | None
    optimizer: Optimizer
    processes: Processes
    dataset: Dataset
    loader: Loader
    recipe: Recipe
    folder: RunDir
    events: RunEvents

    def __post_init__(self) -> None:
        self.train = self.recipe.train
        self.evaluated = self.model if self.average is None else cast("Model", self.average.module)
        self._learns = any(parameter.requires_grad for parameter in self.model.parameters())
        self._transform = self.recipe.transform.build(self.dataset.spec, self.recipe.supervision)
        size = self.recipe.compute.eval_batch_size
        self._evaluator = Evaluator(self.evaluated, self.dataset, self.loader, self.processes, batch_size=size)
        self._test_curve = test_curve.wanted(self.train, self.dataset)
        self._rates = learning_rates(self.recipe.schedule, self.recipe.optimizer.learning_rate, self.train.epochs)

    def fit(self) -> Progress:
        """Train from the saved state, if any, to the last epoch."""
        progress = self._restored()
        with rng_preserved(self.processes.fabric.device):  # listeners may draw random numbers
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
        progress, generators = load_state(
            self.folder.state,
            self.model,
            self.average,
            self.optimizer,
            self.processes.fabric,
            read=self.processes.read,
        )
        self._publish(progress)
        self.processes.restore(generators)
        return progress

    def _epoch(self, epoch: int, progress: Progress) -> None:
        """Train one epoch (0-based) and evaluate val, which alone selects the best epoch."""
        began = time.perf_counter()
        rate = self._rates[epoch]
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        for model in {self.model: None, self.evaluated: None}:
            model.begin_epoch(epoch, self.train.epochs)
        self.model.train()
        losses = self._train(epoch)
        require_finite_weights(self.model, epoch)
        self.processes.synchronise(self.model)
        if self.average is not None:
            self.processes.synchronise(self.average)
        trained = time.perf_counter()
        truth = self._evaluator.truth("val")
        with self._evaluator.reading() as predictions:
            found = fit(self.evaluated, predictions("val", by_head=True), truth)
            curve = test_curve.measure(self._evaluator, predictions) if self._test_curve else {}
        val = short_scores(found, truth)
        accuracy = val["segment_accuracy"] or 0.0
        if accuracy > progress.best_val:  # the first epoch on ties
            progress.best_val, progress.best_epoch = accuracy, epoch + 1
        line = {"epoch": epoch + 1, "learning_rate": rate} | losses.means() | {"val": val} | curve
        now = time.perf_counter()
        progress.history.append(line | {"train_seconds": trained - began, "seconds": now - began})
        progress.seconds += now - began
        progress.epochs_done = epoch + 1

    def _train(self, epoch: int) -> Losses:
        """Train the steps of one epoch."""
        batches = epoch_batches(len(self.dataset.split("train")), self.recipe.sampler, self.train, epoch)
        losses = Losses(epoch, check_every=1 if self.processes.fabric.device.type == "cpu" else 20)
        augment = None if self._transform is None else partial(self._augment, epoch)
        with self.loader.shares("train", batches, augment) as shares:
            for step, share in enumerate(shares):
                self._step(step, share, batches, losses)
                self.events.step_finished(epoch, step, len(batches))
        losses.check()
        return losses

    def _step(self, step: int, share: Share, batches: Sequence[np.ndarray], losses: Losses) -> None:
        """Process one batch; after the last batch of its group, step the optimizer."""
        size = self.train.accumulate
        group = batches[step - step % size :][:size]
        if step % size == 0:
            self.optimizer.zero_grad()
        replay = partial(self.model, share.batch, share.targets)
        with divergence_named(self.model, f"epoch {losses.epoch + 1}, step {step + 1}", replay, losses.last):
            with self.processes.fabric.autocast():
                out = self.processes.step(self.model, share)
            losses.add(out.loss, out.terms)
            if not self._learns:
                return
            part = len(batches[step]) / sum(map(len, group))  # share of the videos in this optimizer step
            last = step % size == len(group) - 1
            self.processes.backward(self.model, out.loss if part == 1 else part * out.loss, last=last)
            if last:
                self._optimize()

    def _augment(self, epoch: int, step: int) -> Augment:
        """The transform with the generator of this step, the same in every process and after resuming."""
        assert self._transform is not None
        seed = np.random.SeedSequence([self.train.seed, epoch, step]).generate_state(1, np.uint64)[0]
        return partial(self._transform, generator=torch.Generator().manual_seed(int(seed)))

    def _optimize(self) -> None:
        """Step the optimizer and update the moving average."""
        if self.train.clip_norm is not None:
            self.processes.fabric.clip_gradients(self.optimizer, self.train.clip_norm)
        self.processes.fabric.step(self.optimizer)
        if self.average is not None:
            self.average.update_parameters(self.model)

    def _keep(self, progress: Progress) -> None:
        """Save the state, then the files derived from it; a kill loses at most the current epoch."""
        generators = self.processes.generators()
        if self.processes.first:
            save_state(
                self.folder.state,
                self.model,
                self.average,
                self.optimizer,
                fabric=self.processes.fabric,
                generators=generators,
                progress=progress,
            )
        self._publish(progress)

    def _publish(self, progress: Progress) -> None:
        """Update the other files from the state. Repeated on resuming, in case a kill came in between."""
        if not self.processes.first:
            return
        if progress.best_epoch == progress.epochs_done:
            save_weights(self.folder.best, self.evaluated, epoch=progress.best_epoch)
        write_lines(self.folder.metrics, progress.history)
