"""Broken prediction files: one clear message with the place, an exit code, and never a traceback."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import numpy as np
import pytest

from avelzoo.auditing import Reading, audit
from avelzoo.auditing.decoding import decode
from avelzoo.auditing.reading.files import read_predictions
from avelzoo.auditing.sources import read_source
from avelzoo.cli import main
from avelzoo.errors import AvelzooError, DataError
from avelzoo.plugin.default import default_host

FILES = Path(__file__).parent / "files"
DATA = FILES / "data"
ZEROS = "0,0,0,0,0,0,0,0,0,0"
ROW = '{"row": 6, "segments": [0,0,0,0,0,0,0,0,0,0]}'
FOUR = "".join(f'{{"row": {row}, "segments": [0,0,0,0,0,0,0,0,0,0]}}\n' for row in (6, 7, 8, 9))
NAMED = (FILES / "names.jsonl").read_text("utf-8")
WIDE = (FILES / "wide.csv").read_text("utf-8")
LONG = (FILES / "long.csv").read_text("utf-8")
TABLE = (FILES / "table.tsv").read_text("utf-8")

BROKEN = {
    "nothing.jsonl": ("", "empty"),
    "cut.jsonl": (NAMED[:-30], r"line 4.*not JSON"),
    "no-json.jsonl": ("row 6: Bark\n", "line 1.*not JSON"),
    "list-line.jsonl": (ROW + "\n[1, 2]\n", "line 2.*not a JSON object"),
    "no-segments.jsonl": (FOUR.replace("segments", "segmnets"), "line 1.*no segments.*segmnets"),
    "no-list.jsonl": (FOUR.replace("[0,0,0,0,0,0,0,0,0,0]", "0"), "line 1.*not a list"),
    "two-keys.jsonl": (FOUR.replace('"row"', '"preds": [], "row"'), "line 1.*two keys"),
    "repeated-key.jsonl": (ROW.replace('"row"', '"row": 1, "row"'), "occurs twice"),
    "repeated-video.json": ('{"one": ["Bark"], "one": ["Bark"]}', "occurs twice.*one"),
    "repeated-videos.json": ('{"one": [1], "two": [1], "one": [1], "two": [1]}', "2 keys occur.*'one', 'two'"),
    "number.json": ("17", "wrong form"),
    "numbers.json": ('{"one": 3}', "wrong form"),
    "deep.json": ("[" * 100_000, "nested too deeply|not JSON"),
    "boolean.jsonl": (FOUR.replace("[0,", "[true,", 1), "line 1.*neither a name nor an id"),
    "fraction.jsonl": (FOUR.replace("[0,", "[0.5,", 1), "line 1.*neither a name nor an id"),
    "huge.jsonl": (FOUR.replace("[0,", "[10000000000000000000000,", 1), "line 1.*neither a name nor an id"),
    "empty-name.jsonl": (NAMED.replace('"Bark"', '""', 1), "line 1.*neither a name nor an id"),
    "unknown-name.jsonl": (NAMED.replace('"Church bell"', '"Church bel"', 1), "line 2.*did you mean 'Church bell'"),
    "too-large.jsonl": (FOUR.replace("[0,", "[7,", 1), "line 1.*out of range.*7"),
    "negative.jsonl": (FOUR.replace("[0,", "[-2,", 1), "line 1.*out of range"),
    "short.jsonl": (FOUR.replace("[0,", "[", 1), "line 1.*wrong number of segments.*9 segments"),
    "missing-row.jsonl": ("".join(FOUR.splitlines(keepends=True)[:3]), "missing for 1 of 4 videos.*row 9"),
    "repeated-rows.jsonl": (FOUR + FOUR[: 2 * len(ROW) + 2], "line 5.*2 rows occur.*row 6, also in line 1.*row 7"),
    "repeated-row.jsonl": (FOUR + ROW, "line 5.*row occurs twice.*line 1"),
    "wrong-row.jsonl": (
        NAMED.replace('"row": 6', '"row": x').replace('"row": 7', '"row": 6').replace('"row": x', '"row": 7'),
        "contradict each other.*row 6 two",
    ),
    "some-rows.jsonl": (FOUR.replace('"row": 8, ', ""), "line 3.*no row"),
    "bad-row.jsonl": (FOUR.replace('"row": 8', '"row": 8.5'), "line 3.*not a whole number"),
    "text-row.jsonl": (FOUR.replace('"row": 8', '"row": "x"'), "line 3.*not a whole number"),
    "number-name.jsonl": (NAMED.replace('"one"', "1"), "line 1.*not text"),
    "val.jsonl": (FOUR.replace('"row": 6', '"row": 4').replace('"row": 7', '"row": 5').rsplit('{"row": 8', 1)[0],
                  "those of the val split.*--split val"),
    "unknown-video.json": ('{"one": ["Bark"], "twoo": ["Bark"]}', "missing for 3 of 4.*twoo.*did you mean 'two'"),
    "repeated-name.jsonl": (NAMED.replace('"row"', '"no"') + '{"video": "one", "segments": [0,0,0,0,0,0,0,0,0,0]}',
                            "line 5.*more often"),
    "repeated-names.jsonl": (re.sub('"row": [0-9]+, ', "", NAMED * 3), "line 5.*more often.*one, 3 times.*as well two"),
    "too-many.json": (json.dumps([[0] * 10] * 5), "wrong number of videos.*5 entries"),
    "as-val.json": (json.dumps([[0] * 10] * 2), "as many as the val split.*--split val"),
    "transposed.json": (json.dumps([[0] * 4] * 10), "transposed.*10 x 4"),
    "ragged.json": (json.dumps([[0] * 10] * 3 + [[0] * 9]), "unequal length"),
    "nan.jsonl": (FOUR.replace("[0,0,0,0,0,0,0,0,0,0]", "[" + ",".join(["[1,0,0,NaN]"] * 10) + "]", 1),
                  "line 1.*NaN.*nan in segment 0, column 3; 10 in all"),
    "ragged-scores.jsonl": (FOUR.replace("[0,0,0,0,0,0,0,0,0,0]", "[[1,0,0,0],[1,0]]", 1), "line 1.*wrong form"),
    "text-scores.jsonl": (FOUR.replace("[0,0,0,0,0,0,0,0,0,0]", '[["a"],["b"]]', 1), "line 1.*not numbers"),
    "columns.jsonl": (FOUR.replace("0,0,0,0,0,0,0,0,0,0", ",".join(["[1,0]"] * 10)), "number of columns.*2"),
    "unequal-scores.jsonl": (
        FOUR.replace(ZEROS, ",".join(["[1,0,0]"] * 10), 1).replace(ZEROS, ",".join(["[1,0,0,0]"] * 10)),
        "unequal numbers of columns",
    ),
    "logits.jsonl": (FOUR.replace("0,0,0,0,0,0,0,0,0,0", ",".join(["[5,0,-3]"] * 10)), "no probabilities"),
    "relevance.jsonl": (FOUR.replace("}", ', "relevance": [0.5]}'), "line 1.*relevance is wrong.*1 values"),
    "latin.jsonl": (b'{"row": 6, "segments": ["caf\xe9"]}', "not UTF-8"),
    "nothing.csv": ("", "empty"),
    "header.csv": (WIDE.splitlines()[0], "empty.*header alone"),
    "no-header.csv": ("one,Bark,Bark\n", "line 1.*wrong header"),
    "order.csv": (WIDE.replace("s0;s1", "s1;s0"), "not in order"),
    "two-columns.csv": (WIDE.replace("s1;", "s0;"), "column occurs twice"),
    "fields.csv": (WIDE.rstrip("\n") + ";more\n", "line 5.*wrong number of fields"),
    "cut.csv": (WIDE[:-60], "line 5.*wrong number of fields"),
    "empty-cell.csv": (WIDE.replace("Bark;", ";", 1), "line 2.*empty"),
    "quote.csv": (WIDE + '"one;', "damaged"),
    "gap.csv": (LONG.replace("6,one,3,BARK\n", ""), "line 2.*segments of a video are missing.*also 3"),
    "twice.csv": (LONG + "6,one,3,BARK\n", "line 42.*segment occurs twice.*line 4"),
    "all-twice.csv": (LONG + LONG.split("\n", 1)[1], "line 42.*40 segments occur.*also in line 2.*as well line 43"),
    "segment.csv": (LONG.replace("one,3,", "one,x,"), "line 4.*not a whole number"),
    "categories.csv": ("video,segment,label,category\none,0,Bark,Bark\none,1,Bark,bell\n", "two categories"),
    "nothing.tsv": ("", "empty"),
    "header.tsv": (TABLE.replace("onset", "begin", 1), "wrong header"),
    "column.tsv": (TABLE.replace("\tBark", "\tBrak", 1), "line 1.*did you mean 'Bark'"),
    "repeated-column.tsv": (TABLE.replace("\tBark", "\tChurch bell", 1), "missing or repeated"),
    "text.tsv": (TABLE.replace("0.8", "loud", 1), "line 2.*not a finite number"),
    "gap.tsv": (TABLE.replace("one\t0.5\t1.0", "one\t0.6\t1.0"), "line 3.*wrong time"),
    "backwards.tsv": (TABLE.replace("one\t0.0\t0.5", "one\t0.5\t0.0"), "line 2.*wrong time"),
    "cut.tsv": (TABLE[:-4], "wrong number of fields|missing|not a finite"),
    "cut.npz": (b"PK\x03\x04 and then nothing", "damaged"),
    "no.npz": (b"not an archive", "damaged"),
    "run.h5": (b"\x89HDF\r\n\x1a\n and then nothing", "cannot be read"),
    "unknown.bin": (b"\x00\x01\x02", "format.*unknown"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    content, expected = BROKEN[name]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(AvelzooError) as caught:
        audit(tmp_path / name, data=DATA)
    text = " ".join(str(caught.value).split())
    assert caught.value.exit_code in (2, 3, 4)
    assert [piece for piece in expected.split(".*") if not re.search(piece, text)] == [], text
    assert str(tmp_path / name) in text


@pytest.mark.parametrize("name", ["cut.jsonl", "quote.csv", "text.tsv", "cut.npz", "run.h5", "latin.jsonl"])
def test_the_command_prints_one_message(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, _ = BROKEN[name]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["audit", str(tmp_path / name), "--data", str(DATA), "--out", str(tmp_path / "out.json")]) in (3, 4)
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    assert err.count("error:") == 1
    assert out == ""
    assert not (tmp_path / "out.json").exists()


def arrays() -> dict[str, dict[str, object]]:
    ids, one_nan = np.zeros((4, 10), dtype=np.int64), np.zeros((4, 10, 4))
    one_nan[2, 3, 1] = np.nan
    return {
        "Python objects": {"segments": np.array([[None]], dtype=object)},
        "no predictions": {"x": ids},
        "wrong shape": {"segments": ids[0]},
        "video 2 of array 'scores'": {"scores": one_nan},
        "nan in segment 3, column 1; 1 in all": {"scores": one_nan},
        "nan in segment 3; 1 in all": {"segments": ids, "relevance": one_nan[..., 1]},
        "wrong type: relevance": {"segments": ids, "relevance": ids.astype(str)},
        "objects": {"segments": ids.astype(complex)},
        "number of videos: segments and video": {"segments": ids, "video_ids": np.array(["one"])},
        "transposed": {"segments": ids.T, "video_ids": np.array(["one", "two", "three", "bbb"])},
        "two arrays": {"segments": ids, "labels": ids},
        "neither a name nor an id": {"segments": ids + 0.5},
    }


@pytest.mark.parametrize("name", arrays())
def test_broken_arrays(name: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", **arrays()[name])  # type: ignore[arg-type]
    with pytest.raises(DataError) as caught:
        audit(tmp_path / "p.npz", data=DATA)
    assert name in str(caught.value)
    assert "p.npz" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"predictions": "missing.jsonl"}, "prediction file is missing"),
        ({"data": None}, "needs labels"),
        ({"data": "missing"}, "data folder missing"),
        ({"predictions": None, "other": FILES / "ids.jsonl"}, "two prediction files"),
        ({"split": "tset"}, "no split 'tset'"),
        ({"reading": Reading(format="xls")}, "unknown format"),
        ({"reading": Reading(ids="0")}, "unknown numbering"),
        ({"reading": Reading(threshold=7)}, "threshold is out of range"),
        ({"reading": Reading(categories=DATA / "testSet.txt")}, "not one of all categories"),
        ({"labels": "mine"}, "unknown labels"),
        ({"labels": "labels"}, "labels.h5"),
        ({"claim": "high"}, "not an accuracy"),
        ({"claim": 180}, "not an accuracy"),
        ({"epochs": "missing.csv"}, "missing"),
        ({"groups": FILES / "wide.csv"}, "wrong header"),
        ({"supervision": "fully"}, "supervision"),
        ({"dataset": "nothing"}, "nothing"),
        ({"dataset": "worlds"}, "reads no folder"),
    ],
)
def test_wrong_requests(options: dict[str, object], expected: str) -> None:
    given = {"predictions": FILES / "names.jsonl", "data": DATA} | options
    with pytest.raises(AvelzooError) as caught:
        audit(**given)  # type: ignore[arg-type]
    assert expected in str(caught.value)
    assert caught.value.exit_code != 0


@pytest.mark.parametrize(("words", "expected"), [([], "nothing to audit"), (["--parse", "80.8"], "number of parts")])
def test_wrong_commands(words: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", *words]) == 2
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(path.name for path in FILES.glob("*.*")))
def test_random_damage_never_ends_in_another_error(name: str, tmp_path: Path) -> None:
    """Bytes cut, changed, repeated: the file is read, or refused with an error for users."""
    source = read_source(default_host().registry, DATA)
    content, draw = (FILES / name).read_bytes(), random.Random(name)  # noqa: S311
    path = tmp_path / name
    refused = 0
    for _ in range(25):
        damaged = bytearray(content)
        for _ in range(draw.randint(1, 3)):
            at = draw.randrange(len(damaged))
            kind = draw.choice(("cut", "change", "drop", "repeat"))
            if kind == "cut":
                damaged = damaged[: max(1, at)]
            elif kind == "change":
                damaged[at] = draw.randrange(256)
            elif kind == "drop":
                del damaged[at : min(len(damaged) - 1, at + draw.randint(1, 9))]
            else:
                damaged[at:at] = damaged[at : at + draw.randint(1, 60)]
        path.write_bytes(bytes(damaged))
        try:
            decode(read_predictions(path, split="test", seconds=1.0), source.splits, "test")
        except AvelzooError:
            refused += 1
    assert refused


def test_a_folder_without_predictions(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing", "utf-8")
    with pytest.raises(DataError, match="folder holds no predictions"):
        audit(tmp_path, data=DATA)
    with pytest.raises(DataError, match="folder instead of a prediction file"):
        audit(tmp_path, data=DATA, reading=Reading(format="csv"))
