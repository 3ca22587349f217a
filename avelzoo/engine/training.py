"""The loop over epochs."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch.optim import Optimizer

from avelzoo.contracts import Dataset, Split
from avelzoo.engine.checkpoint import Progress, load_state, save_state, save_weights
from avelzoo.engine.evaluation import FEATURE_TYPE, answers, quick_accuracy, truth_of
from avelzoo.engine.files import append_line
from avelzoo.engine.optimization import learning_rate
from avelzoo.engine.order import epoch_batches
from avelzoo.engine.progress import Watcher
from avelzoo.engine.rundir import RunDir
from avelzoo.errors import TrainingError
from avelzoo.model import Model, StepOutput
from avelzoo.recipe import TrainConfig


@dataclass
class Trainer:
    """Trains a model and keeps its best epoch and its exact state in a run folder.

    Attributes:
        model: on its device already.
        optimizer: of its parameters, prepared by the fabric.
        fabric: device and precision.
        dataset: train, val and test.
        train: budget, schedule, order.
        folder: where best weights, state and metrics go.
        watcher: is told how it goes.
    """

    model: Model
    optimizer: Optimizer
    fabric: Fabric
    dataset: Dataset
    train: TrainConfig
    folder: RunDir
    watcher: Watcher

    def fit(self, *, resume: bool) -> Progress:
        """Train from the start, or from the saved state, to the last epoch."""
        progress = Progress()
        if resume and self.folder.state.exists():
            progress = load_state(self.folder.state, self.model, self.optimizer)
        self.folder.keep_epochs(progress.epochs_done)
        splits = {name: self.dataset.split(name) for name in ("train", "val", "test")}
        self.watcher.begin(self.train.epochs, progress.epochs_done)
        for epoch in range(progress.epochs_done, self.train.epochs):
            self._epoch(epoch, splits, progress)
        return progress

    def _epoch(self, epoch: int, splits: dict[str, Split], progress: Progress) -> None:
        """One epoch: train, look at val, keep what is best, save the state last.

        A kill before the state is saved repeats the epoch from the state before it, to the same numbers.
        """
        began = time.perf_counter()
        rate = learning_rate(self.train, epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.model.begin_epoch(epoch, self.train.epochs)
        self.model.train()
        terms, loss, steps = self._train(epoch, splits["train"])
        val = self._accuracy(splits["val"])
        test = self._accuracy(splits["test"])
        best = val > progress.best_val
        if best:
            progress.best_val, progress.best_epoch = val, epoch + 1
            save_weights(self.folder.best, self.model)
        progress.best_test = max(progress.best_test, test)
        progress.epochs_done = epoch + 1
        seconds = time.perf_counter() - began
        progress.seconds += seconds
        line = {
            "epoch": epoch + 1,
            "loss": loss,
            "terms": terms,
            "learning_rate": rate,
            "steps": steps,
            "val_segment_accuracy": val,
            "test_segment_accuracy": test,
            "seconds": seconds,
        }
        append_line(self.folder.metrics, line)
        save_state(self.folder.state, self.model, self.optimizer, progress)
        self.watcher.epoch(epoch, val, best)

    def _train(self, epoch: int, split: Split) -> tuple[dict[str, float], float, int]:
        """Steps of one epoch; mean terms, mean loss, number of steps."""
        batches = epoch_batches(len(split), self.train, epoch)
        sums: dict[str, float] = defaultdict(float)
        for step, indices in enumerate(batches):
            batch, targets = split.fetch(indices)
            dtype = FEATURE_TYPE.get(self.train.precision)
            batch, targets = batch.to(self.fabric.device, dtype=dtype), targets.to(self.fabric.device, dtype=dtype)
            self.optimizer.zero_grad()
            with self.fabric.autocast():
                out: StepOutput = self.model(batch, targets)
            loss = float(out.loss.detach())
            self._require_finite(out, loss, epoch, step)
            self.fabric.backward(out.loss)
            if self.train.clip_norm is not None:
                torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.train.clip_norm)
            self.optimizer.step()
            sums["loss"] += loss
            for name, value in out.terms.items():
                sums[f"term {name}"] += float(value.detach())
            self.watcher.step(epoch, step, len(batches), loss)
        means = {name: value / len(batches) for name, value in sums.items()}
        terms = {name.removeprefix("term "): value for name, value in means.items() if name.startswith("term ")}
        return terms, means["loss"], len(batches)

    def _accuracy(self, split: Split) -> float:
        """Segment accuracy on a split. Test's is kept for the optimism gap and chooses nothing."""
        found = answers(
            self.model,
            split,
            self.fabric,
            batch_size=self.train.eval_batch_size,
            precision=self.train.precision,
        )
        return quick_accuracy(found, truth_of(self.dataset, split))

    def _require_finite(self, out: StepOutput, loss: float, epoch: int, step: int) -> None:
        if loss - loss == 0:  # false for infinities and for what is no number
            return
        values = ", ".join(f"{name} {float(value.detach()):.4g}" for name, value in out.terms.items())
        raise TrainingError(
            "the loss is not finite",
            where=f"epoch {epoch + 1}, step {step + 1}",
            found=f"loss {loss}; {values}",
            fix="lower train.learning_rate, set train.clip_norm, or check the features with `avelzoo data doctor`",
        )
