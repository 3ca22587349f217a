"""What only a process of its own shows: imports, pipes, broken plugins in the environment."""

from __future__ import annotations

import subprocess
import sys

import pytest

from avelzoo import __version__

HEAVY = ("torch", "timm", "h5py", "numpy")
REPORT = f"""
import atexit, sys
atexit.register(lambda: print("HEAVY", *[m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr))
"""


@pytest.mark.parametrize(
    "argv",
    [
        ("--help",),
        ("list",),
        ("show", "recipe", "ead-b"),
        ("plugins",),
        ("run", "ead-b", "--help"),
        ("run", "ead-b", "--dry-run"),
    ],
    ids=" ".join,
)
def test_answers_without_heavy_imports(shell, argv):
    told = shell(*argv, before=REPORT)
    assert told.code == 0, told.err
    assert told.out
    loaded = told.err.split("HEAVY")[1].split()
    assert "torch" not in loaded
    if argv[0] not in ("run",):
        assert loaded == []


def test_module_and_version(shell):
    assert shell("--version").out == f"avelzoo {__version__}\n"


def test_no_arguments_show_the_commands(shell):
    told = shell()
    assert told.code == 0
    assert "import-checkpoint" in told.out


@pytest.fixture
def strangers(tmp_path):
    """A folder of installed plugins: one that breaks at import, one that breaks the rules, one that works."""
    site = tmp_path / "site"
    plugins = {
        "explodes": "raise RuntimeError('boom\\nand more')",
        "unruly": (
            "from avelzoo import hookimpl\n@hookimpl\ndef avelzoo_register(zoo):\n    zoo.encoder('Bad Name', object)\n"
        ),
        "fine": (
            "from avelzoo import hookimpl\n"
            "@hookimpl\n"
            "def avelzoo_register(zoo):\n"
            "    from avelzoo.builtin.encoders.configs import MeanPoolConfig\n"
            "    zoo.encoder('mean-pool', MeanPoolConfig)\n"
            "    zoo.encoder('other-pool', MeanPoolConfig)\n"
        ),
    }
    for name, source in plugins.items():
        info = site / f"{name}-1.2.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[avelzoo]\n{name} = {name}_plugin\n")
        (site / f"{name}_plugin.py").write_text(source)
    return str(site)


def test_broken_plugins_are_rows_and_one_line_warnings(shell, strangers):
    rows = {row["name"]: row for row in shell("plugins", "--json", PYTHONPATH=strangers).json}
    assert [rows[n]["status"] for n in ("avelzoo", "explodes", "unruly", "fine")] == ["ok", "broken", "broken", "ok"]
    assert "boom" in rows["explodes"]["error"]
    assert rows["fine"]["offers"] == {"encoder": 2}

    told = shell("list", "encoders", "--json", PYTHONPATH=strangers)
    assert told.code == 0
    assert {"fine/other-pool", "avelzoo/st-fusion"} <= {row["qualified"] for row in told.json}
    warned = told.err.splitlines()
    assert len(warned) == 2
    assert all(line.startswith("warning: plugin '") for line in warned)


def test_a_name_that_two_plugins_offer_must_be_qualified(shell, strangers):
    told = shell("run", "ead-b", "--encoder", "mean-pool", "--dry-run", "--json", PYTHONPATH=strangers)
    assert told.code == 2
    assert told.json["error"] == "AmbiguousNameError"
    assert "fine/mean-pool" in told.json["found"]
    told = shell("run", "ead-b", "--encoder", "fine/mean-pool", "--dry-run", "--json", PYTHONPATH=strangers)
    assert told.json["slots"]["encoder"] | {"options": 0, "sources": 0} == {
        "name": "fine/mean-pool",
        "distribution": "fine",
        "version": "1.2",
        "options": 0,
        "sources": 0,
    }


def test_disabled_plugins_are_rows(shell, strangers):
    disabled = shell("plugins", "--json", PYTHONPATH=strangers, AVELZOO_DISABLE_PLUGINS="explodes, unruly, fine")
    assert disabled.err == ""
    assert {row["status"] for row in disabled.json} == {"ok", "disabled"}


def test_a_reader_who_leaves_early_causes_no_noise(root, tmp_path):
    writer = subprocess.Popen(
        [sys.executable, "-m", "avelzoo", "list", "--json"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root), "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert writer.stdout is not None
    assert writer.stderr is not None
    writer.stdout.close()
    err = writer.stderr.read()
    writer.stderr.close()
    assert writer.wait(timeout=60) == 1
    assert err == b""


def test_a_full_disk_behind_stdout_is_a_storage_error(root, tmp_path):
    from pathlib import Path

    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "avelzoo", "list", "--json"],
            cwd=tmp_path,
            env={"PYTHONPATH": str(root), "PATH": ""},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 5
    assert "Traceback" not in done.stderr
    assert "no space left" in done.stderr


def test_completion_knows_the_composition(shell):
    words = {"_AVELZOO_COMPLETE": "complete_bash", "COMP_CWORD": "5"}
    told = shell(COMP_WORDS="avelzoo run ead-b --encoder mean-pool --encoder.", **words)
    assert told.out.split() == ["--encoder.width", "--encoder.dropout", "--encoder.standardize"]
