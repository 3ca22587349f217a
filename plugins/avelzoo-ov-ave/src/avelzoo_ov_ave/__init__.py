"""OV-AVEBench for avelzoo: labels with none, one or several runs per clip."""
