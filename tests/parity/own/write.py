"""Writes the parity fixtures of this folder: weights and inputs by a rule, outputs by naive code.

``python -m tests.parity.own.write``, with the folder of naive_relation.py on the path, renews the files. A test
compares them with what the naive code computes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

FOLDER = Path(__file__).resolve().parent
A, V, D, FF, W, N, L, B, T, GRID = 6, 10, 8, 12, 5, 4, 3, 3, 6, (2, 3)
"""Channels (audio, image, network, feed-forward, attention), categories, slots, videos, segments, grid."""

Shapes = dict[str, tuple[int, ...]]


def linear(name: str, into: int, out: int) -> Shapes:
    return {f"{name}.weight": (out, into), f"{name}.bias": (out,)}


def block(name: str, attention: str, norms: tuple[str, str]) -> Shapes:
    """A transformer block."""
    shapes: Shapes = {f"{name}.{attention}.in_proj_weight": (3 * D, D), f"{name}.{attention}.in_proj_bias": (3 * D,)}
    shapes |= linear(f"{name}.{attention}.out_proj", D, D)
    shapes |= linear(f"{name}.linear1", D, FF) | linear(f"{name}.linear2", FF, D)
    return shapes | {f"{name}.{norm}.{part}": (D,) for norm in norms for part in ("weight", "bias")}


def ge2023() -> Shapes:
    shapes: Shapes = {}
    for name, channels in (("audio_fc", A), ("video_fc", V)):
        shapes |= linear(f"{name}.0", channels, D) | linear(f"{name}.2", D, D)
    for name in ("video_stf", "audio_tf", "video_ttf"):
        shapes |= block(f"{name}.layers.0", "self_attn", ("norm1", "norm2"))
    for name in ("spatial_decoder", "temporal_decoder"):
        shapes |= block(f"{name}.layers.0", "multihead_attn", ("norm2", "norm3"))
    for index, channels in ((0, 2 * D), (2, D)):
        shapes |= {f"fusion_layer.layers.{index}.weight": (D, channels, 3), f"fusion_layer.layers.{index}.bias": (D,)}
    shapes |= {f"fusion_layer.ln2.{part}": (D,) for part in ("weight", "bias")}
    shapes |= linear("audio_classifier", D, N) | linear("video_classifier", D, N)
    shapes |= linear("final_event_classifier.linear2", D, N) | linear("final_bg_classifier.linear2", D, 1)
    bank = {"cls_v_queue": (N, L, *GRID, V), "cls_a_queue": (N, L, A), "cls_sc_queue": (N, L)}
    return shapes | {f"aligned_bank.{name}": shape for name, shape in bank.items()}


def cmran() -> Shapes:
    att = "spatial_channel_att.affine_"
    shapes = linear("v_fc", V, V) | linear(f"{att}video_1", V, V) | linear(f"{att}audio_1", A, V)
    shapes |= linear(f"{att}bottleneck", V, W) | linear(f"{att}v_c_att", W, V)
    shapes |= linear(f"{att}video_2", V, W) | linear(f"{att}audio_2", A, W) | linear(f"{att}v_s_att", W, 1)
    for stream, channels in (("video", V), ("audio", A)):
        shapes |= linear(f"{stream}_encoder.affine_matrix", channels, D)
        shapes |= linear(f"{stream}_decoder.affine_matrix", channels, D)
        for i in range(2):
            shapes |= block(f"{stream}_encoder.encoder.layers.{i}", "self_attn", ("norm1", "norm2"))
        shapes |= block(f"{stream}_decoder.decoder.layers.0", "multihead_attn", ("norm1", "norm2"))
    joint = block("AVInter", "video_multihead", ("norm1", "norm1"))
    shapes |= {key: shape for key, shape in joint.items() if ".linear" not in key}
    return shapes | linear("localize_module.classifier", D, 1) | linear("localize_module.event_classifier", D, N)


def kind(key: str, shape: tuple[int, ...]) -> str:
    """How the entry is filled."""
    if key.startswith("aligned_bank."):
        return "bank_relu" if "cls_v" in key else "bank_abs"
    normal = key.split(".")[-2].startswith(("norm", "ln")) and key.endswith("weight")
    return "norm_weight" if normal else "weight" if len(shape) > 1 else "vector"


def ge2023_outputs(state: dict[str, Tensor], given: dict[str, Tensor]) -> Iterator[tuple[str, dict[str, Tensor]]]:
    from tests.parity.own import naive

    yield "eval", naive.evaluate(state, given["audio"], given["visual"])
    yield "train0", naive.train(state, given["audio"], given["visual"], given["labels"])


def cmran_outputs(state: dict[str, Tensor], given: dict[str, Tensor]) -> Iterator[tuple[str, dict[str, Tensor]]]:
    import naive_relation

    found = naive_relation.cmran(state, given["audio"], given["visual"], weak=False)
    category, relevant = found["event_scores"].argmax(-1), found["is_event_scores"].squeeze(-1).T > 0
    yield "eval", found | {"pred": torch.where(relevant, category[:, None], N)}
    losses = naive_relation.event_losses(found, given["labels"], gated=False)
    yield "train0", {name: found[name] for name in ("is_event_scores", "event_scores")} | losses


FIXTURES: dict[str, tuple[str, Callable[[], Shapes], Any]] = {
    "ge2023-own-full": ("ge2023", ge2023, ge2023_outputs),
    "cmran-own-full": ("cmran", cmran, cmran_outputs),
}


def description(name: str) -> dict[str, Any]:
    """What the file NAME.json says, the outputs left out."""
    system, shapes, _ = FIXTURES[name]
    entries = shapes()
    inputs = {"audio": (B, T, A), "visual": (B, T, *GRID, V), "labels": (B, T, N + 1)}
    return {
        "system": system,
        "setting": "full",
        "reference": "tests/parity/own, naive code in float64",
        "inputs": [[key, list(shape), "float32", f"input:{key}"] for key, shape in inputs.items()],
        "input_transform": {"audio": "abs", "visual": "relu", "labels": "labels"},
        "state_dict": [[key, list(shape), "float32"] for key, shape in entries.items()],
        "fill_kind": {key: kind(key, shape) for key, shape in entries.items()},
        "parameters": [key for key in entries if not key.startswith("aligned_bank.")],
    }


def computed(name: str) -> dict[str, np.ndarray]:
    """Every output by the naive code, in float64: modes, then norms of the gradients of train0's loss."""
    from tests.parity import fixtures

    spec = description(name)
    state = {key: torch.tensor(value, dtype=torch.float64) for key, value in fixtures.filled(spec).items()}
    given = {key: torch.tensor(value, dtype=torch.float64) for key, value in fixtures.drawn(name, spec).items()}
    for key in spec["parameters"]:
        state[key].requires_grad_()
    found: dict[str, np.ndarray] = {}
    for mode, values in FIXTURES[name][2](state, given):
        if mode == "train0":
            values["loss_total"].backward()
            norms = [np.nan if (grad := state[key].grad) is None else float(grad.norm()) for key in spec["parameters"]]
            values["grad_norm"] = torch.tensor(norms)
        for key, value in values.items():
            array = value.detach().numpy()
            found[f"{mode}.{key}"] = array if array.dtype == np.int64 else array.astype(np.float32)
    return found


def main() -> int:
    """Write the files."""
    for name in FIXTURES:
        values = computed(name)
        rows = [
            [key, list(value.shape), "int64, decoded or chosen" if value.dtype == np.int64 else "as the public code"]
            for key, value in values.items()
        ]
        text = json.dumps(description(name) | {"outputs": rows}, indent=None, separators=(", ", ": "))
        (FOLDER / f"{name}.json").write_text(text.replace("], [", "],\n["))
        np.savez_compressed(FOLDER / f"{name}.npz", **values)
    return 0


if __name__ == "__main__":
    sys.exit(main())
