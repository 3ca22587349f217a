"""CNN14 with random weights in the layout of the public code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from avelzoo.builtin.extractors.audio_configs import Cnn14Config
from avelzoo.builtin.extractors.cnn14 import VARIANTS, Cnn14
from avelzoo.builtin.extractors.front_ends import CentredLogMel
from avelzoo.builtin.extractors.mel import slaney_filters
from avelzoo.errors import DataError
from avelzoo.testing import checks_for
from avelzoo.weights.store import WeightStore
from tests.extractors.audio_networks import Weights, convolved, pooled, random_state, sine

OFFLINE = WeightStore(offline=True)
WIDTHS = (1, 64, 128, 256, 512, 1024, 2048)


def front_end_tensors(variant: str) -> dict[str, torch.Tensor]:
    """The three tensors of the front end in a published file."""
    rate, window, _, high = VARIANTS[variant]
    bins = window // 2 + 1
    filters = slaney_filters(rate=rate, bins=bins, bands=64, low=50, high=high)
    zeros = torch.zeros(()).expand(bins, 1, window)
    return {
        "spectrogram_extractor.stft.conv_real.weight": zeros,
        "spectrogram_extractor.stft.conv_imag.weight": zeros,
        "logmel_extractor.melW": torch.from_numpy(filters).float(),
    }


@pytest.fixture(scope="module")
def state():
    with torch.device("meta"):
        network = Cnn14()
    return random_state(network)


@pytest.fixture(scope="module")
def small(state):
    """Tensors of the same shapes that take no space."""
    return {name: torch.zeros((), dtype=tensor.dtype).expand(tensor.shape) for name, tensor in state.items()}


@pytest.fixture(scope="module")
def file(state, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("cnn14") / "Cnn14_mAP=0.431.pth"
    torch.save({"iteration": 600000, "model": front_end_tensors("32k") | state}, path)
    return path


@pytest.fixture(scope="module")
def extractor(file):
    return Cnn14Config(checkpoint=file).build(OFFLINE)


def normalised(maps: np.ndarray, w: Weights, name: str) -> np.ndarray:
    """Batch normalisation of a map (c h w) with stored statistics."""
    mean, variance, scale, shift = (
        w[f"{name}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (maps - mean) / np.sqrt(variance + 1e-5) * scale + shift


def reference(state, frames: np.ndarray) -> np.ndarray:
    """Embedding of log-mel frames (t 64) in float64, layer by layer."""
    w = Weights(state)
    maps = normalised(frames.T[:, :, None].astype(float), w, "bn0")[..., 0].T[None]
    for block in range(1, 7):
        for layer in (1, 2):
            maps = convolved(maps, w[f"conv_block{block}.conv{layer}.weight"])
            maps = np.maximum(0, normalised(maps, w, f"conv_block{block}.bn{layer}"))
        maps = pooled(maps, np.mean) if block < 6 else maps
    over_time = maps.mean(2)
    summed = over_time.max(1) + over_time.mean(1)
    return np.maximum(0, w["fc1.weight"] @ summed + w["fc1.bias"])


def test_names_and_shapes_are_those_of_the_public_code(state):
    statistics = ("weight", "bias", "running_mean", "running_var")
    wanted = {f"bn0.{part}": (64,) for part in statistics} | {"bn0.num_batches_tracked": ()}
    for k in range(1, 7):
        for layer, inputs in ((1, WIDTHS[k - 1]), (2, WIDTHS[k])):
            wanted[f"conv_block{k}.conv{layer}.weight"] = (WIDTHS[k], inputs, 3, 3)
            wanted |= {f"conv_block{k}.bn{layer}.{part}": (WIDTHS[k],) for part in statistics}
            wanted[f"conv_block{k}.bn{layer}.num_batches_tracked"] = ()
    wanted |= {"fc1.weight": (2048, 2048), "fc1.bias": (2048,)}
    wanted |= {"fc_audioset.weight": (527, 2048), "fc_audioset.bias": (527,)}
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == wanted
    assert len(wanted | front_end_tensors("32k")) == 84
    learned = [n for n in wanted if not n.endswith(("running_mean", "running_var", "num_batches_tracked"))]
    assert sum(state[name].numel() for name in learned) == 80_753_615


def test_embedding_is_that_of_the_reference(state, extractor):
    waves = sine(2, 12000, 32000)
    front = CentredLogMel(rate=32000, window=1024, hop=320, low=50, high=14000)
    expected = np.stack([reference(state, frames.numpy()) for frames in front(torch.from_numpy(waves))])
    found = extractor.features(waves)
    assert found == pytest.approx(expected, abs=1e-4 * expected.max())
    assert (found >= 0).all()


def test_shapes_between_blocks(state):
    with torch.device("meta"):
        network = Cnn14()
    network.load_state_dict(state, assign=True)
    shapes = []
    for k in range(1, 7):
        network.get_submodule(f"conv_block{k}").register_forward_hook(
            lambda module, inputs, output: shapes.append(tuple(output.shape[2:]))
        )
    with torch.no_grad():
        network.eval()(torch.zeros(1, 101, 64))
    assert shapes == [(50, 32), (25, 16), (12, 8), (6, 4), (3, 2), (3, 2)]


def test_a_segment_of_9920_samples_is_enough_and_shorter_ones_are_padded(extractor):
    waves = sine(1, 9920, 32000)
    assert extractor.features(waves).shape == (1, 2048)
    short = waves[:, :700]
    assert np.array_equal(extractor.features(short), extractor.features(np.pad(short, ((0, 0), (0, 9220)))))
    assert extractor.features(np.zeros((0, 32000), np.float32)).shape == (0, 2048)
    with pytest.raises(RuntimeError):  # without the padding
        extractor._module(torch.zeros(1, 9919))


def test_conformance(file):
    for check in checks_for("extractor"):
        check(Cnn14Config(checkpoint=file))


def test_bfloat16_is_close(file, extractor):
    rough = Cnn14Config(checkpoint=file).build(OFFLINE, precision="bf16")
    exact, found = (used.features(sine(2, 12000, 32000)) for used in (extractor, rough))
    assert 0 < np.linalg.norm(found - exact) < 0.1 * np.linalg.norm(exact)


def test_the_variant_for_16_khz(small, tmp_path):
    path = tmp_path / "Cnn14_16k_mAP=0.438.pth"
    torch.save({"model": small | front_end_tensors("16k")}, path)
    extractor = Cnn14Config(variant="16k", checkpoint=path).build(OFFLINE)
    assert extractor.sampling.rate == 16000
    assert extractor.recipe["encoder"] == "cnn14-16k"
    assert extractor.features(sine(1, 4960)).shape == (1, 2048)


def test_a_file_of_the_other_variant_is_refused(file):
    with pytest.raises(DataError, match="CNN14 for 16 kHz") as caught:
        Cnn14Config(variant="16k", checkpoint=file).build(OFFLINE)
    assert caught.value.where == str(file)
    assert "melW (513, 64), not (257, 64)" in caught.value.found


def test_another_filter_bank_is_refused(small, tmp_path):
    path = tmp_path / "htk.pth"
    tensors = front_end_tensors("32k")
    torch.save({"model": small | tensors | {"logmel_extractor.melW": 2 * tensors["logmel_extractor.melW"]}}, path)
    with pytest.raises(DataError, match="another mel filter bank"):
        Cnn14Config(checkpoint=path).build(OFFLINE)


def test_files_without_the_front_end_load(small, tmp_path):
    path = tmp_path / "stripped.pth"
    torch.save(small, path)
    assert Cnn14Config(checkpoint=path).build(OFFLINE).shape == (2048,)


def test_weights_of_another_network_are_refused(small, tmp_path):
    path = tmp_path / "cnn10.pth"
    torch.save({name: tensor for name, tensor in small.items() if not name.startswith("conv_block6")}, path)
    with pytest.raises(DataError, match="not those of CNN14") as caught:
        Cnn14Config(checkpoint=path).build(OFFLINE)
    assert "conv_block6" in caught.value.found


def test_weights_of_the_two_variants_have_a_checksum():
    for variant in ("32k", "16k"):
        (published,) = Cnn14Config(variant=variant).weights()
        assert len(published.sha256) == 64
