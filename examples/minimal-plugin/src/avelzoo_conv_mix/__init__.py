"""The encoder 'conv-mix' for avelzoo."""
