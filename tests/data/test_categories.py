"""Category names: control characters, misspellings, and a file that fixes the ids."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

from avelzoo.builtin.datasets.configs import AveConfig
from avelzoo.cli import main
from avelzoo.data import facts
from avelzoo.data.checking.doctor import examine
from avelzoo.data.making.simulate import Simulation, simulate
from avelzoo.data.reading.annotations import read_annotations
from avelzoo.data.reading.categories import alike, suspects
from avelzoo.errors import DataError, DataWarning

AVE = dict(facts.CATEGORIES)


def events(counts):
    return np.repeat(np.arange(len(counts)), list(counts.values()))


def said(counts):
    return [str(suspect) for suspect in suspects(tuple(counts), events(counts))]


def test_ave_s_names_are_no_misspellings():
    assert said(AVE) == []
    small = {name: max(1, count // 70) for name, count in AVE.items()}
    assert said(small) == []
    assert list(alike(tuple(AVE))) == []


@pytest.mark.parametrize(
    ("name", "rows", "near"),
    [
        ("Helicoptre", 1, "(similar name: 'Helicopter', 178)"),
        ("Church bel", 3, "(similar name: 'Church bell', 188)"),
        ("Brak", 1, "(similar name: 'Bark', 171)"),
        ("Male speech", 1, "(similar name: 'Male speech, man speaking', 176)"),
        ("Didgeridoo", 1, ""),
        ("Banjoo", 15, "(similar name: 'Banjo', 183)"),
    ],
)
def test_a_rare_category_is_named_with_its_neighbour(name, rows, near):
    (told,) = said(AVE | {name: rows})
    assert told == f"'{name}' has {rows} row{'s' * (rows > 1)}" + (f" {near}" if near else "")


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"Dog": 3, "Flute": 4, "Flutes": 1}, ["'Flutes' has 1 row (similar name: 'Flute', 4)"]),
        ({"Horse": 1, "Hores": 1, "Bell": 1}, ["'Hores' has 1 row (similar name: 'Horse', 1)"]),
        ({"Horse": 40, "House": 50}, []),
        ({"Cat": 2, "Goat": 2, "Bus": 1}, []),
        ({"Dog": 1}, []),
    ],
)
def test_small_data_sets(counts, expected):
    assert said(counts) == expected


@pytest.mark.parametrize(
    "other",
    ["church bell", "Church  bell", "Church-bell", "Church\u00a0bell", "Church\u200b bell", "\ufeffChurch bell"],
)
def test_names_that_differ_in_nothing_one_sees(other):
    names = ("Church bell", "Bark", other)
    assert list(alike(names)) == [tuple(sorted(("Church bell", other)))]
    assert said(AVE | {other: 1}) == []


def test_doctor_and_run_say_it(folder):
    text = (folder.root / "Annotations.txt").read_text()
    folder.annotate(text.replace("Flute&v9", "Flutte&v9"))
    told = "'Flutte' has 1 row (similar name: 'Flute', 2)"
    findings = [f for f in examine(folder.root, quick=True).findings if "misspelt" in f.problem]
    assert [(f.level, f.found) for f in findings] == [("warning", told)]
    with pytest.warns(DataWarning, match="misspelt") as caught:
        AveConfig(root=folder.root).open("full")
    assert told in str(caught[0].message)


def test_invisible_characters_are_shown(folder, capsys):
    text = (folder.root / "Annotations.txt").read_text()
    folder.annotate(text.replace("Dog&v5", "Dog\u200b&v5"))
    main(["data", "doctor", str(folder.root), "--quick"])
    assert r"found: Dog | Dog\u200b" in capsys.readouterr().out


# -- control characters ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("char", ["\0", "\x1b", "\x07", "\x08", "\x0b", "\x0c", "\x1c", "\x7f", "\x85", "\u2028", "\t"])
@pytest.mark.parametrize(
    "line", ["Do{}g&v9&good&0&10", "Dog&v{}9&good&0&10", "Dog&v9&go{}od&0&10", "Dog&v9&good&1{}0&10"]
)
def test_control_characters_are_refused_and_shown(folder, char, line):
    folder.annotate("Dog&v0&good&0&10\n" + line.format(char) + "\n")
    with pytest.raises(DataError) as caught:
        read_annotations(folder.root / "Annotations.txt")
    assert caught.value.where.endswith("Annotations.txt, line 2")
    escape = char.encode("unicode_escape").decode()
    assert escape in caught.value.found
    assert str(caught.value).replace("\n", "").isprintable()


def test_nul_bytes_in_other_places(folder, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    folder.annotate((folder.root / "Annotations.txt").read_text().encode("utf-16-le"))
    for argv in (["data", "doctor", str(folder.root)], ["run", "ead-b", "--data", str(folder.root)]):
        assert main(argv) == 3
        out, err = capsys.readouterr()
        assert "a line holds a control character" in out + err
        assert "save the file as UTF-8 text" in out + err
        assert "\0" not in out + err
    assert not (tmp_path / "runs").exists()


# -- whole numbers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["10.0", "10.", "10.000", "010"])
def test_whole_numbers_written_as_floats(folder, end):
    folder.annotate(f"Dog&v0&good&0.0&{end}\nDog&v1&good&0&0.0\n")
    found = read_annotations(folder.root / "Annotations.txt")
    assert [(row.start, row.end) for row in found.rows] == [(0, 10), (0, 0)]


@pytest.mark.parametrize("end", ["10.5", "1e1", "10,0", "inf", "10.0.0", ".", "", "0x10", "\u0661"])
def test_other_numbers_are_refused(folder, end):
    folder.annotate(f"Dog&v0&good&0&10\nDog&v0&good&0&{end}\n")
    with pytest.raises(DataError, match="not a whole number"):
        read_annotations(folder.root / "Annotations.txt")


# -- categories.txt --------------------------------------------------------------------------------------------------


def fix_ids(folder, text):
    (folder.root / "categories.txt").write_bytes(text if isinstance(text, bytes) else text.encode())


def test_ids_follow_the_file(folder):
    fix_ids(folder, "\ufeffFlute\r\n\r\nTrombone\r\nDog\r\nBell, church")
    found = read_annotations(folder.root / "Annotations.txt")
    assert found.fixed
    assert found.categories == ("Flute", "Trombone", "Dog", "Bell, church")
    assert found.events.tolist() == [3, 3, 3, 3, 2, 2, 2, 0, 0, 0]
    assert found.segments(5)[1].tolist() == [4, 3, 3, 4, 4]
    folder.put("labels_noisy.h5", np.eye(5)[[4, 4]])
    dataset = AveConfig(root=folder.root).open("weak")
    assert dataset.spec.n == 4
    assert dataset.split("train").events().tolist() == [0, 3, 2, 3, 2, 4, 4]


@pytest.mark.parametrize(
    ("text", "problem", "where"),
    [
        ("Flute\nDog\n", r"not in categories\.txt$", "Annotations.txt, line 1"),
        ("Flute\nDogs\nBell, church\n", r"not in categories\.txt; did you mean 'Dogs'", "Annotations.txt, line 5"),
        ("Flute\nDog\nFlute\nBell, church\n", "listed twice", "categories.txt, line 3"),
        ("Flute\nDog\nBell, church\nBackground\n", "background is not an event", "categories.txt, line 4"),
        ("Flute\nDo\0g\n", "control character", "categories.txt, line 2"),
        ("\n\n", "are empty", "categories.txt"),
        (b"\xff\xfeF\0", "not UTF-8", "categories.txt"),
    ],
)
def test_a_file_that_fixes_no_ids(folder, text, problem, where):
    fix_ids(folder, text)
    with pytest.raises(DataError) as caught:
        AveConfig(root=folder.root).open("full")
    assert re.search(problem, caught.value.problem)
    assert caught.value.where.endswith(where)
    report = examine(folder.root, quick=True)
    assert [f.file for f in report.findings if f.level == "error"] == [where]


def test_a_part_keeps_the_ids(folder):
    fix_ids(folder, "Flute\nTrombone\nDog\nBell, church\n")
    target = folder.root.parent / "part"
    folder.put("audio_feature_noisy.h5", np.zeros((2, 10, 128)))
    simulate(Simulation(folder.root / "Annotations.txt", videos=5, grid=(1, 1), visual_dim=2), target)
    assert read_annotations(target / "Annotations.txt").categories == ("Flute", "Trombone", "Dog", "Bell, church")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AveConfig(root=target).open("full")
