"""Leaf facts about integers: types, rounding, elementwise functions, bit order."""
