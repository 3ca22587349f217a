"""Whatever goes wrong: one message, one exit code, no traceback, and JSON where JSON was asked for."""

from __future__ import annotations

import errno
import sys
import warnings
from types import SimpleNamespace

import pytest

from avelzoo import errors
from avelzoo.cli import failures, render
from avelzoo.config import options


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (errors.DataError("odd file", where="a.h5"), 3, "a.h5"),
        (errors.RunError("no run"), 4, "no run"),
        (errors.PluginError("bad plugin"), 6, "bad plugin"),
        (errors.TrainingError("loss is nan"), 7, "loss is nan"),
        (OSError(errno.ENOSPC, "No space left on device", "x/best"), 5, "free some space"),
        (PermissionError(errno.EACCES, "Permission denied", "x"), 5, "permission"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "gone"), 3, "gone"),
        (MemoryError(), 7, "--batch-size"),
        (KeyboardInterrupt(), 130, "--resume"),
        (ValueError("surprise\nwith a second line"), 1, "report"),
    ],
)
def test_every_failure_has_a_message_and_a_code(call, monkeypatch, error, code, said):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr("avelzoo.cli.catalogue.row", fail)
    told = call("list")
    assert told.code == code
    assert said in told.err
    assert told.err.startswith("error: ")
    assert "Traceback" not in told.err
    assert told.out == ""

    told = call("list", "--json")
    assert told.code == code == told.json["exit_code"]
    assert told.json["error"]


def test_traceback_of_a_surprise_only_on_request(call, monkeypatch):
    def fail(*args, **kwargs):
        raise ValueError("surprise")

    monkeypatch.setattr("avelzoo.cli.catalogue.row", fail)
    monkeypatch.setenv("AVELZOO_DEBUG", "1")
    told = call("list")
    assert told.code == 1
    assert "Traceback" in told.err
    assert "surprise" in told.err


def test_errors_in_color_on_a_terminal():
    import io

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    failures._print(errors.DataError("odd [file]", where="a: b", fix="look"), stream)
    shown = stream.getvalue()
    assert "odd [file]" in shown
    assert "a: b" in shown


def test_usage_errors_as_json(call):
    told = call("run", "ead-b", "--memory.sise", "3", "--json")
    assert told.code == 2 == told.json["exit_code"]
    assert "--memory.size" in told.json["problem"]


ODD = "a\x1b[2J\u202e\x85b\tc\nd\udcff"
SEEN = r"a\x1b[2J\u202e\x85b\tc\nd\udcff"


def test_control_characters_are_shown_as_escapes(call, monkeypatch):
    def fail(*args, **kwargs):
        raise errors.DataError(f"odd {ODD}", where=ODD, found=ODD, expected=ODD, fix=ODD)

    monkeypatch.setattr("avelzoo.cli.catalogue.row", fail)
    told = call("list")
    labels = ("error: odd", "  where:", "  found:", "  expected:", "  what to do:")
    assert told.err.split("\n")[:-1] == [f"{label} {SEEN}" for label in labels]
    assert call("list", "--json").json["where"] == ODD


def test_control_characters_in_warnings_and_tables_are_shown_as_escapes(capsys):
    with failures.short_warnings():
        warnings.simplefilter("always")
        warnings.warn("odd \x1b[2J", UserWarning, stacklevel=1)
    assert capsys.readouterr().err == "warning: odd \\x1b[2J\n"
    out = render.console()
    out.print("odd \x1b[2J")
    out.print(render.table(("a",), [("b\x1b[2J",)]))
    out.print(render.fields({"c": "d\x1b[2J"}))
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert shown.count(r"\x1b[2J") == 3


def test_a_part_that_ends_the_program_is_an_error(call, monkeypatch):
    def fail(*args, **kwargs):
        sys.exit("not today")

    monkeypatch.setattr("avelzoo.cli.catalogue.row", fail)
    told = call("list", "--json")
    assert told.code == 1
    assert told.json["problem"] == "the program was ended by a call of sys.exit: SystemExit: not today"
    assert __file__ in told.json["where"]


def test_a_json_command_prints_one_document_whatever_happens_after_it(call, monkeypatch):
    def emit_and_fail(data):
        render.emit_json(data)
        sys.stdout.write("and more")
        raise errors.RunError("too late")

    monkeypatch.setattr("avelzoo.cli.commands.listing.render", SimpleNamespace(emit_json=emit_and_fail))
    told = call("list", "--json")
    assert told.code == 4 == told.json["exit_code"]
    assert "and more" in told.err


def test_help_is_no_json(call):
    assert "Usage" in call("list", "--json", "--help").out


def test_advice_is_never_a_help_text():
    """What an option does says nothing about what to do with a value that it does not accept."""
    from avelzoo.builtin.memory.configs import JsdBankConfig

    with pytest.raises(errors.OptionError) as fault:
        JsdBankConfig(size=0)
    helps = {option.help for option in options(JsdBankConfig)}
    assert fault.value.fix not in helps
