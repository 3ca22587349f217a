"""Options and citation of CMBS."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo import Bounds, Channel, EncoderConfig, GeneralTerms, HeadConfig, Help, Need, Paper, Supervision, Term
from avelzoo.channels import EVENT_LOGITS, RELEVANCE_LOGITS
from avelzoo_baselines.channels import (
    GATED_STREAMS,
    JOINT_GATE,
    MEAN_GATE,
    STREAM_LOGITS,
    VIDEO_LOGITS,
    VIDEO_PROBABILITIES,
)
from avelzoo_baselines.shared.options import require_divisor

if TYPE_CHECKING:
    from avelzoo import Encoder, FeatureSpec, Head, LossFunction, Widths

PAPER = Paper(
    key="cmbs2022",
    authors="Y. Xia, Z. Zhao",
    title="Cross-Modal Background Suppression for Audio-Visual Event Localization",
    venue="CVPR",
    year=2022,
    doi="10.1109/CVPR52688.2022.01936",
    code="marmot-xy/CMBS",
)
Rate = Bounds(min=0, below=1)
Count = Bounds(min=1)


@dataclass(frozen=True, kw_only=True)
class GatedStreamsConfig(EncoderConfig):
    """Options of encoders with gated streams; the defaults are those of CMBS under full supervision."""

    width: Annotated[int, Help("channels d of all outputs"), Count] = 256
    heads: Annotated[int, Help("attention heads of the relation layers; must divide width"), Count] = 4
    layers: Annotated[int, Help("blocks of each relation encoder"), Count] = 2
    encoder_feedforward: Annotated[int, Help("hidden channels in the relation encoders"), Count] = 1024
    decoder_feedforward: Annotated[int, Help("hidden channels in the relation decoders"), Count] = 1024
    recurrent: Annotated[bool, Help("bidirectional LSTMs before the relation layers")] = True
    audio_hidden: Annotated[int, Help("hidden channels of the audio LSTM, each direction"), Count] = 128
    visual_hidden: Annotated[int, Help("hidden channels of the visual LSTM, each direction"), Count] = 256
    gate_weight: Annotated[float, Help("alpha: weight of the time-level gates"), Bounds(min=0, max=1)] = 0.1
    gate_form: Annotated[
        Literal["add", "mix"], Help("form of gate g: o (1 + alpha g), or (1 - alpha) o + alpha g o")
    ] = "add"
    gate_source: Annotated[
        Literal["other", "own"], Help("source of a stream's gate: other modality, or own modality")
    ] = "other"
    self_weight: Annotated[float, Help("beta: weight of the visual self-attention"), Bounds(min=0)] = 0.4
    attention_width: Annotated[int, Help("width of the attention's comparison space"), Count] = 256
    query_width: Annotated[int, Help("channels of queries and keys in the self-attention"), Count] = 128
    fusion_heads: Annotated[int, Help("attention heads of the interaction; must divide width"), Count] = 4
    dropout: Annotated[float, Help("dropout inside the relation layers"), Rate] = 0.1
    input_dropout: Annotated[float, Help("dropout on the projected visual cells"), Rate] = 0.2
    attention_dropout: Annotated[float, Help("dropout on the self-attention"), Rate] = 0.2
    fusion_dropout: Annotated[float, Help("dropout on the interaction's weights"), Rate] = 0.2
    equal_layers: Annotated[bool, Help("initialise all blocks of a stack with equal weights (public code)")] = False

    def __post_init__(self) -> None:
        """Check that the heads fit."""
        super().__post_init__()
        require_divisor(self.width, heads=self.heads, fusion_heads=self.fusion_heads)

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Gates and gated streams."""
        return GATED_STREAMS


