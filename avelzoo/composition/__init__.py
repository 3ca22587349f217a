"""From a recipe's name to a model: recipes, overrides with sources, checks, building."""
