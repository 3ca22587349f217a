"""Standard streams that are closed, full or of another encoding, and stdout that holds JSON alone."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from avelzoo.cli import streams

COMMAND = ("-m", "avelzoo", "list", "launchers")


@pytest.fixture
def start(root, tmp_path):
    """Run Python with arguments, with redirections in a shell's notation."""

    def run(*argv, redirect="", **environ):
        known = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        path = os.pathsep.join(filter(None, [environ.pop("PYTHONPATH", ""), str(root)]))
        return subprocess.run(
            ["/bin/sh", "-c", f'"$@" {redirect}', "sh", sys.executable, *argv],
            cwd=tmp_path,
            env=known | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"} | environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return run


CLOSINGS = [" ".join(chosen) for n in (1, 2, 3) for chosen in itertools.combinations(("<&-", ">&-", "2>&-"), n)]


@pytest.mark.parametrize("redirect", CLOSINGS)
def test_closed_streams_are_like_the_null_device(start, redirect):
    done = start(*COMMAND, redirect=redirect)
    assert (done.returncode, done.stderr) == (0, "")
    assert ("local" in done.stdout) == (">&-" not in redirect.split())
    failed = start("-m", "avelzoo", "show", "nothing-of-this-name", "--json", redirect=redirect)
    assert failed.returncode == 2
    assert ("no component or recipe is named" in failed.stderr) == ("2>&-" not in redirect)
    if ">&-" not in redirect.split():
        assert json.loads(failed.stdout)["exit_code"] == 2


def test_no_file_gets_the_number_of_a_closed_stream(start, tmp_path):
    code = """
        import os
        from avelzoo.cli import streams
        streams.open_closed()
        with open("numbers", "w") as file:
            print(file.fileno(), *map(os.get_inheritable, range(3)), file=file)
        print("lost")
    """
    done = start("-c", textwrap.dedent(code), redirect="<&- >&- 2>&-")
    assert done.returncode == 0
    number, *inheritable = (tmp_path / "numbers").read_text().split()
    assert int(number) > 2
    assert inheritable == ["True"] * 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("argv", "redirect", "code"),
    [
        (COMMAND, ">/dev/full", 5),
        ((*COMMAND, "--json"), ">/dev/full", 5),
        (("-m", "avelzoo", "--help"), ">/dev/full", 5),
        (COMMAND, ">/dev/full 2>/dev/full", 5),
        (COMMAND, "2>/dev/full", 0),
        (("-m", "avelzoo", "show", "nothing-of-this-name"), "2>/dev/full", 2),
        (COMMAND, "1</dev/null", 5),
    ],
)
def test_streams_that_refuse_what_is_written(start, argv, redirect, code):
    done = start(*argv, redirect=redirect)
    assert done.returncode == code
    lines = done.stderr.splitlines()
    if code == 5 and "2>" not in redirect:
        assert lines[0].startswith("error: standard output cannot be written: ")
        assert len(lines) == 2
    else:
        assert lines == []


@pytest.mark.parametrize(
    "environ",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"TERM": "dumb"},
        {"COLUMNS": "0"},
        {"COLUMNS": "1"},
        {"COLUMNS": "wide"},
    ],
    ids=str,
)
def test_odd_terminals_and_locales(start, environ):
    told = start("-m", "avelzoo", "show", "recipe", "ead-b", **environ)
    assert (told.returncode, told.stderr) == (0, "")
    assert "avelzoo/st-fusion" in told.stdout
    odd = start("-m", "avelzoo", "show", "h\u00e9ad\u202e", **environ)
    assert odd.returncode == 2
    assert "\u202e" not in odd.stderr
    assert "no component or recipe is named 'h" in odd.stderr
    assert r"\u" in odd.stderr
    assert "Traceback" not in odd.stderr


