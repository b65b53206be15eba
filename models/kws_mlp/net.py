"""Keyword spotter, feed-forward, streaming, state-free: 403-256-256-256-64-2."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hwgen.data import KeywordTask, Mixing, load

WIDTHS = (403, 256, 256, 256, 64, 2)  # 13 MFCC x 31 frames in; 250,752 weights


def task(source: str | Path | None, settings: Mapping[str, Any]) -> KeywordTask:
    """Return one word against the rest, in folds of held-out speakers.

    settings  the table [data] of train.toml
    """
    mixing = Mixing(noise_share=settings["noise_share"])
    return KeywordTask(
        load(source, settings["folds"], mixing),
        keyword=settings["keyword"],
        left=settings["left"],
        right=settings["right"],
        test_count=settings["test_streams"],
        standardise=settings["standardise"],
        stretch=settings["stretch"],
        warp=settings["warp"],
    )
