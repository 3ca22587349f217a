"""`avelzoo extract` from videos to a run: round trip, failures, changed files, shards, locks, launchers."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from avelzoo.builtin.launchers.configs import InlineConfig, LocalConfig
from avelzoo.cli import main
from avelzoo.errors import DataError, OptionError, RunError, StorageError, UsageError
from avelzoo.extraction.journal import Journal
from avelzoo.extraction.locking import Shard, claimed
from avelzoo.extraction.request import ExtractionRequest, Features
from avelzoo.extraction.result import ExtractionResult
from avelzoo.extraction.running import extract
from avelzoo.extraction.video import extract_video
from avelzoo.plugin.default import default_host
from tests.extraction.clips import clip

FAST = Features(visual_options={"frames": 2, "grid": (2, 3)}, audio_options={"bands": 8}, device="cpu")
TABLE = """video,category,start,end
a 'b'.mp4,Dog,0,1
a 'b'.mp4,Dog,2,3
sub/ü.mp4,"Violin, fiddle",0.4,2
sub/ü.mp4,Dog,1,2
mute,Dog,0,2
none.mp4,,,
last.mp4,"Violin, fiddle",0,2
broken.mp4,Dog,0,1
gone.mp4,Dog,0,1
last.mp4,Dog,40,50
"""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five readable videos of 2 to 4 segments, and one that is none."""
    folder = tmp_path_factory.mktemp("made")
    clip(folder / "a 'b'.mp4", 3, 1)
    clip(folder / "sub" / "ü.mp4", 2, 2)
    clip(folder / "mute.mp4", 2, 3, sound=False)
    clip(folder / "none.mp4", 4, 4)
    clip(folder / "last.mp4", 2, 5)
    (folder / "broken.mp4").write_bytes(b"no video" * 50)
    (folder / "labels.csv").write_text(TABLE)
    (folder / "notes.txt").write_text("not a video")
    return folder


@pytest.fixture
def videos(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "videos"))


def run(videos: Path, out: Path, **how) -> ExtractionResult:
    launcher = how.pop("launcher", InlineConfig())
    how.setdefault("features", FAST)
    request = ExtractionRequest(out=out, videos=(videos,), **how)
    return extract(request, host=default_host(), launcher=launcher)


