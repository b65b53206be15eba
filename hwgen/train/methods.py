"""The four ways to a network: float, two-stage QAT, post-training quantization, one-stage QAT."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from hwgen.train.calibrate import calibrate
from hwgen.train.fit import batches, fit
from hwgen.train.network import SquashedMlp
from hwgen.train.precision import Precision
from hwgen.train.recipe import Fold, Plan, Recipe
from hwgen.train.world import World

SETTLED = 1.25  # headroom of the channel factors in a finetuning
MOVING = 2.0  # headroom of the channel factors where batch norm still learns


@dataclass(frozen=True, slots=True)
class Trainer:
    """One fold and seed of a recipe, with the folder where its checkpoints go."""

    recipe: Recipe
    fold: Fold
    index: int
    seed: int
    folder: Path
    world: World
    tick: Callable[[str], None]

    def stage_zero(self) -> SquashedMlp:
        """Return the squashed float network that float and two-stage training start from."""
        torch.manual_seed(self.seed)
        net = SquashedMlp(self.recipe.widths)
        self._fit(net, self.recipe.stages[0], "stage0")
        return net

    def float_net(self, start: SquashedMlp) -> SquashedMlp:
        """Return the float baseline: as many steps as the two-stage network, no quantizer."""
        net = _copy(start, Precision())
        self._fit(net, self.recipe.stages[1], "float_stage1")
        net.freeze_statistics()
        self._fit(net, self.recipe.stages[2], "float_stage2")
        return net

    def two_stage(self, start: SquashedMlp, weight_bits: int) -> SquashedMlp:
        """Return the two-stage network.

        Stage 1 trains the dense weights through tanh on ``weight_bits``, the rest float. Stage 2
        finetunes with everything quantized, batch norm and all steps frozen.
        """
        weights_only = _copy(start, Precision(weight=weight_bits))
        self._fit(weights_only, self.recipe.stages[1], f"w{weight_bits}_stage1")
        net = self._quantized(weights_only)
        net.freeze_statistics()
        self._fit(net, self.recipe.stages[2], f"w{weight_bits}_stage2")
        return net

    def post_training(self, baseline: SquashedMlp, weight_bits: int) -> SquashedMlp:
        """Return the float baseline quantized without further training."""
        return self._quantized(_copy(baseline, Precision(weight=weight_bits)))

    def one_stage(self, weight_bits: int) -> SquashedMlp:
        """Return a network quantized everywhere from its first step, for as many steps.

        Its steps are calibrated at the start, where batch norm already fixes the ranges.
        """
        torch.manual_seed(self.seed)
        start = SquashedMlp(self.recipe.widths, Precision(weight=weight_bits))
        start.to(self.world.device).train()
        with torch.no_grad():
            for batch in self._calibration_batches():
                start(batch)
        net = self._quantized(start, headroom=MOVING)
        self._fit(net, self.recipe.whole, f"w{weight_bits}_one_stage")
        return net

    def _quantized(self, net: SquashedMlp, headroom: float = SETTLED) -> SquashedMlp:
        precision = replace(self.recipe.precision, weight=net.precision.weight)
        steps = calibrate(
            net.to(self.world.device),
            precision,
            self._calibration_batches(),
            percentile=self.recipe.percentile,
            headroom=headroom,
        )
        quantized = SquashedMlp(net.widths, precision, steps)
        quantized.load_state_dict(net.state_dict())
        return quantized.to(self.world.device)

    def _calibration_batches(self) -> Iterator[Tensor]:
        stream = self.fold.train_stream(self.seed)
        positions = batches(stream, self.recipe, self.seed)
        for batch in positions[: self.recipe.calibration_batches]:
            yield torch.from_numpy(stream.windows(batch)).to(self.world.device)

    def _fit(self, net: SquashedMlp, plan: Plan, name: str) -> None:
        fit(
            net,
            self.fold,
            plan,
            recipe=self.recipe,
            seed=self.seed,
            world=self.world,
            checkpoint=self.folder / f"{name}.pt",
            tick=lambda: self.tick(f"fold {self.index} seed {self.seed} {name}"),
        )


def _copy(net: SquashedMlp, precision: Precision) -> SquashedMlp:
    copy = SquashedMlp(net.widths, precision)
    copy.load_state_dict(net.state_dict())
    return copy
