"""Detection metrics on a stream: events, DET curve, false detections at a false rejection rate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Events:
    """Scored detections of one or more streams against the keywords spoken in them.

    hits      (keywords,) best score inside each keyword, -inf where nothing was detected
    falses    (n,) score of each detection outside every keyword
    """

    hits: FloatArray
    falses: FloatArray

    @classmethod
    def pooled(cls, streams: Sequence["Events"]) -> Self:
        """Return the events of several streams as one set."""
        return cls(
            hits=np.concatenate([events.hits for events in streams]),
            falses=np.concatenate([events.falses for events in streams]),
        )


@dataclass(frozen=True, slots=True)
class DetCurve:
    """Detection error trade-off, one point per threshold, thresholds descending.

    frr  false rejections: missed keywords / keywords, FN / (FN + TP); falls along the curve
    fdr  false detections: share of the detections that are wrong, FP / (FP + TP)
    """

    thresholds: FloatArray
    frr: FloatArray
    fdr: FloatArray


def smooth(posterior: FloatArray, frames: int) -> FloatArray:
    """Return the mean of the last ``frames`` posteriors at every frame (fewer at the start)."""
    total = np.cumsum(np.concatenate(([0.0], posterior)))
    ends = np.arange(1, len(posterior) + 1)
    starts = np.maximum(ends - frames, 0)
    return np.asarray((total[ends] - total[starts]) / (ends - starts))


def detect(score: FloatArray, lockout: int) -> IntArray:
    """Return the frames of the detections: peaks of the score, the highest first.

    score  (frames,) in [0, 1]; 0 is never a peak

    A peak hides every other peak closer than ``lockout`` frames. The peaks do not depend on a
    threshold, so one pass serves the whole DET curve.
    """
    before = np.concatenate(([0.0], score[:-1]))
    after = np.concatenate((score[1:], [0.0]))
    peaks = np.flatnonzero((score > before) & (score >= after))
    hidden = np.zeros(len(score), dtype=bool)
    kept = []
    for frame in peaks[np.argsort(-score[peaks], kind="stable")]:
        if not hidden[frame]:
            kept.append(frame)
            hidden[max(0, frame - lockout + 1) : frame + lockout] = True
    return np.array(kept, dtype=np.int64)


def score_events(score: FloatArray, keywords: IntArray, lockout: int, delay: int) -> Events:
    """Return the detections of one stream as hits and false detections.

    keywords  (n, 2) first frame and frame after the last, ascending
    delay     frames by which smoothing makes a detection late; added to each keyword's end

    A second detection inside the same keyword is neither a hit nor false.
    """
    frames = detect(score, lockout)
    owner = np.searchsorted(keywords[:, 0], frames, side="right") - 1
    inside = (owner >= 0) & (frames < keywords[owner, 1] + delay)
    hits = np.full(len(keywords), -np.inf)
    np.maximum.at(hits, owner[inside], score[frames[inside]])
    return Events(hits=hits, falses=score[frames[~inside]])


def det_curve(events: Events) -> DetCurve:
    """Return the curve over every threshold at which it changes; a score at it is detected."""
    found = np.sort(events.hits[np.isfinite(events.hits)])[::-1]
    thresholds = np.unique(found)[::-1]
    true = np.searchsorted(-found, -thresholds, side="right")
    false = np.searchsorted(np.sort(-events.falses), -thresholds, side="right")
    return DetCurve(
        thresholds=thresholds,
        frr=1 - true / max(1, len(events.hits)),
        fdr=false / np.maximum(1, true + false),
    )


def operating_point(curve: DetCurve, frr: float) -> tuple[float, float, float]:
    """Return threshold, FRR and FDR at the highest threshold whose FRR is at most ``frr``.

    Where no threshold gets there (keywords never detected), everything is a detection: the
    threshold is -inf, FRR that of the last point and FDR 1.
    """
    reached = np.flatnonzero(curve.frr <= frr + 1e-12)
    if not len(reached):
        return -np.inf, float(curve.frr[-1]) if len(curve.frr) else 1.0, 1.0
    index = reached[0]
    return float(curve.thresholds[index]), float(curve.frr[index]), float(curve.fdr[index])
