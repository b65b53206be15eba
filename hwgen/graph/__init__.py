"""The integer graph: frozen layers, verifier, ranges, NumPy reference, file form."""
