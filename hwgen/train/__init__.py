"""Stage 2, train: float baseline, two-stage QAT in Brevitas and its rivals, with DET metrics."""

from hwgen.train.checkpoint import load_model
from hwgen.train.run import TrainResult, train_model

__all__ = ["TrainResult", "load_model", "train_model"]
