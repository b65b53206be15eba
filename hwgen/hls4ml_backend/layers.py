"""The layers of the integer network as hls4ml layers.

Both hls4ml backends use them: ``hwgen`` to translate, ``Vitis`` to write C++.  hls4ml learns of a
layer by name; ``parameters`` are arrays that the layer keeps as ``<name>_data`` and that become
weight variables with a type each.
"""

from __future__ import annotations

from math import prod

from hls4ml.model.attributes import Attribute, TypeAttribute, WeightAttribute
from hls4ml.model.layers import Layer, layer_map, register_layer


class MultiThreshold(Layer):
    """``y[c] = base + #{k : x[c] >= threshold[c, k]}``."""

    _expected_attributes = (
        Attribute("base", value_type=int),
        WeightAttribute("threshold"),
        TypeAttribute("threshold"),
    )

    def initialize(self) -> None:
        """Declare the output and the thresholds, (channels, levels)."""
        self.add_output_variable(list(self.get_input_variable().shape))
        self.add_weights_variable("threshold", var_name="t{index}")


class Requant(Layer):
    """``y[c] = confine(round((multiplier[c] * x[c] + bias[c]) / 2**shift), lo, hi)``."""

    _expected_attributes = (
        Attribute("shift", value_type=int),
        Attribute("rounding", value_type=str),
        Attribute("overflow", value_type=str),
        Attribute("lo", value_type=int),
        Attribute("hi", value_type=int),
        WeightAttribute("multiplier"),
        WeightAttribute("bias"),
        TypeAttribute("multiplier"),
        TypeAttribute("bias"),
    )

    def initialize(self) -> None:
        """Declare the output, the multipliers and the biases, (channels,) each."""
        self.add_output_variable(list(self.get_input_variable().shape))
        self.add_weights_variable("multiplier", var_name="m{index}")
        self.add_weights_variable("bias", var_name="b{index}")


class XnorPopcountMatMul(Layer):
    """Popcount of ``x xnor weight``, one per output, for each pixel."""

    _expected_attributes = (
        Attribute("space", value_type=list),
        WeightAttribute("weight"),
        TypeAttribute("weight"),
    )

    def initialize(self) -> None:
        """Declare the output and the weight bits, (out, in)."""
        self.add_output_variable([*self.get_attr("space"), self.get_attr("weight_data").shape[0]])
        self.add_weights_variable("weight", var_name="w{index}")


class Window(Layer):
    """The values under a kernel, (*kernel, channel), for each position of ``space``."""

    _expected_attributes = (
        Attribute("kernel", value_type=list),
        Attribute("stride", value_type=list),
        Attribute("dilation", value_type=list),
        Attribute("pads", value_type=list),
        Attribute("pad", value_type=int),
        Attribute("space", value_type=list),
    )

    def initialize(self) -> None:
        """Declare the output, (*space, values under the kernel)."""
        channels = self.get_input_variable().shape[-1]
        values = prod(self.get_attr("kernel")) * channels
        self.add_output_variable([*self.get_attr("space"), values])


class PixelMatMul(Layer):
    """``y = weight @ x`` for each pixel."""

    _expected_attributes = (
        Attribute("space", value_type=list),
        WeightAttribute("weight"),
        TypeAttribute("weight"),
        TypeAttribute("accum"),
    )

    def initialize(self) -> None:
        """Declare the output and the weights, (out, in)."""
        self.add_output_variable([*self.get_attr("space"), self.get_attr("weight_data").shape[0]])
        self.add_weights_variable("weight", var_name="w{index}")


class Depthwise(Layer):
    """``y[c] = sum over k of weight[c, k] * x[k, c]`` for each pixel."""

    _expected_attributes = (
        WeightAttribute("weight"),
        TypeAttribute("weight"),
        TypeAttribute("accum"),
    )

    def initialize(self) -> None:
        """Declare the output and the weights, (channels, taps)."""
        space = self.get_input_variable().shape[:-1]
        self.add_output_variable([*space, self.get_attr("weight_data").shape[0]])
        self.add_weights_variable("weight", var_name="w{index}")


class MaxOfTaps(Layer):
    """``y[c] = max over k of x[k, c]`` for each pixel."""

    _expected_attributes = (Attribute("taps", value_type=int),)

    def initialize(self) -> None:
        """Declare the output, (*space, channels)."""
        *space, values = self.get_input_variable().shape
        self.add_output_variable([*space, values // self.get_attr("taps")])


class Table(Layer):
    """``y[c] = table[c, x[c] - lo]``; one row serves all channels."""

    _expected_attributes = (
        Attribute("lo", value_type=int),
        WeightAttribute("table"),
        TypeAttribute("table"),
    )

    def initialize(self) -> None:
        """Declare the output and the table, (rows, entries)."""
        self.add_output_variable(list(self.get_input_variable().shape))
        self.add_weights_variable("table", var_name="t{index}")


class WeightedAdd(Layer):
    """``y = gain_a * a + gain_b * b``."""

    _expected_attributes = (
        Attribute("gain_a", value_type=int),
        Attribute("gain_b", value_type=int),
    )

    def initialize(self) -> None:
        """Declare the output, of the shape of both inputs."""
        self.add_output_variable(list(self.get_input_variable().shape))


class ChannelConcat(Layer):
    """The channels of the first input and then those of the second, for each pixel."""

    _expected_attributes = ()

    def initialize(self) -> None:
        """Declare the output, (*space, channels of both)."""
        a, b = (self.get_input_variable(name).shape for name in self.inputs)
        self.add_output_variable([*a[:-1], a[-1] + b[-1]])


class PixelUpsample(Layer):
    """Each pixel ``factor`` times along each axis, or once with ``fill`` between (``apart``)."""

    _expected_attributes = (
        Attribute("factor", value_type=list),
        Attribute("space", value_type=list),
        Attribute("apart", value_type=int),
        Attribute("fill", value_type=int),
    )

    def initialize(self) -> None:
        """Declare the output, (*space, channels)."""
        channels = self.get_input_variable().shape[-1]
        self.add_output_variable([*self.get_attr("space"), channels])


class ArgMax(Layer):
    """Index of the first largest element."""

    _expected_attributes = ()

    def initialize(self) -> None:
        """Declare the one output."""
        self.add_output_variable([1])


class FloatNetwork(Layer):
    """A whole network that hwgen has yet to turn into integers; see ``front_end``."""

    _expected_attributes = (Attribute("output_shape", value_type=list),)

    def initialize(self) -> None:
        """Declare the output, in real units."""
        self.add_output_variable(self.get_attr("output_shape"))


def register_layers() -> None:
    """Make hls4ml know the layers; a second call changes nothing."""
    for layer in (
        MultiThreshold, Requant, XnorPopcountMatMul, Window, PixelMatMul, Depthwise, MaxOfTaps,
        Table, ArgMax, WeightedAdd, ChannelConcat, PixelUpsample, FloatNetwork,
    ):  # fmt: skip
        if layer.__name__ not in layer_map:
            register_layer(layer.__name__, layer)
