"""Keras, QKeras, HGQ2 and PyTorch models: hls4ml's fixed-point types -> the integer graph."""
