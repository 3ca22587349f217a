"""The main job from Python: train the paper's system on the embedded data, then ask the run it left.

Usage: python ten_lines.py [OPTION=VALUE ...], for example: python ten_lines.py train.epochs=2
"""

import sys

from avelzoo import load_run, recipes, run

options = dict(argument.split("=", 1) for argument in sys.argv[1:])

print("recipes:", ", ".join(recipes))
result = run("ead-b", options={"encoder.width": 128, **options})
print(result)

test = result.scores["test"]
print(f"its own category everywhere: {100 * test.floors.own_category_all_event:.1f}")
print(f"what localization adds: {100 * (test.segment_accuracy - test.floors.own_category_all_event):+.1f}")

model = load_run(result.run_dir).model
print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {int(model.memory.slots.filled.sum())} filled slots")
