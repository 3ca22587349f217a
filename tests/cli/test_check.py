"""`avelzoo check` writes each error of a component once."""

from __future__ import annotations

from avelzoo.cli.commands.check import _cells


def test_an_error_shared_by_checks_is_written_once():
    def row(name, check, error):
        return {"kind": "encoder", "name": name, "check": check, "error": error}

    rows = [row("a", "shapes", "E"), row("a", "rows", "E"), row("a", "seeds", ""), row("b", "rows", "E")]
    assert list(_cells(rows)) == [
        ("encoder a", "shapes", "E"),
        ("encoder a", "rows", "same error as shapes"),
        ("encoder a", "seeds", "ok"),
        ("encoder b", "rows", "E"),
    ]