@dataclass(frozen=True, kw_only=True)
class CmbsConfig(GatedStreamsConfig):
    """Cross-modal gated attention, relation layers and time-level background suppression (Xia and Zhao 2022)."""

    paper: ClassVar[str] = "cmbs2022"
    fidelity: ClassVar[str] = "parity"

    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder."""
        from avelzoo_baselines.cmbs.model import Cmbs

        return Cmbs(self, audio_dim=spec.audio_dim, visual_dim=spec.visual_dim)


@dataclass(frozen=True, kw_only=True)
class CmbsHeadConfig(HeadConfig):
    """Double branch with event-level background suppression by the streams' class activations."""

    paper: ClassVar[str] = "cmbs2022"
    supervisions: ClassVar[tuple[Supervision, ...]] = ("full",)
    fidelity: ClassVar[str] = "parity"

    top: Annotated[int, Help("top segments per class in a class activation sequence"), Count] = 4
    stream_weight: Annotated[
        float, Help("gamma: weight of the loss on the streams' class activations"), Bounds(min=0)
    ] = 0.3

    def reads(self, supervision: Supervision) -> frozenset[Need]:
        """Gates and streams."""
        return GATED_STREAMS

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Channels of the double branch and of the objective's further terms."""
        return frozenset({EVENT_LOGITS, RELEVANCE_LOGITS, JOINT_GATE, STREAM_LOGITS})

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Head:
        """The head."""
        from avelzoo_baselines.cmbs.heads import CmbsHead

        return CmbsHead(n=spec.n, width=widths.fused, top=self.top, stream_weight=self.stream_weight)


@dataclass(frozen=True, kw_only=True)
class CmbsWeakHeadConfig(HeadConfig):
    """Weak double branch of CMBS: n+1 classes of the video, suppressed by streams and gates."""

    paper: ClassVar[str] = "cmbs2022"
    supervisions: ClassVar[tuple[Supervision, ...]] = ("weak",)
    fidelity: ClassVar[str] = "parity"

    top: Annotated[int, Help("top segments per class in a class activation sequence"), Count] = 4
    stream_weight: Annotated[
        float, Help("gamma: weight of the loss on the streams' class activations"), Bounds(above=0)
    ] = 0.5
    relevance: Annotated[
        Literal["gate", "squashed-gate"],
        Help("event score: the gate, or its sigmoid, always above 1/2 (public code)"),
    ] = "gate"

    def reads(self, supervision: Supervision) -> frozenset[Need]:
        """Gates and streams."""
        return GATED_STREAMS

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Also the video's logits and probabilities over n+1 categories, and the mean gate."""
        return frozenset({EVENT_LOGITS, RELEVANCE_LOGITS, VIDEO_LOGITS, VIDEO_PROBABILITIES, MEAN_GATE})

    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Head:
        """The head."""
        from avelzoo_baselines.cmbs.heads import CmbsWeakHead

        return CmbsWeakHead(
            n=spec.n,
            width=widths.fused,
            top=self.top,
            stream_weight=self.stream_weight,
            squash=self.relevance == "squashed-gate",
        )


@dataclass(frozen=True, kw_only=True)
class GatedTerms(GeneralTerms, ABC):
    """Base of the objectives of CMBS and CACE-Net: the general terms and CMBS's terms."""

    supervisions: ClassVar[tuple[Supervision, ...]] = ("full",)

    gate: Annotated[float, Help("weight of the joint gate's loss"), Bounds(min=0)] = 1.0
    streams: Annotated[float, Help("weight of the loss on the streams' class activations"), Bounds(min=0)] = 1.0
    gate_loss: Annotated[
        Literal["probability", "logits"],
        Help("binary cross-entropy of the joint gate, or of its sigmoid (public code)"),
    ] = "probability"

    def gated_terms(self) -> tuple[Term, ...]:
        """The general full terms, the joint-gate term and the stream term."""
        gate = Term("gate", self.gate, (JOINT_GATE,), self._gate, ("gate", "gate_loss"), own=True)
        streams = Term("streams", self.streams, (STREAM_LOGITS,), self._streams, ("streams",), own=True)
        return (*self.general_terms("full"), gate, streams)

    def _gate(self, spec: FeatureSpec) -> LossFunction:
        from avelzoo_baselines.cmbs.objective import gate_loss

        return partial(gate_loss, is_logit=self.gate_loss == "logits")

    def _streams(self, spec: FeatureSpec) -> LossFunction:
        from avelzoo_baselines.cmbs.objective import stream_loss

        return stream_loss


@dataclass(frozen=True, kw_only=True)
class CmbsObjectiveConfig(GatedTerms):
    """Fully supervised objective of CMBS: category, relevance, joint gate and class activations of the streams."""

    paper: ClassVar[str] = "cmbs2022"
    fidelity: ClassVar[str] = "parity"

    def terms(self, supervision: Supervision) -> tuple[Term, ...]:
        """The general terms, the joint-gate term and the stream term."""
        return self.gated_terms()
