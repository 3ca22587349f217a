"""Values of Python calls become overrides; anything but a mapping is refused in one message."""

from __future__ import annotations

import numpy as np
import pytest

import avelzoo
from avelzoo.composition.overrides import Override
from avelzoo.errors import UsageError


def test_values_are_converted_to_python_types():
    (override,) = Override.from_mapping({"memory.size": np.int64(8)}, "python")
    assert override == Override("memory.size", 8, "python")
    assert type(override.value) is int
    assert Override.from_mapping(None, "python") == ()


@pytest.mark.parametrize("call", [avelzoo.run, avelzoo.sweep])
@pytest.mark.parametrize("options", [["memory.size=8"], "memory.size=8", 8])
def test_options_that_are_no_mapping_are_refused(call, options, tmp_path):
    with pytest.raises(UsageError, match="the options are not a mapping") as fault:
        call("ead-b", options=options, out=tmp_path / "run")
    assert '{"memory.size": 8}' in fault.value.expected
