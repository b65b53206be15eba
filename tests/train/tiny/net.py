"""A network small enough to train within a test."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hwgen.data import KeywordTask, load

WIDTHS = (39, 16, 8, 2)


def task(source: str | Path | None, settings: Mapping[str, Any]) -> KeywordTask:
    return KeywordTask(
        load(source, settings["folds"]),
        keyword=settings["keyword"],
        left=1,
        right=1,
        test_count=1,
        standardise="speaker",
    )
