"""Ablations: one recipe, a row for each number of it that is changed, all trained and judged alike, and tables."""
