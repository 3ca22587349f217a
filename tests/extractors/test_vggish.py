"""VGGish with random weights in the layout of the common port."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from avelzoo.builtin.extractors.audio_configs import VGGISH, VggishConfig
from avelzoo.builtin.extractors.front_ends import FramedLogMel
from avelzoo.builtin.extractors.vggish import Vggish
from avelzoo.errors import DataError
from avelzoo.extractors import recipe_id
from avelzoo.testing import checks_for
from avelzoo.weights.store import WeightStore
from tests.extractors.audio_networks import Weights, convolved, pooled, random_state, sine

SHAPES = {
    "features.0": (64, 1, 3, 3),
    "features.3": (128, 64, 3, 3),
    "features.6": (256, 128, 3, 3),
    "features.8": (256, 256, 3, 3),
    "features.11": (512, 256, 3, 3),
    "features.13": (512, 512, 3, 3),
    "embeddings.0": (4096, 12288),
    "embeddings.2": (4096, 4096),
    "embeddings.4": (128, 4096),
}
OFFLINE = WeightStore(offline=True)


@pytest.fixture(scope="module")
def state():
    with torch.device("meta"):
        network = Vggish()
    return random_state(network)


@pytest.fixture(scope="module")
def file(state, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("vggish") / VGGISH.file
    torch.save(state, path)
    return path


@pytest.fixture(scope="module")
def extractor(file):
    return VggishConfig(checkpoint=file).build(OFFLINE)


def reference(state, example: np.ndarray, *, relu: bool = True) -> np.ndarray:
    """Embedding of an example (96 64) in float64, layer by layer."""
    w = Weights(state)
    maps = example[None].astype(float)
    for number, pool in ((0, True), (3, True), (6, False), (8, True), (11, False), (13, True)):
        maps = np.maximum(0, convolved(maps, w[f"features.{number}.weight"], w[f"features.{number}.bias"]))
        maps = pooled(maps, np.max) if pool else maps
    assert maps.shape == (512, 6, 4)
    values = np.array([maps[c, t, f] for t in range(6) for f in range(4) for c in range(512)])
    for number in (0, 2, 4):
        values = w[f"embeddings.{number}.weight"] @ values + w[f"embeddings.{number}.bias"]
        values = np.maximum(0, values) if relu or number < 4 else values
    return values


def test_names_and_shapes_are_those_of_the_port(state):
    wanted = {f"{name}.weight": shape for name, shape in SHAPES.items()}
    wanted |= {f"{name}.bias": shape[:1] for name, shape in SHAPES.items()}
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == wanted
    assert sum(tensor.numel() for tensor in state.values()) == 72_141_184


@pytest.mark.parametrize("relu", [True, False])
def test_embedding_is_that_of_the_reference(state, file, extractor, relu):
    """Flattening in the order time, mel, channel is the trap of porting."""
    waves = sine(2, 16000)
    examples = FramedLogMel(offset=0.01)(torch.from_numpy(waves))[:, :96].numpy()
    expected = np.stack([reference(state, example, relu=relu) for example in examples])
    used = extractor if relu else VggishConfig(checkpoint=file, relu=False).build(OFFLINE)
    found = used.features(waves)
    assert found == pytest.approx(expected, abs=1e-4 * np.abs(expected).max())
    assert bool((found >= 0).all()) is relu


def test_recipe_says_what_changes_the_numbers(file, extractor):
    recipe = extractor.recipe
    assert recipe["encoder"] == "vggish"
    assert recipe["log"] == "ln(x + 0.01)"
    assert len(recipe["weights"]) == 64
    other = VggishConfig(checkpoint=file, relu=False).build(OFFLINE)
    assert recipe_id(other.recipe) != recipe_id(recipe)


def test_shapes_of_any_number_and_length(extractor):
    assert extractor.features(np.zeros((0, 16000), np.float32)).shape == (0, 128)
    assert extractor.features(np.zeros((1, 1), np.float32)).shape == (1, 128)
    short = sine(1, 9000)
    assert np.array_equal(extractor.features(short), extractor.features(np.pad(short, ((0, 0), (0, 6600)))))


def test_bfloat16_is_close(file, extractor):
    rough = VggishConfig(checkpoint=file).build(OFFLINE, precision="bf16")
    exact, found = extractor.features(sine(2, 16000)), rough.features(sine(2, 16000))
    assert found.dtype == np.float32
    assert 0 < np.linalg.norm(found - exact) < 0.05 * np.linalg.norm(exact)


def test_files_with_a_postprocessor_or_a_wrapper_load(state, tmp_path, extractor):
    beside = {"pproc.pca_eigen_vectors": torch.zeros(128, 128), "pproc.pca_means": torch.zeros(128, 1)}
    path = tmp_path / "with_pca.pth"
    torch.save({"state_dict": {f"module.{name}": tensor for name, tensor in (state | beside).items()}}, path)
    found = VggishConfig(checkpoint=path).build(OFFLINE).features(sine(1, 16000))
    assert np.array_equal(found, extractor.features(sine(1, 16000)))


def test_conformance(file):
    for check in checks_for("extractor"):
        check(VggishConfig(checkpoint=file))


def without(state, name):
    return {key: tensor for key, tensor in state.items() if key != name}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: without(s, "features.13.bias"), "missing: features.13.bias"),
        (lambda s: s | {"fc.weight": torch.zeros(1)}, "not expected: fc.weight"),
        (lambda s: s | {"features.0.bias": torch.zeros(32)}, "features.0.bias (32,), not (64,)"),
    ],
)
def test_weights_of_another_network_are_refused(state, tmp_path, change, said):
    path = tmp_path / "other.pth"
    small = {name: torch.zeros(()).expand(tensor.shape) for name, tensor in state.items()}
    torch.save(change(small), path)
    with pytest.raises(DataError, match="not those of VGGish") as caught:
        VggishConfig(checkpoint=path).build(OFFLINE)
    assert caught.value.where == str(path)
    assert said in caught.value.found


def test_weights_that_are_not_numbers_are_refused(state, tmp_path):
    path = tmp_path / "diverged.pth"
    small = {name: torch.zeros(()).expand(tensor.shape) for name, tensor in state.items()}
    torch.save(small | {"features.3.bias": torch.full((128,), torch.nan)}, path)
    with pytest.raises(DataError, match="not finite") as caught:
        VggishConfig(checkpoint=path).build(OFFLINE)
    assert "features.3.bias" in caught.value.found


@pytest.mark.parametrize(
    "content", [b"", b"<!DOCTYPE html><html>Sign in</html>", b"version https://git-lfs.github.com/spec/v1\n", b"x" * 99]
)
def test_files_that_are_no_weights_are_refused(tmp_path, content):
    path = tmp_path / "vggish.pt"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        VggishConfig(checkpoint=path).build(OFFLINE)
    assert caught.value.where == str(path)


def test_half_a_file_is_refused(file, tmp_path):
    path = tmp_path / "half.pth"
    path.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(DataError) as caught:
        VggishConfig(checkpoint=path).build(OFFLINE)
    assert caught.value.where == str(path)


def test_missing_weights_say_where_they_must_lie(tmp_path):
    with pytest.raises(DataError, match="missing") as caught:
        VggishConfig().build(WeightStore(tmp_path, offline=True))
    assert caught.value.where == str(tmp_path / VGGISH.file)
    with pytest.raises(DataError, match="missing") as caught:
        VggishConfig(checkpoint=tmp_path / "no.pth").build(OFFLINE)
    assert caught.value.where == str(tmp_path / "no.pth")


def test_the_name_of_a_config_with_its_own_file_needs_no_published_one(file):
    assert VggishConfig(checkpoint=file).weights() == ()
    assert replace(VggishConfig(checkpoint=file), checkpoint=None).weights() == (VGGISH,)
