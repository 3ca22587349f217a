"""Facts about AVE, counted in its public files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

CATEGORIES: Mapping[str, int] = {
    "Church bell": 188,
    "Male speech, man speaking": 176,
    "Bark": 171,
    "Fixed-wing aircraft, airplane": 184,
    "Race car, auto racing": 188,
    "Female speech, woman speaking": 175,
    "Helicopter": 178,
    "Violin, fiddle": 187,
    "Flute": 172,
    "Ukulele": 163,
    "Frying (food)": 182,
    "Truck": 138,
    "Shofar": 102,
    "Motorcycle": 99,
    "Acoustic guitar": 186,
    "Train horn": 176,
    "Clock": 160,
    "Banjo": 183,
    "Goat": 100,
    "Baby cry, infant cry": 83,
    "Bus": 69,
    "Chainsaw": 160,
    "Cat": 60,
    "Horse": 64,
    "Toilet flush": 180,
    "Rodents, rats, mice": 109,
    "Accordion": 154,
    "Mandolin": 156,
}
"""Rows by category, in order of id."""
AVE_CATEGORIES: tuple[str, ...] = tuple(CATEGORIES)
"""The 28 categories, in order of id."""

SEGMENTS = 10
RUN_LENGTHS: Mapping[int, int] = {2: 214, 3: 220, 4: 217, 5: 196, 6: 200, 7: 139, 8: 111, 9: 95, 10: 2750}
"""Rows by the event's length in segments; one more row has an event of length 0."""

ROWS = sum(CATEGORIES.values())
SPLITS: Mapping[str, int] = {"train": 3339, "val": 402, "test": 402}
NEGATIVES = 178

CHECKSUMS: Mapping[str, str] = {
    "Annotations.txt": "0d24a9ec5cd4ceb779ebd83d74e83ec8e55c5e468cede3f320fb57346c9dd321",
    "audio_feature_noisy.h5": "d29b6efa4c985746a1d5205423c6f01bf02cf475af40c2620e4df9260d84c5f4",
    "labels_closs.h5": "97676082eb1fc9a7a29255032391871c74f00cd74a5eddc57d9aed14ec52acc9",
    "labels_noisy.h5": "1cc2b29e7104d4da26be06b6ff2260d9392cd1d93a096c77efd938843b4ebde1",
    "mil_labels.h5": "63c1886c78289bcf7e748fa0fe5c18d568dac75a1f015ac41860a78f598c2bd5",
    "test_order.h5": "f9bb79defc1f784ca5dda9cdd3ee52af6d24ccb399a1cfab6bf0d373f5681076",
    "train_order.h5": "a216fcdd02782ba9d10c9ea79116120eb3be467740e58290e1b340d42a590456",
    "val_order.h5": "5692aec0efb30e4efa49a867a902c1993b4c88a7d3ec19879349e540e7a5d9ca",
}
"""SHA-256 of public files."""

TWO_CATEGORIES: Mapping[str, tuple[int, ...]] = {"labels.h5": (171, 2189)}
"""Rows of public label files that reportedly hold a second category, which Annotations.txt lacks."""


def is_ave(rows: int, categories: Sequence[str]) -> bool:
    """Whether annotations are probably AVE's: the same number of rows, or the same category names."""
    return rows == ROWS or set(categories) == set(CATEGORIES)
