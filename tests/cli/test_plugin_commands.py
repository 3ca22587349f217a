"""Commands of plugins: listed, run, and kept from replacing the built-in ones."""

from __future__ import annotations

GOOD = '''
import typer
from avelzoo import hookimpl

@hookimpl
def avelzoo_register_commands(app: typer.Typer):
    more = typer.Typer(help="Two in one.")

    @more.command()
    def inner():
        typer.echo("inside")

    app.add_typer(more, name="group")

    @app.command()
    def say_hello(name: str):
        """Greet somebody."""
        typer.echo(f"hello {name}")
'''
BAD = GOOD.replace("say_hello", "list").replace('"group"', '"bad-group"')
BROKEN = "from avelzoo import hookimpl\n\n@hookimpl\ndef avelzoo_register_commands(app):\n    raise KeyError('x')\n"


def test_a_command_and_a_group(shell, tmp_path):
    (tmp_path / "greeter.py").write_text(GOOD)
    told = shell("--plugin", "greeter.py", "--help")
    assert told.code == 0, told.err
    assert "Commands of greeter" in told.out
    assert "Greet somebody." in told.out
    assert shell("--plugin", "greeter.py", "say-hello", "world").out == "hello world\n"
    assert shell("--plugin", "greeter.py", "group", "inner").out == "inside\n"


def test_a_command_that_would_replace_a_built_in_one_is_left_out(shell, tmp_path):
    (tmp_path / "bad.py").write_text(BAD)
    (tmp_path / "broken.py").write_text(BROKEN)
    (tmp_path / "second.py").write_text(GOOD)
    (tmp_path / "third.py").write_text(GOOD)
    files = [word for name in ("bad", "broken", "second", "third") for word in ("--plugin", f"{name}.py")]
    told = shell(*files, "--help")
    assert told.code == 0
    assert "warning: plugin 'bad': commands left out: the command name 'list' is already used by avelzoo" in told.err
    assert "bad-group" not in told.out
    assert "warning: plugin 'broken': commands left out: KeyError" in told.err
    assert (
        "warning: plugin 'third': commands left out: the command name 'say-hello' is already used by plugin 'second'"
        in told.err
    )
    assert shell(*files, "list", "launchers").code == 0
    rows = shell(*files, "plugins", "--json").json
    assert {(r["name"], r["status"]) for r in rows if r["name"] in ("bad", "broken", "third")} == {
        (name, status) for name in ("bad", "broken", "third") for status in ("ok", "broken")
    }


def test_other_commands_do_not_ask_plugins(shell, tmp_path):
    (tmp_path / "loud.py").write_text(BROKEN)
    told = shell("--plugin", "loud.py", "list", "heads", "--json")
    assert (told.code, told.err) == (0, "")
