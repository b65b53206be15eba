"""Detections, DET curve and operating point on cases worked out by hand."""

import numpy as np
import pytest

from hwgen.train.metrics import (
    Events,
    det_curve,
    detect,
    operating_point,
    score_events,
    smooth,
)


def test_smoothing_is_the_mean_of_the_last_frames():
    assert smooth(np.array([1.0, 0.0, 0.0, 4.0]), 2).tolist() == [1.0, 0.5, 0.0, 2.0]


def test_detections_are_peaks_and_the_higher_hides_the_near_lower():
    score = np.array([0.0, 0.5, 0.0, 0.9, 0.0, 0.0, 0.0, 0.3, 0.3, 0.1])
    assert detect(score, lockout=3).tolist() == [3, 7]
    assert detect(score, lockout=2).tolist() == [3, 1, 7]
    assert detect(score, lockout=6).tolist() == [3]


def test_a_detection_counts_for_the_keyword_it_lies_in():
    score = np.zeros(30)
    score[[2, 7, 11, 20, 26]] = [0.9, 0.8, 0.5, 0.7, 0.2]
    events = score_events(score, np.array([[5, 10], [15, 18], [24, 28]]), lockout=2, delay=2)
    assert events.hits.tolist() == [0.8, -np.inf, 0.2]
    assert sorted(events.falses) == [0.7, 0.9]


def test_a_second_detection_in_one_keyword_is_not_counted():
    score = np.zeros(12)
    score[[2, 8]] = [0.4, 0.6]
    events = score_events(score, np.array([[0, 12]]), lockout=2, delay=0)
    assert events.hits.tolist() == [0.6]
    assert events.falses.tolist() == []


def test_det_curve_counts_at_every_threshold():
    events = Events(hits=np.array([0.9, 0.6, 0.4, -np.inf]), falses=np.array([0.7, 0.5, 0.1]))
    curve = det_curve(events)
    assert curve.thresholds.tolist() == [0.9, 0.6, 0.4]
    assert curve.frr.tolist() == [0.75, 0.5, 0.25]
    assert curve.fdr.tolist() == [0.0, pytest.approx(1 / 3), pytest.approx(2 / 5)]


def test_operating_point_is_the_highest_threshold_that_rejects_few_enough():
    curve = det_curve(Events(np.array([0.9, 0.6, 0.4, -np.inf]), np.array([0.7, 0.5, 0.1])))
    assert operating_point(curve, 0.5) == (0.6, 0.5, pytest.approx(1 / 3))
    assert operating_point(curve, 0.6) == (0.6, 0.5, pytest.approx(1 / 3))
    assert operating_point(curve, 0.2) == (-np.inf, 0.25, 1.0)


def test_pooled_events_are_those_of_all_streams():
    one = Events(np.array([0.5]), np.array([0.2, 0.1]))
    two = Events(np.array([0.3, 0.4]), np.array([]))
    pooled = Events.pooled([one, two])
    assert pooled.hits.tolist() == [0.5, 0.3, 0.4]
    assert pooled.falses.tolist() == [0.2, 0.1]
