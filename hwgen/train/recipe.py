"""The recipe of a model: every hyper-parameter, read from its ``train.toml``."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from hwgen.errors import HwgenError
from hwgen.train.definition import FILE, load_module
from hwgen.train.precision import Precision

Profile = Literal["full", "demo"]
Settings = Mapping[str, Any]  # a parsed TOML table
FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


class RecipeError(HwgenError):
    """A model folder or its ``train.toml`` is not what the trainer reads."""


class Standardisation(Protocol):
    """Mean and deviation of the features, one row per group of speakers."""

    @property
    def speakers(self) -> npt.NDArray[np.str_]:
        """Name of each group; "*" is everybody."""

    @property
    def mean(self) -> FloatArray:
        """(groups, features)."""

    @property
    def deviation(self) -> FloatArray:
        """(groups, features)."""


class Stream(Protocol):
    """Frames in a row with their labels and the intervals of the keyword."""

    @property
    def labels(self) -> IntArray:
        """1 inside the keyword, else 0; (frames,)."""

    @property
    def keywords(self) -> IntArray:
        """First frame and frame after the last of each keyword; (n, 2)."""

    def __len__(self) -> int: ...

    def windows(self, positions: IntArray) -> FloatArray:
        """Return network inputs, (positions, features of a window)."""


class Fold(Protocol):
    """One split by speaker."""

    @property
    def name(self) -> str:
        """The held-out speakers."""

    def train_stream(self, seed: int) -> Stream:
        """Return the training recordings in the order that ``seed`` draws."""

    def test_streams(self) -> Sequence[Stream]:
        """Return the held-out recordings in several fixed orders."""

    @property
    def standardisation(self) -> Standardisation:
        """The constants that the frames were standardised with."""


class Task(Protocol):
    """What a model's ``net.py`` gives the trainer: data in folds of held-out speakers."""

    @property
    def origin(self) -> str:
        """Which data and which split, one line."""

    @property
    def fold_count(self) -> int:
        """Number of groups of held-out speakers."""

    def fold(self, held_out: int) -> Fold:
        """Return the split that holds out one group."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One stage of training: epochs and the learning rate that a cosine takes to zero."""

    epochs: int
    learning_rate: float


@dataclass(frozen=True, slots=True)
class Recipe:
    """Hyper-parameters of one model and profile; the field names are those of ``train.toml``."""

    name: str
    widths: tuple[int, ...]
    task: Task
    weight_bits: tuple[int, ...]
    folds: tuple[int, ...]
    seeds: tuple[int, ...]
    precision: Precision
    percentile: float
    calibration_batches: int
    batch: int
    share: float
    weight_decay: float
    stages: tuple[Plan, Plan, Plan]
    smoothing_frames: int
    lockout_frames: int
    operating_frr: float

    @property
    def macs(self) -> int:
        """Multiply-accumulates per inference, equal to the number of dense weights."""
        return sum(i * o for i, o in pairwise(self.widths))

    @property
    def whole(self) -> Plan:
        """One stage as long as all three, for the one-stage baseline."""
        return Plan(sum(stage.epochs for stage in self.stages), self.stages[0].learning_rate)


def load_recipe(model: str | Path, profile: Profile, data: str | Path | None) -> Recipe:
    """Return the recipe of a model folder (or of ``models/<name>``).

    profile  "demo" lays the table ``[demo]`` over the rest of ``train.toml``
    data     handed to the model's ``task``; None is the embedded default
    raises   RecipeError for a missing folder, file or key
    """
    folder = _folder(model)
    try:
        settings = tomllib.loads((folder / "train.toml").read_text())
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(
            f"{folder / 'train.toml'}: not valid TOML: {error}; correct it"
        ) from error
    if profile == "demo":
        settings = _merge(settings, settings.get("demo", {}))
    net = load_module(folder / FILE)
    try:
        return _recipe(folder.name, net.WIDTHS, net.task(data, settings["data"]), settings)
    except (KeyError, AttributeError, TypeError) as error:
        raise RecipeError(
            f"{folder}: {error!r}; net.py needs WIDTHS and task(source, settings), train.toml the "
            "tables and keys of models/kws_mlp/train.toml"
        ) from error


def _recipe(name: str, widths: Sequence[int], task: Task, settings: Settings) -> Recipe:
    quantization, training, metrics = (settings[k] for k in ("quantization", "train", "metrics"))
    return Recipe(
        name=name,
        widths=tuple(widths),
        task=task,
        weight_bits=tuple(quantization["weight_bits"]),
        folds=tuple(training["folds"]),
        seeds=tuple(training["seeds"]),
        precision=Precision(
            input=quantization["input_bits"],
            activation=quantization["activation_bits"],
            scale=quantization["scale_bits"],
            bias=quantization["bias_bits"],
        ),
        percentile=quantization["percentile"],
        calibration_batches=quantization["calibration_batches"],
        batch=training["batch"],
        share=training["share"],
        weight_decay=training["weight_decay"],
        stages=(
            Plan(**settings["stage0"]),
            Plan(**settings["stage1"]),
            Plan(**settings["stage2"]),
        ),
        smoothing_frames=metrics["smoothing_frames"],
        lockout_frames=metrics["lockout_frames"],
        operating_frr=metrics["operating_frr"],
    )


def _folder(model: str | Path) -> Path:
    for folder in (Path(model), Path("models") / model):
        if (folder / "net.py").is_file() and (folder / "train.toml").is_file():
            return folder.resolve()
    raise RecipeError(
        f"model {model}: no net.py and train.toml in {Path(model)} or {Path('models') / model}; "
        "give the folder of a model, for example models/kws_mlp"
    )


def _merge(base: Settings, over: Settings) -> dict[str, Any]:
    merged = {key: value for key, value in base.items() if key != "demo"}
    for key, value in over.items():
        nested = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if nested else value
    return merged
