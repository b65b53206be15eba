"""One stage of training: epochs over shuffled frames, resumable after every epoch."""

import hashlib
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from hwgen.train.network import SquashedMlp
from hwgen.train.recipe import Fold, Plan, Recipe, Stream
from hwgen.train.world import World

SAMPLED = 97  # one window in so many identifies the training data


def fit(
    net: SquashedMlp,
    fold: Fold,
    plan: Plan,
    *,
    recipe: Recipe,
    seed: int,
    world: World,
    checkpoint: Path,
    tick: Callable[[], None],
) -> None:
    """Train ``net`` in place; a killed run goes on from its last finished epoch.

    checkpoint  written after every epoch; used again only if it began from the same data,
                hyper-parameters and parameters as this call
    tick        called once per epoch, also for the epochs found in the checkpoint
    """
    net.to(world.device)
    optimizer = torch.optim.AdamW(
        net.parameters(), plan.learning_rate, weight_decay=recipe.weight_decay
    )
    fingerprint = _fingerprint(net, fold, plan, recipe=recipe, seed=seed)
    done = _resume(net, optimizer, checkpoint, fingerprint)
    for _ in range(done):
        tick()
    model = net if world.size == 1 else DistributedDataParallel(net)
    for epoch in range(done, plan.epochs):
        _epoch(model, optimizer, fold, plan, epoch, recipe=recipe, seed=seed + epoch, world=world)
        if world.leads:
            _save(checkpoint, net, optimizer, fingerprint, epoch + 1)
        tick()
    world.barrier()
    # Every process goes on from the lead's state: batch-norm statistics are per process.
    _resume(net, optimizer, checkpoint, fingerprint)


def batches(stream: Stream, recipe: Recipe, seed: int) -> list[np.ndarray]:
    """Return the frame positions of each batch of an epoch: a random share, in random order."""
    order = np.random.default_rng(seed).permutation(len(stream))
    order = order[: math.ceil(recipe.share * len(order))]
    size = min(recipe.batch, len(order))
    return list(order[: len(order) // size * size].reshape(-1, size))


def _epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    fold: Fold,
    plan: Plan,
    epoch: int,
    *,
    recipe: Recipe,
    seed: int,
    world: World,
) -> None:
    stream = fold.train_stream(seed)
    positions = batches(stream, recipe, seed)
    model.train()
    for index, batch in enumerate(positions):
        _set_rate(optimizer, plan, (epoch + index / len(positions)) / plan.epochs)
        share = batch[world.rank :: world.size]
        x = torch.from_numpy(stream.windows(share)).to(world.device)
        y = torch.from_numpy(stream.labels[share]).to(world.device)
        optimizer.zero_grad()
        _loss(model(x), y).backward()
        optimizer.step()


def _loss(logits: Tensor, labels: Tensor) -> Tensor:
    return nn.functional.cross_entropy(logits, labels)


def _set_rate(optimizer: torch.optim.Optimizer, plan: Plan, progress: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = plan.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


def _fingerprint(net: SquashedMlp, fold: Fold, plan: Plan, *, recipe: Recipe, seed: int) -> str:
    """Return a digest of all that a stage begins with: data, hyper-parameters, parameters."""
    network = (net.widths, net.precision, net.steps)
    training = (plan, recipe.batch, recipe.share, recipe.weight_decay, seed)
    digest = hashlib.sha256(repr((*network, *training)).encode())
    stream = fold.train_stream(seed)
    digest.update(stream.labels.tobytes())
    digest.update(stream.windows(np.arange(0, len(stream), SAMPLED)).tobytes())
    for tensor in net.state_dict().values():
        digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()


def _save(
    path: Path, net: nn.Module, optimizer: torch.optim.Optimizer, fingerprint: str, epochs: int
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    state = {"fingerprint": fingerprint, "epochs": epochs, "net": net.state_dict()}
    torch.save(state | {"optimizer": optimizer.state_dict()}, partial)
    partial.replace(path)


def _resume(net: nn.Module, optimizer: torch.optim.Optimizer, path: Path, fingerprint: str) -> int:
    if not path.is_file():
        return 0
    state = torch.load(path, weights_only=True)
    if state["fingerprint"] != fingerprint:
        return 0
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["epochs"])
