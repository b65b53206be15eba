"""Errors a user can fix: the message says where, which value, which rule, what to do."""


class HwgenError(Exception):
    """A problem the user can fix; ``str(error)`` is one paragraph."""


class ModelError(HwgenError):
    """The model file is not what hwgen reads: not ONNX, dynamic shapes, float weights, ..."""


class UnsupportedOp(ModelError):
    """A node has no exact integer form here; names the node, the reason and a remedy."""


class FoldError(HwgenError):
    """A folding, reuse factor, cycle target or part cannot be met."""


class ToolNotFound(HwgenError):
    """An external tool is missing; the message has the command that installs it."""


class ToolFailed(HwgenError):
    """An external tool ended with an error; the message has the command and its last lines."""


class OutputError(HwgenError):
    """A result cannot be written."""
