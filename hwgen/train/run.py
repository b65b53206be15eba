"""Train a model: every method, bit width and fold that its recipe asks for."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hwgen.train.evaluate import FLOAT_BITS, Score, score
from hwgen.train.methods import Trainer
from hwgen.train.network import SquashedMlp
from hwgen.train.recipe import Profile, Recipe, RecipeError, load_recipe
from hwgen.train.report import write_metrics, write_model, write_weights
from hwgen.train.world import World, join_world

Tick = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a training run wrote.

    leads    whether this process wrote them (one of those that torchrun started does)
    metrics  path of ``metrics.json``
    models   path of the two-stage ``model.pt`` of each weight bit width, of the first fold
             and seed
    scores   every run: fold, seed, method, bit width, DET curve
    """

    out: Path
    leads: bool
    metrics: Path
    models: dict[int, Path]
    scores: tuple[Score, ...]


def train_model(
    model: str | Path,
    out: Path,
    *,
    weight_bits: Sequence[int] | None = None,
    folds: Sequence[int] | None = None,
    profile: Profile = "full",
    data: str | Path | None = None,
    resume: bool = True,
) -> TrainResult:
    """Train float, two-stage, post-training and one-stage networks and write ``out``.

    model        a folder with net.py and train.toml, or its name under ``models``
    weight_bits  None: those of the recipe
    folds        indices of held-out speaker groups; None: those of the recipe
    data         None: the embedded default; else a folder or an .npz
    resume       go on from the checkpoints in ``out``; False deletes them
    raises       RecipeError, DataError
    """
    recipe = _chosen(load_recipe(model, profile, data), weight_bits, folds)
    out = Path(out)
    with join_world() as world:
        if world.leads:
            if not resume:
                rmtree(out / "checkpoints", ignore_errors=True)
            out.mkdir(parents=True, exist_ok=True)
        world.barrier()
        with _progress(recipe, world) as tick:
            return _train(recipe, out, profile, world=world, tick=tick)


def _chosen(
    recipe: Recipe, weight_bits: Sequence[int] | None, folds: Sequence[int] | None
) -> Recipe:
    chosen = replace(
        recipe,
        weight_bits=tuple(weight_bits or recipe.weight_bits),
        folds=tuple(recipe.folds if folds is None else folds),
    )
    available = recipe.task.fold_count
    if not chosen.folds or not all(0 <= fold < available for fold in chosen.folds):
        raise RecipeError(
            f"folds {list(chosen.folds)}: {recipe.name} has the folds 0..{available - 1} of "
            "held-out speakers; choose among them"
        )
    if not all(1 <= bits <= 8 for bits in chosen.weight_bits):
        raise RecipeError(
            f"weight bits {list(chosen.weight_bits)}: the squashed grid exists for 1..8 bits; "
            "choose among them"
        )
    return chosen


def _train(recipe: Recipe, out: Path, profile: Profile, *, world: World, tick: Tick) -> TrainResult:
    scores: list[Score] = []
    models: dict[int, Path] = {}
    for trainer in _trainers(recipe, out, world, tick):
        _check_width(trainer)
        nets = _networks(trainer)
        if world.leads:
            scores += _scores(nets, trainer)
        if not models:
            models = _write_first(nets, trainer, out) if world.leads else _paths(recipe, out)
        world.barrier()
    metrics = out / "metrics.json"
    if world.leads:
        metrics = write_metrics(scores, recipe, profile, out)
    return TrainResult(out, world.leads, metrics, models, tuple(scores))


def _trainers(recipe: Recipe, out: Path, world: World, tick: Tick) -> Iterator[Trainer]:
    for index in recipe.folds:
        fold = recipe.task.fold(index)
        for seed in recipe.seeds:
            yield Trainer(
                recipe=recipe,
                fold=fold,
                index=index,
                seed=seed,
                folder=out / "checkpoints" / f"fold{index}_seed{seed}",
                world=world,
                tick=tick,
            )


def _check_width(trainer: Trainer) -> None:
    recipe = trainer.recipe
    features = trainer.fold.train_stream(0).windows(np.array([0])).shape[1]
    if features != recipe.widths[0]:
        raise RecipeError(
            f"{recipe.name}: a window of this data has {features} features, the network takes "
            f"{recipe.widths[0]}; change left and right in train.toml or WIDTHS in net.py"
        )


def _networks(trainer: Trainer) -> dict[tuple[str, int], SquashedMlp]:
    start = trainer.stage_zero()
    baseline = trainer.float_net(start)
    nets = {("float", FLOAT_BITS): baseline}
    for bits in trainer.recipe.weight_bits:
        nets["two-stage", bits] = trainer.two_stage(start, bits)
        nets["ptq", bits] = trainer.post_training(baseline, bits)
        nets["one-stage", bits] = trainer.one_stage(bits)
    return nets


def _scores(nets: dict[tuple[str, int], SquashedMlp], trainer: Trainer) -> Iterator[Score]:
    streams = trainer.fold.test_streams()
    for (method, bits), net in nets.items():
        accuracy, curve = score(net, streams, trainer.recipe)
        yield Score(
            fold=trainer.index,
            seed=trainer.seed,
            held_out=trainer.fold.name,
            method=method,
            weight_bits=bits,
            accuracy=accuracy,
            curve=curve,
        )


def _paths(recipe: Recipe, out: Path) -> dict[int, Path]:
    return {bits: out / f"w{bits}" / "model.pt" for bits in recipe.weight_bits}


def _write_first(
    nets: dict[tuple[str, int], SquashedMlp], trainer: Trainer, out: Path
) -> dict[int, Path]:
    recipe = trainer.recipe
    trained = {bits: nets["two-stage", bits] for bits in recipe.weight_bits}
    write_weights({FLOAT_BITS: nets["float", FLOAT_BITS]} | trained, out / "weights.npz")
    return {
        bits: write_model(net, trainer.fold, _paths(recipe, out)[bits].parent)
        for bits, net in trained.items()
    }


def _epochs(recipe: Recipe) -> int:
    zero, one, two = (stage.epochs for stage in recipe.stages)
    per_bits = one + two + recipe.whole.epochs
    return (
        len(recipe.folds)
        * len(recipe.seeds)
        * (zero + one + two + per_bits * len(recipe.weight_bits))
    )


@contextmanager
def _progress(recipe: Recipe, world: World) -> Iterator[Tick]:
    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("epochs, left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not world.leads) as progress:
        task = progress.add_task(recipe.name, total=_epochs(recipe))

        def tick(stage: str) -> None:
            progress.update(task, advance=1, description=stage)

        yield tick
