"""A real network on real pictures: EfficientNet-Lite0 from its package."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from avelzoo.builtin.extractors.timm_network import load_network
from avelzoo.builtin.extractors.visual_configs import LITE0, TimmConfig
from tests.extractors.visual import OFFLINE

pytestmark = pytest.mark.skipif(
    OFFLINE.status(LITE0).state != "present", reason=f"needs the package {LITE0.package} (--no-deps)"
)


@pytest.fixture(scope="module")
def extractor():
    return TimmConfig(frames=1).build(OFFLINE)


def photograph(package: str, member: str) -> np.ndarray:
    """A sample picture inside an installed package, squashed to the network's input."""
    try:
        path = Path(str(metadata.distribution(package).locate_file(member)))
    except metadata.PackageNotFoundError:
        pytest.skip(f"needs the package {package}")
    return np.array(Image.open(path).convert("RGB").resize((224, 224), Image.Resampling.BICUBIC))


def best(extractor, picture: np.ndarray) -> tuple[str, float]:
    scores = extractor.class_scores(extractor.features(picture[None, None]))[0]
    return extractor.classes[scores.argmax()], float(scores.max())


def test_a_portrait_in_uniform(extractor):
    picture = photograph("matplotlib", "matplotlib/mpl-data/sample_data/grace_hopper.jpg")
    name, score = best(extractor, picture)
    assert name == "military uniform"
    assert score == pytest.approx(0.46, abs=0.02)


def test_a_flower(extractor):
    assert best(extractor, photograph("scikit-learn", "sklearn/datasets/images/flower.jpg"))[0] == "daisy"


def test_a_temple(extractor):
    name, _ = best(extractor, photograph("scikit-learn", "sklearn/datasets/images/china.jpg"))
    assert name in {"bell cote, bell cot", "boathouse", "monastery"}


def test_every_tensor_is_loaded():
    path = OFFLINE(LITE0)
    given = list(torch.load(path, weights_only=True).values())
    loaded = list(load_network("tf_efficientnet_lite0", path).state_dict().values())
    assert len(given) == 296
    assert all(map(torch.equal, given, loaded))


def test_the_other_padding_gives_other_answers(extractor):
    """The variant without TensorFlow's padding fits the shapes and is wrong."""
    picture = photograph("matplotlib", "matplotlib/mpl-data/sample_data/grace_hopper.jpg")
    state = load_network("tf_efficientnet_lite0", OFFLINE(LITE0)).state_dict()
    wrong = timm.create_model("efficientnet_lite0").eval()
    wrong.load_state_dict(state)
    x = (torch.from_numpy(picture).permute(2, 0, 1)[None].float() - 127) / 128
    with torch.inference_mode():
        assert float(wrong(x).softmax(-1).max()) < best(extractor, picture)[1] - 0.05


def test_a_mean_of_frames_has_the_mean_logits():
    extractor = TimmConfig(frames=2).build(OFFLINE)
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (1, 2, 224, 224, 3), dtype=np.uint8)
    network = load_network("tf_efficientnet_lite0", OFFLINE(LITE0))
    with torch.inference_mode():
        logits = network((torch.from_numpy(frames[0]).permute(0, 3, 1, 2).float() - 127) / 128)
    scores = extractor.class_scores(extractor.features(frames))
    assert np.allclose(scores[0], logits.mean(0).softmax(0).numpy(), atol=1e-6)
