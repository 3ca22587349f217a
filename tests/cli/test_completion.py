"""Completion as shells ask for it: in bash itself, and by the words that bash and zsh hand over."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from io import StringIO

import pytest

from avelzoo.cli import completing
from avelzoo.cli.app import build_app
from avelzoo.cli.completing import join_equals, typed_words
from avelzoo.doctor.completion import completion

BASH, ZSH = shutil.which("bash"), shutil.which("zsh")
ASK = """
eval "$(avelzoo --show-completion bash)"
complete -p avelzoo
ask() {
    COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); COMPREPLY=()
    "$(complete -p avelzoo | sed -E 's/.*-F ([^ ]+).*/\\1/')" avelzoo "${COMP_WORDS[COMP_CWORD]}"
    echo "${COMPREPLY[*]}"
}
ask avelzoo run ead-b --encoder = st
"""


@pytest.fixture
def program(tmp_path, root):
    """An environment whose PATH has a program ``avelzoo`` of this source tree."""
    file = tmp_path / "bin" / "avelzoo"
    file.parent.mkdir()
    file.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m avelzoo \"$@\"\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    path = os.pathsep.join([str(file.parent), os.environ["PATH"]])
    return os.environ | {"PATH": path, "PYTHONPATH": str(root), "AVELZOO_LOAD_PLUGINS": "", "HOME": str(tmp_path)}


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
def test_bash_completes_by_the_script_that_is_shown(program):
    done = subprocess.run([BASH, "--norc", "-c", ASK], env=program, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    registered, completed = done.stdout.strip().splitlines()
    assert "-o default" in registered  # file names where avelzoo offers nothing
    assert completed == "st-fusion"


@pytest.mark.skipif(ZSH is None, reason="zsh is not installed")
def test_zsh_reads_the_answer_of_the_program(program):
    """`_arguments` is zsh's own; here a stand-in prints what it receives after zsh's evaluation."""
    script = """
    compdef() { : }; _arguments() { print -r -- "$1" }; _files() { print files }
    eval "$(avelzoo --show-completion zsh)"
    words=(avelzoo run ead-b --encoder st); CURRENT=5; _avelzoo_completion
    """
    done = subprocess.run([ZSH, "-f", "-c", script], env=program, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith('*: :(("st-fusion":"')


@pytest.mark.parametrize(
    ("shell", "text"), [("bash", "complete -o default"), ("zsh", "#compdef avelzoo"), ("fish", "complete --command")]
)
def test_the_script_of_the_named_shell_is_printed(call, shell, text):
    told = call("--show-completion", shell)
    assert (told.code, told.err) == (0, "")
    assert text in told.out
    assert call(f"--show-completion={shell}").out == told.out


def test_an_unknown_shell_is_an_error(call):
    told = call("--show-completion", "zhs")
    assert told.code == 2
    assert "did you mean 'zsh'?" in told.err


def test_installing_writes_into_the_home_folder(call, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    told = call("--install-completion", "bash")
    assert told.code == 0
    script = tmp_path / ".bash_completions" / "avelzoo.sh"
    assert str(script) in told.out
    assert "complete -o default" in script.read_text()
    assert str(script) in (tmp_path / ".bashrc").read_text()
    assert list(completion(tmp_path, {"SHELL": "/bin/bash"}))[-1].level == "ok"  # `avelzoo doctor` finds it


@pytest.fixture
def ask(monkeypatch):
    """``ask("run", "ea")``: completions of the last word, as bash asks; the process itself is this one."""

    def answers(*words):
        monkeypatch.setenv("_AVELZOO_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", "\n".join(["avelzoo", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        join_equals(os.environ)
        out = StringIO()
        monkeypatch.setattr(sys, "stdout", out)
        with pytest.raises(SystemExit):
            build_app([])([], prog_name="avelzoo", standalone_mode=False)
        return out.getvalue().split()

    return answers


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["doc"], {"doctor"}),
        (["run", "ead-b-"], {"ead-b-official", "ead-b-tuned"}),
        (["run", "ead-b", "--encoder", "mean"], {"mean-pool"}),
        (["run", "ead-b", "--encoder", "=", "mean"], {"mean-pool"}),
        (["run", "ead-b", "--supervision", ""], {"full", "weak"}),
        (["run", "no-such-recipe", "--encoder", "mean"], {"mean-pool"}),
        (["run", "ead-b", "--head.threshold_f"], {"--head.threshold_from"}),
        (["run", "ead-b", "--launcher", "lo"], {"local"}),
        (["show", "deco"], {"decoder"}),
        (["show", "decoder", "thres"], {"threshold"}),
        (["show", "decoders", "thres"], {"threshold"}),
        (["show", "worlds-h"], {"worlds-hard"}),
        (["list", "mem"], {"memories"}),
        (["check", "mean"], {"mean-pool"}),
        (["new", "--kind", "he"], {"head"}),
        (["evaluate", "RUN", "--split", "t"], {"test", "train"}),
        (["predict", "a.mp4", "--format", "a"], {"all", "audacity"}),
        (["extract", "--audio", "vggi"], {"vggish"}),
        (["import-checkpoint", "ge"], {"ge2023"}),
        (["data", "doc"], {"doctor"}),
        (["data", "simulate", "--audio", "c"], {"cnn14"}),
        (["weights", "path", "yamnet-"], {"yamnet-classes", "yamnet-index"}),
        (["data", "status", "/us"], set()),  # a path: the shell's
        (["run", "--data", "/us"], set()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",  # the order of a set is not that of others
)
def test_words(ask, words, expected):
    assert set(ask(*words)) == expected


def test_a_name_of_several_kinds_is_offered_once(ask):
    found = ask("show", "cace")
    assert len(found) == len(set(found))


def test_the_word_at_the_cursor_is_not_a_finished_word():
    zsh = {"_AVELZOO_COMPLETE": "complete_zsh"}
    assert typed_words(zsh | {"_TYPER_COMPLETE_ARGS": "avelzoo run ea"}) == ["run"]
    assert typed_words(zsh | {"_TYPER_COMPLETE_ARGS": "avelzoo run ead-b "}) == ["run", "ead-b"]
    bash = {"_AVELZOO_COMPLETE": "complete_bash", "COMP_CWORD": "2"}
    assert typed_words(bash | {"COMP_WORDS": "avelzoo run ea --json"}) == ["run"]
    assert typed_words(bash | {"COMP_WORDS": "avelzoo run 'open"}) == ["run"]
    assert typed_words({}) == []


@pytest.mark.parametrize(
    ("line", "cursor", "joined", "moved"),
    [
        ("avelzoo run --head = ev", 4, "avelzoo run --head ev", 3),
        ("avelzoo run --head =", 3, "avelzoo run --head", 3),
        ("avelzoo run --head = ev --json", 2, "avelzoo run --head = ev --json", 2),
        ("avelzoo run --set a = 3", 5, "avelzoo run --set a = 3", 5),
    ],
)
def test_equals_signs_of_bash(line, cursor, joined, moved):
    environ = {"COMP_WORDS": line, "COMP_CWORD": str(cursor)}
    join_equals(environ)
    assert environ == {"COMP_WORDS": joined, "COMP_CWORD": str(moved)}


def test_choices_are_the_small_words_of_a_metavar():
    complete = completing._completion_of("threshold", "X|val")
    assert complete is not None
    assert complete(None, "") == [("val", "")]
    assert completing._completion_of("out", "DIR") is None
