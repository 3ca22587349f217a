"""Reading the checkpoints of AVEL 2018's public code (YapengTian/AVE-ECCV18)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from avelzoo import AveConfig, PublishedCheckpoint
from avelzoo_baselines.channels import VIDEO_PROBABILITIES
from avelzoo_baselines.shared.attended import PublicStreams, Renames
from avelzoo_baselines.shared.official import RenamedSystem, supervision_of

if TYPE_CHECKING:
    from torch import Tensor

    from avelzoo import FeatureSpec, HeadConfig, HeadOutput, Recipe

_PUBLIC = PublicStreams()


class Ave2018(RenamedSystem):
    """Tian et al. 2018, A+V-att: state dicts of ``models.att_Net`` and ``models_weakly.att_Net``."""

    settings: ClassVar[tuple[str, ...]] = ("full", "weak")
    title: ClassVar[str] = "ave2018"
    renames: ClassVar[Mapping[str, Renames]] = dict.fromkeys(
        ("full", "weak"), (*_PUBLIC.renames, (r"^L1\.", "head.classifier.0."), (r"^L2\.", "head.classifier.2."))
    )
    unused: ClassVar[tuple[str, ...]] = ()
    needed: ClassVar[tuple[str, ...]] = (*_PUBLIC.needed, "L1.weight", "L2.weight")
    terms: ClassVar[Mapping[str, Mapping[str, str]]] = {"full": {}, "weak": {}}

    def spec(self, setting: str, state: Mapping[str, Tensor]) -> FeatureSpec:
        """Sizes of the features the checkpoint was trained on."""
        return _PUBLIC.spec(state, n=state["L2.weight"].shape[0] - 1)

    def sized(self, setting: str, state: Mapping[str, Tensor]) -> Recipe:
        """`avel2018-official` with the checkpoint's sizes."""
        from avelzoo_baselines.avel2018.recipes import avel2018_official
        from avelzoo_baselines.shared.configs import LayeredSingleConfig

        base = avel2018_official(supervision_of(setting))
        assert isinstance(base.head, LayeredSingleConfig)
        return _sized(base, state, head=replace(base.head, hidden=state["L1.weight"].shape[0]))

    def returned(self, setting: str, output: HeadOutput) -> dict[str, Tensor]:
        """Full: probabilities per segment; weak: the video's probabilities and the segments' logits."""
        logits = output.segment_logits
        assert logits is not None
        if setting == "full":
            return {"probs": logits.softmax(dim=-1)}
        return {"video_probs": output[VIDEO_PROBABILITIES], "score": logits}


class Ave2018Dmrn(RenamedSystem):
    """Tian et al. 2018, DMRN: state dicts of ``models_fusion.TBMRF_Net`` with one block."""

    settings: ClassVar[tuple[str, ...]] = ("full",)
    checkpoints: ClassVar[tuple[PublishedCheckpoint, ...]] = (
        PublishedCheckpoint(("full",), "drive.google.com/file/d/1D6M6lnUkS4yby0Y4LODIYAQUR6N_GtaR", "72.7"),
    )
    title: ClassVar[str] = "ave2018dmrn"
    renames: ClassVar[Mapping[str, Renames]] = {
        "full": (
            *_PUBLIC.renames,
            (r"^U_a\.", "encoder.fusion.audio."),
            (r"^U_v\.", "encoder.fusion.visual."),
            (r"^L2\.", "head.classifier."),
        )
    }
    unused: ClassVar[tuple[str, ...]] = ()
    needed: ClassVar[tuple[str, ...]] = (*_PUBLIC.needed, "U_a.0.weight", "L2.weight")
    terms: ClassVar[Mapping[str, Mapping[str, str]]] = {"full": {}}

    def spec(self, setting: str, state: Mapping[str, Tensor]) -> FeatureSpec:
        """Sizes of the features the checkpoint was trained on."""
        return _PUBLIC.spec(state, n=state["L2.weight"].shape[0] - 1)

    def sized(self, setting: str, state: Mapping[str, Tensor]) -> Recipe:
        """`avel2018-dmrn-official` with the checkpoint's sizes."""
        from avelzoo_baselines.avel2018.recipes import avel2018_dmrn_official

        base = avel2018_dmrn_official(supervision_of(setting))
        return _sized(base, state, head=base.head)

    def returned(self, setting: str, output: HeadOutput) -> dict[str, Tensor]:
        """Probabilities per segment."""
        assert output.segment_logits is not None
        return {"probs": output.segment_logits.softmax(dim=-1)}


def _sized(base: Recipe, state: Mapping[str, Tensor], *, head: HeadConfig) -> Recipe:
    encoder = type(base.encoder).from_dict(base.encoder.to_dict() | _PUBLIC.sizes(state))
    return replace(base, dataset=AveConfig(weak_protocol=base.dataset.weak_protocol), encoder=encoder, head=head)
