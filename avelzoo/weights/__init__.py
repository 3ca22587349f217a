"""Files of published weights: where they lie, whether they are complete, and how they get there."""
