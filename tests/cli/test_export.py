"""`avelzoo export`."""

from __future__ import annotations

import avelzoo


def test_the_command(call, tmp_path):
    folder = avelzoo.run(
        "single-branch", encoder="mean-pool", options={"train.epochs": 1}, out=tmp_path / "run"
    ).run_dir
    told = call("export", folder, "--onnx", "model.onnx", "--json")
    assert told.code == 0, told.err
    assert told.json["largest_difference"] <= 1e-4
    assert (tmp_path / "model.onnx").stat().st_size == told.json["bytes"]
    shown = call("export", folder, "--onnx", "again.onnx")
    assert "audio (b 10 32) float32" in " ".join(shown.out.split())
    assert "--onnx model.onnx" in call("export", folder).err
    assert call("export", tmp_path / "nothing", "--onnx", "x.onnx").code == 4
