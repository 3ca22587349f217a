"""Reading state dicts of public code that differ from avelzoo's in names alone."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from avelzoo import AVE_CATEGORIES, OfficialSystem, RunError, UsageError, build, gradient_norms, load_renamed

if TYPE_CHECKING:
    from torch import Tensor

    from avelzoo import Batch, FeatureSpec, HeadOutput, Model, Recipe, Supervision, Targets


class RenamedSystem(OfficialSystem):
    """A system whose parameters are avelzoo's under other names.

    Attributes:
        title: the system in messages.
        renames: by setting, (pattern, replacement) pairs, all applied in order to every key.
        unused: patterns of keys that the public code registers but never uses; they are accepted and ignored.
        needed: keys that sizes are read off.
        terms: by setting, the public code's losses -> avelzoo's terms.
        initial: avelzoo's entries that no checkpoint holds and that start as they are built.
    """

    title: ClassVar[str]
    renames: ClassVar[Mapping[str, tuple[tuple[str, str], ...]]]
    unused: ClassVar[tuple[str, ...]]
    needed: ClassVar[tuple[str, ...]]
    terms: ClassVar[Mapping[str, Mapping[str, str]]]
    initial: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def spec(self, setting: str, state: Mapping[str, Tensor]) -> FeatureSpec:
        """Sizes of the features the checkpoint was trained on."""

    @abstractmethod
    def sized(self, setting: str, state: Mapping[str, Tensor]) -> Recipe:
        """The composition that computes the same as the public code; the required keys are present."""

    @abstractmethod
    def returned(self, setting: str, output: HeadOutput) -> dict[str, Tensor]:
        """Outputs of the public forward pass, in its layout."""

    def evaluated(self, model: Model, setting: str, batch: Batch) -> dict[str, Tensor]:
        """Further arrays of evaluation mode."""
        return {}

    def recipe(self, setting: str, state: Mapping[str, Tensor]) -> Recipe:
        """The official recipe with the checkpoint's sizes."""
        missing = [key for key in self.needed if key not in state]
        if missing:
            raise RunError(
                f"this is not a checkpoint of {self.title}'s public code",
                found=f"{len(state)} entries, such as {', '.join(list(state)[:3]) or 'none'}",
                expected="entries " + ", ".join(missing),
                fix="name the system and the setting of the checkpoint",
            )
        return self.sized(setting, state)

    def own(self, setting: str, key: str) -> str | None:
        """avelzoo's name of a public key; None for one that nothing uses."""
        if any(re.search(pattern, key) for pattern in self.unused):
            return None
        for pattern, replacement in self.renames[setting]:
            key = re.sub(pattern, replacement, key)
        return key

    def load(self, setting: str, state: Mapping[str, Tensor]) -> Model:
        """The model of `recipe` with the checkpoint's weights, rounded to float32."""
        model = build(self.recipe(setting, state), self.spec(setting, state))
        renamed = {own: value for key, value in state.items() if (own := self.own(setting, key)) is not None}
        renamed |= {key: value for key, value in model.state_dict().items() if key in self.initial}
        load_renamed(model, renamed, origin=f"{self.title} ({setting})")
        return model

    def outputs(
        self, setting: str, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor], mode: str
    ) -> dict[str, Tensor]:
        """``eval``: the forward's values and decoded labels; ``train0``: without dropout, with losses and gradients."""
        import torch

        from avelzoo import without_dropout

        if mode not in ("eval", "train0"):
            raise UsageError(f"{self.title} ({setting}) has no mode '{mode}'", expected="eval or train0")
        model = self.load(setting, state)
        batch = batch_from(inputs)
        if mode == "eval":
            model.eval()
            with torch.no_grad():
                output = model.predict(batch, None)
                values = self.returned(setting, output) | self.evaluated(model, setting, batch)
                return values | {"pred": model.head.decode(output).segments}
        without_dropout(model.train())
        step = model(batch, targets_from(inputs["labels"]))
        step.loss.backward()
        values = self.returned(setting, step.output)
        values |= {public: step.terms[own] for public, own in self.terms[setting].items()} | {"loss_total": step.loss}
        named = dict(model.named_parameters())
        parameters = {key: named[own] if (own := self.own(setting, key)) else torch.zeros(()) for key in state}
        return {key: value.detach() for key, value in values.items()} | {"grad_norm": gradient_norms(parameters)}


def batch_from(inputs: Mapping[str, Tensor]) -> Batch:
    """Audio and visual features of the public inputs, as float32."""
    import torch

    from avelzoo import Batch

    audio = inputs["audio"].float()
    return Batch(audio=audio, visual=inputs["visual"].float(), rows=torch.arange(audio.shape[0]))


def targets_from(labels: Tensor) -> Targets:
    """Targets from public label arrays: segments (b t n+1) or videos (b n+1), background last."""
    from avelzoo import Targets

    n = labels.shape[-1] - 1
    known = labels[..., :n].float()
    if labels.dim() == 3:
        # Under full supervision the public code takes a video's largest category, 0 where it has none.
        event = known.argmax(dim=-1).amax(dim=1)
        return Targets(event=event, presence=known.amax(dim=(1, 2)), segments=labels.argmax(dim=-1), background=n)
    event = known.argmax(dim=-1).where(known.sum(dim=-1) > 0, n)
    return Targets(event=event, presence=1 - labels[:, n].float(), segments=None, background=n)


def supervision_of(setting: str) -> Supervision:
    """The supervision a setting's name stands for."""
    return "full" if setting == "full" else "weak"


def category_names(n: int) -> tuple[str, ...]:
    """AVE's categories if their number fits, else numbers."""
    return AVE_CATEGORIES if n == len(AVE_CATEGORIES) else tuple(f"category {k}" for k in range(n))
