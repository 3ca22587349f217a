"""Any backbone of timm, with random weights."""

from __future__ import annotations

import socket
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from timm.data.config import resolve_data_config
from timm.data.transforms_factory import create_transform

from avelzoo.builtin.extractors.timm_transform import data_config, frame_transform
from avelzoo.builtin.extractors.visual_configs import TimmConfig
from avelzoo.errors import DataError, OptionError, UnknownNameError, UsageError
from avelzoo.extractors import recipe_id
from avelzoo.testing import checks_for
from avelzoo.weights.store import WeightStore
from tests.extractors.visual import OFFLINE, picture, save, segments

# Map, and whether the classifier is exact on it: a linear layer after global pooling.
MODELS = {
    "test_resnet": ((5, 5, 96), True),
    "resnet18": ((7, 7, 512), True),
    "mobilenetv3_small_050": ((7, 7, 288), False),  # an activation after pooling
    "test_convnext": ((5, 5, 64), False),  # a normalisation after pooling
    "test_vit": ((10, 10, 64), False),  # the class token is not in the map
    "test_vit3": ((10, 10, 96), False),
    "swin_tiny_patch4_window7_224": ((7, 7, 768), True),  # channels last
    "mixer_s32_224": ((7, 7, 512), True),  # tokens without a class token
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of random weights of a model."""
    folder = tmp_path_factory.mktemp("timm")

    def made(model: str) -> Path:
        path = folder / f"{model}.pth"
        if not path.exists():
            torch.manual_seed(0)
            save(timm.create_model(model), path)
        return path

    return made


@pytest.fixture(scope="module")
def build(weights):
    """An extractor with these weights."""

    def built(model: str, *, device: str = "cpu", precision: str = "32", **options):
        config = TimmConfig(model=model, checkpoint=weights(model), **options)
        return config.build(OFFLINE, device=device, precision=precision)

    return built


@pytest.mark.parametrize("model", MODELS)
def test_maps_and_classes(model, build, weights):
    shape, linear = MODELS[model]
    extractor = build(model, frames=2)
    frames = segments(extractor, picture(seed=1), picture(seed=2))
    found = extractor.features(frames)
    assert extractor.shape == shape
    assert found.shape == (1, *shape)
    assert len(extractor.classes) == (1000 if linear else 0)
    network = timm.create_model(model).eval()
    network.load_state_dict(torch.load(weights(model), weights_only=True))
    mean, std = (torch.tensor(extractor.recipe["transform"][key]).view(1, 3, 1, 1) for key in ("mean", "std"))
    with torch.inference_mode():
        x = (torch.from_numpy(frames[0]).permute(0, 3, 1, 2) / 255 - mean) / std
        logits, features = network(x).mean(0).softmax(0).numpy(), network.forward_features(x)
    if linear:
        assert np.allclose(extractor.class_scores(found)[0], logits, atol=1e-5)
        assert extractor.class_scores(found[None]).shape == (1, 1, 1000)
    else:
        with pytest.raises(NotImplementedError):
            extractor.class_scores(found)
    places = features.mean(0)  # the mean over frames, in the model's own layout
    if places.ndim == 2:
        places = places[-shape[0] * shape[1] :].reshape(shape)
    elif tuple(places.shape) != shape:
        places = places.permute(1, 2, 0)
    assert np.allclose(found[0], places.numpy(), rtol=1e-3, atol=1e-4 * float(places.abs().max()))


def test_a_pooled_grid_is_the_mean_of_its_cells(build):
    whole, pooled, single = (build("test_vit", frames=1, grid=grid) for grid in ((), (5, 2), (1, 1)))
    frames = segments(whole, picture())
    found = whole.features(frames)
    assert np.allclose(pooled.features(frames)[0, 1, 1], found[0, 2:4, 5:].mean((0, 1)), atol=1e-5)
    assert np.allclose(single.features(frames)[0, 0, 0], found[0].mean((0, 1)), atol=1e-5)
    assert len({recipe_id(e.recipe) for e in (whole, pooled, single)}) == 3


def test_classes_survive_a_pooled_grid_only_if_cells_are_equal(build):
    assert len(build("test_resnet", grid=(1, 5)).classes) == 1000
    assert build("test_resnet", grid=(2, 2)).classes == ()
    frames = segments(build("test_resnet"), *[picture(seed=i) for i in range(16)])
    whole, single = build("test_resnet"), build("test_resnet", grid=(1, 1))
    assert np.allclose(
        whole.class_scores(whole.features(frames)), single.class_scores(single.features(frames)), atol=1e-6
    )


@pytest.mark.parametrize(
    ("change", "sizes"),
    [
        ({}, [(90, 160), (300, 200), (1, 1)]),
        ({"crop_mode": "squash"}, [(90, 160)]),
        ({"crop_mode": "border", "interpolation": "bilinear"}, [(90, 160), (400, 40)]),
        ({"crop_pct": 1.0, "input_size": [3, 128, 160]}, [(90, 160)]),
    ],
)
def test_frames_are_prepared_as_timm_does(change, sizes):
    config = data_config(timm.get_pretrained_cfg("resnet18")) | change
    whole = create_transform(**{key: tuple(v) if isinstance(v, list) else v for key, v in config.items()})
    mean, std = (np.array(config[key], np.float32) for key in ("mean", "std"))
    for size in sizes:
        frame = picture(*size)
        expected = whole(Image.fromarray(frame)).permute(1, 2, 0).numpy()
        assert np.allclose((frame_transform(config)(frame) / 255 - mean) / std, expected, atol=1e-5)


def test_the_transform_is_that_of_the_pretrained_config():
    config = data_config(timm.get_pretrained_cfg("vit_tiny_patch16_224"))
    own = resolve_data_config({}, model=timm.create_model("vit_tiny_patch16_224"))
    assert {key: tuple(v) if isinstance(v, list) else v for key, v in config.items()} == own


def test_options_and_weights_change_the_recipe(build, tmp_path):
    torch.manual_seed(1)
    other = save(timm.create_model("test_resnet"), tmp_path / "other.pth")
    made = [
        build("test_resnet"),
        build("test_resnet", frames=4),
        build("test_resnet", precision="bf16"),
        TimmConfig(model="test_resnet", checkpoint=other).build(OFFLINE),
    ]
    assert len({recipe_id(extractor.recipe) for extractor in made}) == len(made)


@pytest.mark.parametrize("check", checks_for("extractor"), ids=lambda check: check.name)
def test_promises(check, weights):
    check(TimmConfig(model="test_vit", checkpoint=weights("test_vit"), frames=2))


@pytest.mark.parametrize(
    ("model", "near"),
    [
        ("resnet81", "resnet18"),
        ("dinov2", "vit_base_patch14_dinov2"),
        ("resnet18.a9_in1k", "resnet18.a1_in1k"),
        ("Swin_Tiny", "swin_tiny_patch4_window7_224"),
        ("", "timm's"),
        ("hf-hub:timm/resnet18", "resnet18"),
    ],
)
def test_an_unknown_model_gets_near_names(model, near):
    with pytest.raises(UnknownNameError, match="timm has no") as caught:
        TimmConfig(model=model).weights()
    assert near in str(caught.value)


def test_published_files_are_named_without_the_network():
    (file,) = TimmConfig(model="resnet18").weights()
    assert (file.name, file.hub) == ("timm-resnet18-a1-in1k", "timm/resnet18.a1_in1k:model.safetensors")
    assert file.licence  # older versions of timm do not state it
    (untrained,) = TimmConfig(model="mixer_s32_224").weights()
    assert untrained.hub == ""
    with pytest.raises(DataError, match="are missing"):
        TimmConfig(model="mixer_s32_224").build(OFFLINE)


def test_weights_of_another_model_are_refused(weights):
    with pytest.raises(DataError, match="not those of test_resnet") as caught:
        TimmConfig(model="test_resnet", checkpoint=weights("test_vit")).build(OFFLINE)
    assert "missing: " in caught.value.found


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there(build):
    with pytest.raises(UsageError, match="no device 'cuda'"):
        build("test_resnet", device="cuda")


def test_unknown_devices_and_formats(build):
    with pytest.raises(UsageError, match="unknown device 'gpu'"):
        build("test_resnet", device="gpu")
    with pytest.raises(OptionError, match="unknown precision 'fp8'"):
        build("test_resnet", precision="fp8")


def test_a_grid_has_two_numbers_within_the_map(build):
    with pytest.raises(OptionError, match="two numbers"):
        TimmConfig(grid=(1, 2, 3))
    with pytest.raises(OptionError, match="larger than the model's map"):
        build("test_resnet", grid=(5, 6))


def test_only_prepared_frames_are_accepted(build):
    extractor = build("test_resnet")
    with pytest.raises(DataError, match="not prepared") as caught:
        extractor.features(np.zeros((1, 2, 100, 100, 3), np.uint8))
    assert caught.value.expected == "uint8 (b k 160 160 3)"
    assert extractor.features(np.zeros((0, 2, 160, 160, 3), np.uint8)).shape == (0, 5, 5, 96)
    assert build("test_resnet", grid=(1, 1)).features(np.zeros((0, 2, 160, 160, 3), np.uint8)).shape == (0, 1, 1, 96)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    network = timm.create_model("test_resnet")
    network.fc.bias.data[3] = float("nan")
    with pytest.raises(DataError, match="not finite") as caught:
        TimmConfig(model="test_resnet", checkpoint=save(network, tmp_path / "nan.pth")).build(OFFLINE)
    assert caught.value.found == "fc.bias"


def test_local_weights_need_no_network(weights, monkeypatch):
    def refuse(*what: object) -> None:
        raise AssertionError(f"the network is used: {what}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    config = TimmConfig(model="test_resnet", checkpoint=weights("test_resnet"))
    assert config.build(WeightStore()).shape == (5, 5, 96)  # a store that may download


def test_published_weights_come_from_the_hub_once(tmp_path, monkeypatch):
    for name in ("AVELZOO_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    asked = []

    def send(repository: str, member: str, local_dir: Path) -> str:
        asked.append((repository, member))
        save_file(timm.create_model("test_resnet").state_dict(), local_dir / member)
        return str(local_dir / member)

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", lambda url: SimpleNamespace(etag=None, size=None))
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", send)
    store = WeightStore(tmp_path)
    first, again = (TimmConfig(model="test_resnet").build(store) for _ in range(2))
    assert asked == [("timm/test_resnet.r160_in1k", "model.safetensors")]
    assert recipe_id(first.recipe) == recipe_id(again.recipe)
    assert [path.name for path in tmp_path.iterdir()] == ["timm-test_resnet.r160_in1k.safetensors"]