NOISY = '''
    import atexit, ctypes, logging, os, subprocess, sys, warnings

    def noise(place):
        print("NOISE print", place)
        sys.__stdout__.write(f"NOISE original {place}\\n")
        os.write(1, f"NOISE descriptor {place}\\n".encode())
        ctypes.CDLL(None).puts(f"NOISE C {place}".encode())
        subprocess.run(["echo", "NOISE program", place], check=True)
        warnings.warn(f"NOISE warning {place}")
        logging.basicConfig(stream=sys.stdout, level=logging.INFO)
        logging.getLogger("noisy").info("NOISE log %s", place)

    noise("import")
    atexit.register(noise, "exit")

    from dataclasses import dataclass
    from avelzoo import EncoderConfig, hookimpl

    @dataclass(frozen=True, kw_only=True)
    class NoisyConfig(EncoderConfig):
        """Adds both modalities."""

        def build(self, spec):
            from torch import nn
            from avelzoo import Encoded, Encoder, Widths

            class Noisy(Encoder):
                def __init__(self):
                    super().__init__()
                    self.widths = Widths(fused=8, audio=8, visual=8)
                    self.a, self.v = nn.Linear(spec.audio_dim, 8), nn.Linear(spec.visual_dim, 8)

                def forward(self, audio, visual):
                    noise("forward")
                    h, s = self.a(audio), self.v(visual.mean(dim=(2, 3)))
                    return Encoded(fused=h + s, audio=h, visual=s)

            noise("build")
            return Noisy()

    @hookimpl
    def avelzoo_register(zoo):
        noise("registration")
        zoo.encoder("noisy", NoisyConfig)

    @hookimpl
    def avelzoo_epoch_finished(run, epoch, metrics):
        noise("hook")
'''


@pytest.fixture
def noisy(tmp_path):
    """A folder in which a plugin is installed that prints in every way there is."""
    site = tmp_path / "site"
    info = site / "noisy-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: noisy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[avelzoo]\nnoisy = noisy_plugin\n")
    (site / "noisy_plugin.py").write_text(textwrap.dedent(NOISY))
    return str(site)


WAYS = ("print", "original", "descriptor", "C", "program", "warning", "log")


@pytest.mark.parametrize(
    ("argv", "places"),
    [
        (("list", "encoders"), ("import", "registration", "exit")),
        (("plugins",), ("import", "registration", "exit")),
        (("show", "nothing-of-this-name"), ("import", "registration", "exit")),
        (
            ("run", "single-branch", "--encoder", "noisy", "--epochs", "1", "--limit-batches", "1"),
            ("import", "registration", "build", "forward", "hook", "exit"),
        ),
    ],
    ids=lambda words: words[0],
)
def test_json_is_alone_whatever_plugins_print(shell, noisy, argv, places):
    told = shell(*argv, "--json", PYTHONPATH=noisy)
    assert told.json, told.err
    for place in places:
        for way in WAYS:
            assert f"NOISE {way} {place}" in told.err


def test_completions_are_alone_whatever_plugins_print(shell, noisy):
    words = {"_AVELZOO_COMPLETE": "complete_bash", "COMP_CWORD": "3"}
    told = shell(COMP_WORDS="avelzoo run ead-b --encoder.", PYTHONPATH=noisy, **words)
    assert "NOISE print import" in told.err
    assert "NOISE print exit" in told.err
    assert "--encoder.spatial_fusion" in told.out
    assert all(line.startswith("--encoder.") for line in told.out.splitlines())


def test_stdout_is_given_back_to_a_caller_in_the_same_process(shell):
    code = "from avelzoo.cli import main; import os; main(['list', '--json']); print('after'); os.write(1, b'raw')"
    told = shell("--version", before=code)
    rows, end = json.JSONDecoder().raw_decode(told.out)
    rest = told.out[end:]
    assert rows
    assert "after" in rest
    assert "raw" in rest


def test_a_stream_that_loses_what_it_cannot_write(tmp_path):
    file = tmp_path / "read-only"
    file.touch()
    with file.open("rb") as handle, streams._Lossy(handle.fileno(), "r", closefd=False) as lossy:
        assert lossy.write(b"gone") == 4
