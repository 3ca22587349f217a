"""From a recipe's name to a model: recipes, overrides with their sources, checks, building."""
