"""Utility: is a synthetic set worth training on? Students trained on it, tested on real rows."""
