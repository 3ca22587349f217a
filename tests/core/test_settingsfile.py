"""Settings files: what is read, and what is refused with which advice."""

from __future__ import annotations

import pytest

from avelzoo.composition.resolving import resolve
from avelzoo.composition.settings_file import read_settings
from avelzoo.errors import AvelzooError, DataError, OptionError, UsageError
from avelzoo.plugin.host import PluginHost


@pytest.fixture(scope="module")
def registry():
    return PluginHost(entry_points=False).registry


@pytest.fixture
def file(tmp_path):
    return tmp_path / "mine.toml"


@pytest.mark.parametrize(
    ("data", "tables"),
    [
        (b"", {}),
        (b"# nothing yet\n", {}),
        (b"\xef\xbb\xbf", {}),
        (b"\xef\xbb\xbf[train]\nepochs = 3\n", {"train": {"epochs": 3}}),
        (b"[train]\r\nepochs = 3\r\n", {"train": {"epochs": 3}}),
        (b"train.epochs = 3\n", {"train": {"epochs": 3}}),
        ("[dataset]\nroot = 'C:\\Users\\é'\n".encode(), {"dataset": {"root": "C:\\Users\\é"}}),
        (b'[dataset]\nroot = "C:/new/table"\n', {"dataset": {"root": "C:/new/table"}}),
    ],
)
def test_what_is_read(file, data, tables):
    file.write_bytes(data)
    assert read_settings(file) == tables


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ("[train]\nepochs = 3\n".encode("utf-16"), DataError, "is UTF-16, not UTF-8\n.*\n.*save it as UTF-8"),
        ("[train]\nepochs = 3\n".encode("utf-32"), DataError, "is UTF-32, not UTF-8"),
        ("[train]\nepochs = 3\n".encode("utf-16-le"), DataError, "line 1\n.*NUL byte.*UTF-16"),
        (b"[train]\nepochs = 3\n\0", DataError, "mine.toml, line 3\n.*NUL byte"),
        (b"[train]\n# caf\xe9\n", DataError, "mine.toml, line 2\n.*0xe9.*Latin-1.*\n.*save it as UTF-8"),
        (b"\x89PNG\r\n\xff", DataError, "not UTF-8 text"),
        (
            b'[dataset]\nroot = "C:\\Users\\me"\n',
            DataError,
            r"line 2\n.*found: root = .*\n.*forward slashes.*single quotes",
        ),
        (b'[dataset]\nroot = "D:\\media"\n', DataError, "forward slashes"),
        (b"[dataset]\nroot = C:\\Users\n", DataError, "forward slashes"),
        (
            b'[dataset]\nroot = "C:\\new\\table"\n',
            DataError,
            r"'dataset.root' contains a control character[\s\S]*single quotes",
        ),
        (
            b"[train]\nepochs = 3\nepochs = 4\n",
            DataError,
            "not valid TOML: Cannot overwrite.*\n.*line 3\n.*\n.*write each key",
        ),
        (b"[train]\nepochs = 3\n[train]\nseed = 4\n", DataError, "line 3\n.*\n.*write each key and each .table. once"),
        (b"[train\n", DataError, "not valid TOML"),
        (b"[train]\nepochs = " + b"1" * 5000, DataError, "not valid TOML: Exceeds the limit"),
        (b"x = " + b"[" * 5000, DataError, "nested too deeply"),
        (b"[[train]]\nepochs = 3\n", UsageError, r"\[\[train\]\] is a list of tables.*\n.*\n.*\[train\]"),
        (b"[[memory]]\nname = 'none'\n[[memory]]\nsize = 3\n", UsageError, r"\[\[memory\]\] is a list of tables"),
        (b"train = 3\n", UsageError, "'train' is a value; a slot is a table"),
        (b"train = []\n", UsageError, "'train' is a value"),
        (b"encoder = 'st-fusion'\n", UsageError, "found: encoder = 'st-fusion'\n.*\n.*choose a component with `name`"),
        (b"epochs = 3\n", UsageError, r"unexpected entry 'epochs'[\s\S]*below the line \[train\]"),
        (b"[Train]\nepochs = 3\n", UsageError, "did you mean 'train'"),
        (b"[memroy]\nsize = 4\n", UsageError, "did you mean 'memory'"),
        (b"[launcher]\nworkers = 4\n", UsageError, "unexpected entry 'launcher'"),
        (b"[memory]\nname = 3\n", UsageError, "the name of the memory is not a string"),
        (b"[memory]\nname = ''\n", UsageError, "the name of the memory is not a string"),
        (b"[memory]\nname = false\n", UsageError, "the name of the memory is not a string"),
    ],
)
def test_what_is_refused(file, data, error, message):
    file.write_bytes(data)
    with pytest.raises(error, match=message) as fault:
        read_settings(file)
    assert str(file) in fault.value.where
    assert all(line.isprintable() for line in str(fault.value).split("\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[train]\nname = "adamw"\n', "unknown option 'train.name'[\\s\\S]*expected: .*epochs, batch_size"),
        ("[optimizer]\nlearning-rate = 1\n", "did you mean 'learning_rate'"),
        ("[train]\nlearning-rate = 1\n", "train.learning-rate is now optimizer.learning_rate"),
        ("[train]\nprecision = '64'\n", "train.precision is now compute.precision"),
        ("[train]\nresident = 'float16'\n", "train.resident is now compute.cache_on_device"),
        ("[train]\nschedule = 'steps'\n", r"train.schedule is now the slot 'schedule': .*\[schedule\]"),
        ("[schedule]\ngamma = 0.1\n", "unknown option 'schedule.gamma'"),
        ("[train]\n[train.optimizer]\nname = 'adamw'\n", "unknown option 'train.optimizer'"),
        ("[memory]\nsise = 4\n", "did you mean 'size'"),
        ("[memory]\nname = 'none'\nsize = 4\n", "unknown option 'memory.size'"),
        ("[encoder]\nmargin = 4\n", "did you mean 'head.margin'"),
        ("[train]\nepochs = 0\n", "does not accept 0"),
        ("[train]\nepochs = 'many'\n", "does not accept 'many'"),
        ("[train]\nepochs = 2026-01-01\n", "does not accept"),
    ],
)
def test_every_key_is_used_or_refused(registry, file, text, message):
    file.write_text(text)
    with pytest.raises(OptionError, match=message) as fault:
        resolve(registry, "ead-b", file=file)
    assert fault.value.where == f"file {file}"


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "settings.toml").touch()
    for path, message in (
        (tmp_path / "setting.toml", "does not exist; did you mean 'settings.toml'"),
        (tmp_path / "no" / "mine.toml", "the settings file does not exist"),
        (tmp_path, "cannot read the settings file: is a directory"),
        (tmp_path / "settings.toml" / "x", "cannot read the settings file: not a directory"),
        (tmp_path / "a\0b", "cannot read the settings file: embedded null byte"),
    ):
        with pytest.raises(AvelzooError, match=message):
            read_settings(path)
