"""Integers to bits and back: the only file that knows bit and word order.

A beat or memory word holds its lanes in order, lane 0 in the lowest bits, each lane as a two's
complement (or unsigned) field of the same width.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from hwgen.num.inttype import IntArray

ByteArray: TypeAlias = npt.NDArray[np.uint8]


def pack_lanes(values: IntArray, bits: int) -> ByteArray:
    """Return the beats of ``values`` as bytes, little-endian, padded with zeros to whole bytes.

    values   (beats, lanes) int64, each a ``bits``-wide two's complement or unsigned number
    returns  (beats, ceil(lanes * bits / 8))
    """
    beats, lanes = values.shape
    planes = np.empty((beats, lanes, bits), dtype=np.uint8)
    for k in range(bits):
        planes[:, :, k] = (values >> k) & 1
    return np.packbits(planes.reshape(beats, lanes * bits), axis=1, bitorder="little")


def unpack_lanes(words: ByteArray, lanes: int, bits: int, signed: bool) -> IntArray:
    """Return the lanes of each beat; the inverse of ``pack_lanes``.

    words    (beats, ceil(lanes * bits / 8)) bytes
    returns  (beats, lanes) int64
    """
    flat = np.unpackbits(words, axis=1, count=lanes * bits, bitorder="little")
    planes = flat.reshape(len(words), lanes, bits)
    values = np.zeros((len(words), lanes), dtype=np.int64)
    for k in range(bits):
        place = -(1 << k) if signed and k == bits - 1 else 1 << k
        values += planes[:, :, k] * np.int64(place)
    return values


def memory_lines(values: IntArray, bits: int) -> list[str]:
    """Return ``$readmemh`` lines, one per row of ``values`` (lines, lanes)."""
    digits = -(-values.shape[1] * bits // 4)
    return [word[::-1].tobytes().hex()[-digits:] for word in pack_lanes(values, bits)]


def dense_weight_lines(codes: IntArray, simd: int, pe: int, bits: int, order: str) -> list[str]:
    """Return the weight memory of ``hw_dense`` (order "row") or ``hw_dense_col`` ("column").

    codes    (out_n, in_n) stored weights; ``pe`` divides out_n, ``simd`` divides in_n
    returns  one line per cycle in the order of use: {PE {SIMD {bits}}}
    """
    out_n, in_n = codes.shape
    folds = codes.reshape(out_n // pe, pe, in_n // simd, simd)
    loops = {"row": (0, 2, 1, 3), "column": (2, 0, 1, 3)}[order]
    return memory_lines(folds.transpose(loops).reshape(-1, pe * simd), bits)


def depthwise_weight_lines(weights: IntArray, pe: int, bits: int) -> list[str]:
    """Return the weight memory of ``hw_depthwise``: one line per beat, {PE {bits}}, taps outer.

    weights  (channels, taps); ``pe`` divides channels
    """
    return memory_lines(weights.T.reshape(-1, pe), bits)


def table_files(prefix: str, table: IntArray, pe: int, bits: int) -> dict[str, list[str]]:
    """Return the memories of ``hw_table`` by file name.

    table    (channels, entries), one file per lane; (1, entries), one file for all lanes
    returns  {"<prefix>_p<lane, 3 digits>.mem" or "<prefix>.mem": lines}, padded with zeros to a
             power of two entries per channel
    """
    rows, entries = table.shape
    padded = np.zeros((rows, 1 << max((entries - 1).bit_length(), 1)), dtype=np.int64)
    padded[:, :entries] = table
    if rows == 1:
        return {f"{prefix}.mem": memory_lines(padded.reshape(-1, 1), bits)}
    return {
        f"{prefix}_p{lane:03d}.mem": memory_lines(padded[lane::pe].reshape(-1, 1), bits)
        for lane in range(pe)
    }


def threshold_files(prefix: str, thresholds: IntArray, pe: int, bits: int) -> dict[str, list[str]]:
    """Return the memories of ``hw_threshold`` by file name: one per lane and search stage.

    thresholds  (channels, 2**n - 1), ascending along axis 1; ``pe`` divides channels
    returns     {"<prefix>_p<lane, 3 digits>_s<stage, 2>.mem": lines}
    """
    channels, levels = thresholds.shape
    stages = levels.bit_length()
    by_lane = thresholds.reshape(channels // pe, pe, levels)
    return {
        f"{prefix}_p{lane:03d}_s{stage:02d}.mem": memory_lines(
            by_lane[:, lane, _probed(stage, stages)].reshape(-1, 1), bits
        )
        for lane in range(pe)
        for stage in range(stages)
    }


def _probed(stage: int, stages: int) -> slice:
    """Return the levels that a binary search over ``2**stages - 1`` looks at in ``stage``."""
    step = 1 << (stages - stage)
    return slice(step // 2 - 1, None, step)


def requant_lines(
    multiplier: IntArray, bias: IntArray, pe: int, m_bits: int, b_bits: int
) -> list[str]:
    """Return the parameter memory of ``hw_requant``: one line per beat, {PE {B, M}}.

    multiplier, bias  (channels,); ``pe`` divides channels
    """
    fields = [_bit_planes(multiplier, m_bits), _bit_planes(bias, b_bits)]
    words = np.concatenate(fields, axis=1).reshape(len(bias) // pe, -1)
    return memory_lines(words, 1)


def _bit_planes(values: IntArray, bits: int) -> IntArray:
    """Return (len(values), bits): bit k of each value in column k."""
    planes: IntArray = (values[:, None] >> np.arange(bits)) & 1
    return planes