def digest(folder: Path) -> dict[str, str]:
    """Checksums of the final files."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir() if p.is_file()}


def array(path: Path) -> np.ndarray:
    with h5py.File(path) as file:
        return file["avadataset"][:]


def records(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (out / "journal" / "videos").glob("*.json")}


def test_features_of_a_folder(videos: Path, tmp_path: Path) -> None:
    result = run(videos, tmp_path / "out")
    assert (result.videos, result.extracted, result.exit_code) == (6, 5, 1)
    assert result.statuses == {"ok": 4, "no-audio": 1} and list(result.failed) == ["broken.mp4"]
    visual, audio = (array(tmp_path / "out" / f"{name}_feature.h5") for name in ("visual", "audio"))
    assert visual.shape == (5, 4, 2, 3, 8) and audio.shape == (5, 4, 16) and visual.dtype == np.float32
    extractors = FAST.build(default_host().registry)
    for row, name in enumerate(["a 'b'.mp4", "last.mp4", "mute.mp4", "none.mp4", "sub/ü.mp4"]):
        alone = extract_video(videos / name, *extractors)
        t = len(alone.audio)
        assert np.array_equal(visual[row, :t], alone.visual) and np.array_equal(audio[row, :t], alone.audio)
        assert not visual[row, t:].any() and not audio[row, t:].any()
    assert not (tmp_path / "out" / "events.csv").exists()


def test_a_table_makes_a_data_set(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(videos, out, table=videos / "labels.csv")
    assert (result.videos, result.extracted, result.rows, result.categories) == (7, 5, 6, 2)
    assert result.failed.keys() == {"broken.mp4", "gone.mp4"} and len(result.left_out) == 1
    assert "line 11" in result.left_out[0]
    assert (out / "events.csv").read_text() == (
        "row,video,segments,category,start,end\n"
        "0,a 'b'.mp4,3,Dog,0,1\n"
        "0,a 'b'.mp4,3,Dog,2,3\n"
        '1,sub/ü.mp4,2,"Violin, fiddle",0.4,2\n'
        "2,sub/ü.mp4,2,Dog,1,2\n"
        "3,mute,2,Dog,0,2\n"
        "4,none.mp4,4,,,\n"
        '5,last.mp4,2,"Violin, fiddle",0,2\n'
    )
    assert (out / "categories.txt").read_text() == "Dog\nViolin, fiddle\n"
    visual = array(out / "visual_feature.h5")
    assert np.array_equal(visual[1], visual[2])  # two rows of one video


def test_a_second_table_needs_no_extraction(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(videos, out)
    before = records(out)
    plain = "video,category,start,end\n" + "".join(f"{v},Dog,0,2\n" for v in ("last.mp4", "mute.mp4", "sub/ü.mp4"))
    (videos / "labels.csv").write_text(plain)
    result = run(videos, out, table=videos / "labels.csv")
    assert (result.resumed, result.exit_code, records(out)) == (3, 0, before)
    assert (out / "Annotations.txt").read_text().splitlines()[0] == "Dog&last.mp4&good&0&2"
    assert not (out / "events.csv").exists()
    (videos / "labels.csv").write_text(plain.replace("0,2", "0.5,2"))
    run(videos, out, table=videos / "labels.csv")
    assert not (out / "Annotations.txt").exists() and (out / "events.csv").exists()


def test_trains_from_a_table(videos: Path, tmp_path: Path) -> None:
    argv = ["extract", videos, "--table", videos / "labels.csv", "--out", tmp_path / "out", "--quiet"]
    argv += ["--visual.frames", "2", "--visual.grid", "2,3", "--audio.bands", "8", "--device", "cpu"]
    assert main([str(word) for word in argv]) == 1
    how = ["--data", tmp_path / "out", "--epochs", "1", "--encoder.width", "8", "--device", "cpu", "--quiet"]
    where = ["--out", tmp_path / "run"]
    assert main([str(w) for w in ["run", "single-branch", "--encoder", "mean-pool", *how, *where]]) == 0
    assert main(["evaluate", str(tmp_path / "run"), "--device", "cpu"]) == 0
    assert main(["run", "--resume", str(tmp_path / "run")]) == 0
    record = json.loads((tmp_path / "run" / "composition.json").read_text())
    assert record["extraction"]["visual"]["options"] == {"frames": 2, "grid": [2, 3]}


def test_the_result_does_not_depend_on_order_and_launcher(videos: Path, tmp_path: Path) -> None:
    run(videos, tmp_path / "one", table=videos / "labels.csv")
    wanted = digest(tmp_path / "one")
    local = LocalConfig(workers=2, threads=1, memory_mb=100, keep_free_mb=0)
    run(videos, tmp_path / "two", table=videos / "labels.csv", launcher=local)
    for number in (2, 1, 3):
        result = run(videos, tmp_path / "three", table=videos / "labels.csv", shard=Shard(number, 3))
        assert (result.waiting == 0) is (number == 3)
    assert digest(tmp_path / "two") == digest(tmp_path / "three") == wanted


def test_finished_work_is_not_repeated(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(videos, out)
    before, files = records(out), digest(out)
    inode = (out / "visual_feature.h5").stat().st_ino
    assert run(videos, out).resumed == 6
    assert (records(out), digest(out)) == (before, files)
    assert (out / "visual_feature.h5").stat().st_ino == inode


def test_a_changed_file_is_a_new_video(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(videos, out)
    before = array(out / "visual_feature.h5")
    clip(videos / "last.mp4", 2, 8)
    assert run(videos, out).resumed == 5
    after = array(out / "visual_feature.h5")
    assert not np.array_equal(before[1], after[1]) and np.array_equal(before[2:], after[2:])


def test_content_recognises_moved_files(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(videos, out, by_content=True)
    videos.rename(tmp_path / "moved")
    assert run(tmp_path / "moved", out, by_content=True).resumed == 6


def test_failures_are_kept_until_they_are_retried(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    reason = run(videos, out).failed["broken.mp4"]
    before = records(out)
    assert run(videos, out).failed == {"broken.mp4": reason} and records(out) == before
    stat = (videos / "broken.mp4").stat()
    result = run(videos, out, retry_failed=True)
    assert list(result.failed) == ["broken.mp4"] and result.resumed == 5
    changed = [name for name, time in records(out).items() if before[name] != time]
    assert len(changed) == 1 and stat.st_size == (videos / "broken.mp4").stat().st_size


def test_nothing_extracted_is_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    result = run(tmp_path / "a.mp4", tmp_path / "out")
    assert result.exit_code == 2 and not (tmp_path / "out" / "features.json").exists()


@pytest.mark.parametrize(
    "other",
    [
        Features(visual_options={"frames": 3, "grid": (2, 3)}, audio_options={"bands": 8}, device="cpu"),
        Features(visual_options={"frames": 2, "grid": (2, 3)}, audio_options={"bands": 9}, device="cpu"),
        Features(visual_options={"frames": 2, "grid": (2, 3)}, audio_options={"bands": 8}, device="cpu", seconds=0.5),
        Features(visual_options={"frames": 2, "grid": (2, 3)}, audio_options={"bands": 8}, device="cpu", segments=3),
    ],
    ids=["visual", "audio", "seconds", "segments"],
)
def test_another_recipe_is_refused(videos: Path, tmp_path: Path, other: Features) -> None:
    out = tmp_path / "out"
    run(videos, out)
    before = digest(out)
    with pytest.raises(UsageError, match="another extraction") as caught:
        run(videos, out, features=other)
    assert caught.value.found and caught.value.expected and digest(out) == before


def test_longer_videos_are_cut(videos: Path, tmp_path: Path) -> None:
    whole = run(videos, tmp_path / "whole")
    cut = run(videos, tmp_path / "cut", features=_with_segments(3))
    assert (whole.segments, cut.segments) == (4, 3)
    both = [array(tmp_path / name / "visual_feature.h5") for name in ("whole", "cut")]
    assert np.array_equal(both[0][:, :3], both[1])


def _with_segments(count: int) -> Features:
    return Features(visual_options=FAST.visual_options, audio_options=FAST.audio_options, device="cpu", segments=count)


def test_two_processes_in_one_folder(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(videos, out)
    journal = Journal(out).path
    with claimed(journal, Shard()), pytest.raises(RunError, match="another process"):
        run(videos, out)
    with claimed(journal, Shard(1, 2)):
        for shard in (Shard(), Shard(1, 2), Shard(1, 3)):
            with pytest.raises(RunError, match="another process"):
                run(videos, out, shard=shard)
        result = run(videos, out, shard=Shard(2, 2))
        assert result.videos == 3 and not result.rows  # the other shard will write the files
    assert run(videos, out, shard=Shard(1, 2)).rows == 5


def test_a_damaged_partial_is_extracted_again(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(videos, out)
    wanted = digest(out)
    first, second = sorted((out / "journal" / "videos").glob("*.f32"))[:2]
    first.write_bytes(first.read_bytes()[:-8])
    second.write_bytes(b"\0" * second.stat().st_size)
    (out / "journal" / "assembled.json").unlink()
    with pytest.raises(DataError, match="damaged"):
        run(videos, out)
    run(videos, out)
    assert digest(out) == wanted


def test_no_space_is_one_line_and_resumable(videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    real, left = os.fsync, [4]

    def full(handle: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="no space"):
        run(videos, out)
    monkeypatch.undo()
    assert not (out / "features.json").exists()
    run(videos, out)
    run(videos, tmp_path / "again")
    assert digest(out) == digest(tmp_path / "again")
    assert not list(out.rglob("*.partial")) and not list((out / "journal" / "videos").glob("*-*"))


def test_a_folder_that_cannot_be_written_is_one_line(videos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageError, match="cannot be written"):
        run(videos, tmp_path / "file" / "out")


def test_requests_that_cannot_work(videos: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("text")
    with pytest.raises(UsageError, match="other files"):
        run(videos, tmp_path / "full")
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError, match="no video found"):
        run(tmp_path / "none", tmp_path / "out")
    with pytest.raises(UsageError, match="no videos are named"):
        extract(ExtractionRequest(out=tmp_path / "out"), host=default_host(), launcher=InlineConfig())
    for values in ({"seconds": 0}, {"segments": 0}, {"precision": "16"}):
        with pytest.raises(OptionError):
            Features(**values)
    for text in ("3/2", "0/2", "1", "a/b"):
        with pytest.raises(OptionError, match="shard"):
            Shard.parse(text)
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_happened(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["extract", str(videos), "--out", str(tmp_path / "out"), "--visual.frames=2", "--device", "cpu"]
    assert main(argv) == 1
    out, _ = capsys.readouterr()
    assert "5 of 6 extracted: 1 no-audio, 4 ok" in out and "failed: broken.mp4: not a video" in out
    assert main([*argv, "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["resumed"] == 6 and list(said["failed"]) == ["broken.mp4"]
    assert main([*argv, "--audio", "colour-motion"]) == 2
    assert "not an extractor of audio features" in capsys.readouterr().err
    assert main([*argv, "--launcher.workers", "2"]) == 2
    assert "--launcher" in capsys.readouterr().err


def test_a_dead_process_costs_one_video(videos: Path, tmp_path: Path) -> None:
    """A video that kills the process of its job is a failure; the other videos of the job are extracted."""
    plugin = tmp_path / "deadly.py"
    plugin.write_text(
        "import os\n"
        "import numpy as np\n"
        "from avelzoo.builtin.extractors.visual_configs import ColourMotionConfig\n"
        "from avelzoo.builtin.extractors.colour_motion import ColourMotion\n"
        "class Deadly(ColourMotion):\n"
        "    def features(self, segments):\n"
        "        if len(segments) == 4:\n"  # none.mp4
        "            os._exit(9)\n"
        "        return super().features(segments)\n"
        "class DeadlyConfig(ColourMotionConfig):\n"
        "    def build(self, find, *, device='cpu', precision='32'):\n"
        "        return Deadly(self)\n"
        "def avelzoo_register(zoo):\n"
        "    zoo.extractor('deadly', DeadlyConfig)\n"
        "from avelzoo import hookimpl\n"
        "avelzoo_register = hookimpl(avelzoo_register)\n"
    )
    argv = ["--plugin", plugin, "extract", videos, "--out", tmp_path / "out", "--visual", "deadly", "--device", "cpu"]
    argv += ["--launcher", "local", "--launcher.workers", "1", "--launcher.memory_mb", "100"]
    argv += ["--launcher.keep_free_mb", "0", "--quiet"]
    try:
        assert main([str(word) for word in argv]) == 1
    finally:
        default_host().remove("deadly")
    lines = (tmp_path / "out" / "videos.csv").read_text().splitlines()
    failed = [line for line in lines if ",failed," in line]
    assert len(failed) == 2 and failed[0].startswith("broken.mp4,")
    assert failed[1].startswith("none.mp4,failed,0,0.0,") and "its process died" in failed[1]
