"""Colours and motion have the numbers that their names say."""

from __future__ import annotations

import numpy as np
import pytest

from avelzoo.builtin.extractors.visual_configs import ColourMotionConfig
from avelzoo.errors import DataError, OptionError
from avelzoo.extractors import recipe_id


def none(file):
    raise AssertionError(f"{file} is not needed")


def features(frames, **options):
    extractor = ColourMotionConfig(frames=len(frames), **options).build(none)
    return extractor.features(np.stack([extractor.sampling.prepare(frame) for frame in frames])[None])[0]


def plain(*colour: int, size=(90, 160)) -> np.ndarray:
    return np.broadcast_to(np.array(colour, np.uint8), (*size, 3))


def test_a_plain_picture_has_its_colour_and_no_deviation():
    found = features([plain(255, 51, 0)] * 3)
    assert found.shape == (7, 7, 8)
    assert np.allclose(found[..., :3], (1, 0.2, 0), atol=1e-6)
    assert np.allclose(found[..., 3:], 0, atol=1e-6)


def test_motion_is_the_change_of_grey_levels():
    found = features([plain(0, 0, 0), plain(0, 0, 0), plain(255, 255, 255)])
    assert np.allclose(found[..., 6], 0.5, atol=1e-6)
    assert np.allclose(found[..., 7], 1.0, atol=1e-6)
    assert np.allclose(features([plain(9, 9, 9)])[..., 6:], 0)


def test_what_moves_is_seen_where_it_moves():
    still = np.zeros((64, 96, 3), np.uint8)
    moved = still.copy()
    moved[:16, 72:] = 255
    found = features([still, moved], grid=(4, 4))
    assert found[0, 3, 6] > 0.9
    assert found[2:, :, 6].max() == 0
    assert found[0, 3, :3].mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("size", [(1, 1), (2160, 3840), (3, 500)])
def test_any_size_of_frame(size):
    assert np.allclose(features([plain(102, 102, 102, size=size)])[..., :3], 0.4, atol=1e-6)


@pytest.mark.parametrize(
    "frame", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.full((4, 4, 3), np.nan)]
)
def test_grey_alpha_and_nan_are_refused(frame):
    prepare = ColourMotionConfig().build(none).sampling.prepare
    with pytest.raises(DataError, match="not an RGB picture"):
        prepare(frame)


def test_options_change_the_recipe():
    configs = (ColourMotionConfig(), ColourMotionConfig(frames=4), ColourMotionConfig(grid=(2, 2)))
    assert len({recipe_id(config.build(none).recipe) for config in configs}) == 3


def test_a_grid_has_two_numbers():
    with pytest.raises(OptionError, match="needs two numbers"):
        ColourMotionConfig(grid=(7,))
