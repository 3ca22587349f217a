"""VGG-19 in the recipe of AVE's features."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import torch
from PIL import Image
from timm.data.transforms_factory import create_transform
from torchvision.models.vgg import cfgs, make_layers

from avelzoo.builtin.extractors.vgg19 import CAFFE_MEAN
from avelzoo.builtin.extractors.vgg19_weights import convolutions, from_keras, load_convolutions
from avelzoo.builtin.extractors.visual_configs import Vgg19Config
from avelzoo.errors import DataError
from avelzoo.extractors import recipe_id
from avelzoo.testing import checks_for
from tests.extractors.visual import OFFLINE, picture, save, save_keras, segments


@pytest.fixture(scope="module")
def network():
    """Random weights of the size that keeps activations alive through sixteen layers."""
    torch.manual_seed(0)
    made = convolutions()
    for layer in made:
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            torch.nn.init.uniform_(layer.bias, -0.1, 0.1)
    return made.eval()


@pytest.fixture(scope="module")
def thin():
    """The same layers with two channels each: names are found whatever the widths are."""
    layers = (
        torch.nn.Conv2d(2, 2, 3) if isinstance(layer, torch.nn.Conv2d) else torch.nn.Identity()
        for layer in convolutions()
    )
    return torch.nn.Sequential(*layers)


@pytest.fixture(scope="module")
def keras_file(network, tmp_path_factory):
    return save_keras(network, tmp_path_factory.mktemp("vgg") / "notop.h5")


@pytest.fixture(scope="module")
def extractor(keras_file):
    return Vgg19Config(checkpoint=keras_file, frames=2).build(OFFLINE)


@pytest.fixture(scope="module")
def frames(extractor):
    """A segment of two prepared frames."""
    return segments(extractor, picture(seed=1), picture(seed=2))


@pytest.fixture(scope="module")
def found(extractor, frames):
    """Its features."""
    return extractor.features(frames)


def test_the_network_is_that_of_torchvision(network):
    other = make_layers(cfgs["E"]).eval()
    other.load_state_dict(network.state_dict())
    x = torch.rand(2, 3, 64, 96)
    with torch.inference_mode():
        found = network(x)
        assert torch.equal(found, other(x))
    assert found.shape == (2, 512, 2, 3)
    assert sum(p.numel() for p in network.parameters()) == 20_024_384


def test_weights_of_keras_become_the_same_network(network, keras_file):
    x = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.allclose(load_convolutions(keras_file)(x), network(x), atol=1e-6)


@pytest.mark.parametrize("names", [("kernel:0", "bias:0"), ("vars/0", "vars/1")])
def test_other_names_of_keras(thin, tmp_path, names):
    path = save_keras(thin, tmp_path / "other.h5", names=names)
    if names[0] == "vars/0":  # the newest layout puts everything under one more group
        with h5py.File(path, "r") as old, h5py.File(tmp_path / "new.h5", "w") as new:
            for name in old:
                for i, array in enumerate(old[name].values()):
                    if isinstance(array, h5py.Group):
                        for number, one in array.items():
                            new[f"layers/{name}/vars/{number}"] = one[...]
                    else:
                        new[f"layers/{name}/vars/{i}"] = array[...]
        path = tmp_path / "new.h5"
    state = from_keras(path)
    assert all(torch.equal(state[name], tensor) for name, tensor in thin.state_dict().items())


def test_a_state_dict_of_the_whole_network(network, tmp_path):
    whole = {f"features.{name}": tensor for name, tensor in network.state_dict().items()}
    torch.save(whole | {"classifier.0.bias": torch.zeros(4)}, tmp_path / "vgg19.pth")
    loaded = load_convolutions(tmp_path / "vgg19.pth").state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in network.state_dict().items())


def test_features_are_the_pooled_map_of_bgr_levels_minus_the_mean(network, frames, found):
    bgr = torch.from_numpy(frames[0][..., ::-1].copy()).float() - torch.tensor(CAFFE_MEAN)
    with torch.inference_mode():
        expected = network(bgr.permute(0, 3, 1, 2)).mean(0)
    assert found.shape == (1, 7, 7, 512)
    assert found.min() >= 0
    assert found.max() > 0
    assert np.allclose(found[0].transpose(2, 0, 1), expected.numpy(), rtol=1e-4, atol=1e-3 * expected.max().item())


def test_bgr_form_equals_rgb_form_with_reversed_kernels(network, frames):
    rgb = convolutions().eval()
    rgb.load_state_dict(network.state_dict())
    rgb[0].weight.data = rgb[0].weight.data.flip(1)
    x = torch.from_numpy(frames[0, :, :96, :64]).permute(0, 3, 1, 2).float()
    mean = torch.tensor(CAFFE_MEAN).view(1, 3, 1, 1)
    with torch.inference_mode():
        found = network(x.flip(1) - mean)
        expected = rgb((x / 255 - mean.flip(1) / 255) / (1 / 255))
    assert float((found - expected).norm()) <= 1e-4 * float(expected.norm())


def test_mean_over_identical_frames_is_the_frame(extractor, frames):
    one, two = (extractor.features(np.repeat(frames[:, :1], count, axis=1)) for count in (1, 2))
    assert np.allclose(one, two, rtol=1e-5, atol=1e-5 * one.max())


def test_frames_are_squashed_at_once(extractor):
    frame = np.zeros((90, 200, 3), np.uint8)
    frame[:, -20:, 0] = 200
    small = extractor.sampling.prepare(frame)
    assert small.shape == (224, 224, 3)
    assert small[:, -10:, 0].min() == 200  # nothing is cropped
    assert extractor.sampling.per_segment == 2


def test_bf16_is_near_and_another_recipe(extractor, frames, found, keras_file):
    half = Vgg19Config(checkpoint=keras_file, frames=2).build(OFFLINE, precision="bf16")
    rough = half.features(frames)
    assert rough.dtype == np.float32
    assert 0 < np.linalg.norm(rough - found) < 0.03 * np.linalg.norm(found)
    assert recipe_id(half.recipe) != recipe_id(extractor.recipe)


def test_the_two_sets_of_weights_are_two_recipes(network, keras_file, extractor):
    other = Vgg19Config(source="imagenet", checkpoint=keras_file, frames=2).build(OFFLINE)
    assert recipe_id(other.recipe).startswith("vgg19-imagenet-")
    assert recipe_id(extractor.recipe).startswith("vgg19-keras-")
    frame = np.zeros((224, 448, 3), np.uint8)
    frame[:, :80] = 255
    assert other.sampling.prepare(frame).max() == 0  # cropped to the centre
    small = other.sampling.prepare(picture(90, 160))
    whole = create_transform((3, 224, 224), interpolation="bilinear", crop_pct=0.875)  # timm's own mean and std
    with torch.inference_mode():
        expected = network(whole(Image.fromarray(picture(90, 160)))[None])[0].permute(1, 2, 0).numpy()
    found = other.features(small[None, None])[0]
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-4 * expected.max())
    assert other.recipe["transform"]["mean"] != extractor.recipe["transform"]["mean"]


@pytest.mark.slow
@pytest.mark.parametrize("check", checks_for("extractor"), ids=lambda check: check.name)
def test_promises(check, keras_file):
    check(Vgg19Config(checkpoint=keras_file, frames=1))


def cut(path, network):
    save_keras(network, path)
    path.write_bytes(path.read_bytes()[:-100])


def layer_gone(path, network):
    save_keras(network, path)
    with h5py.File(path, "a") as file:
        del file["block5_conv4"]


def wrong_shape(path, network):
    save_keras(network, path)


def other_network(path, network):
    save(torch.nn.Linear(3, 2), path)


@pytest.mark.parametrize("damage", [cut, layer_gone, wrong_shape, other_network], ids=lambda damage: damage.__name__)
def test_other_weights_are_refused(damage, thin, tmp_path):
    path = tmp_path / "weights.h5"
    damage(path, thin)
    with pytest.raises(DataError, match="weights") as caught:
        Vgg19Config(checkpoint=path).build(OFFLINE)
    assert caught.value.where == str(path)


def test_published_weights_that_are_missing_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("AVELZOO_WEIGHTS", str(tmp_path))
    with pytest.raises(DataError, match="'vgg19-keras' are missing") as caught:
        Vgg19Config().build(type(OFFLINE)(offline=True))
    assert "notop.h5" in caught.value.where
