"""Composite indices: several indicators as one figure, by a definition that its owner writes."""
