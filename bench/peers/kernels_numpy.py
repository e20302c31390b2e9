#!/usr/bin/env python3
"""The peer of bench/kernels.mjs in NumPy: what one writes in a notebook. Reads names of work from stdin, one a line, and prints the
seconds of processor time that each took.

  python kernels_numpy.py COUNT
"""
import sys, time
import numpy as np

count = int(sys.argv[1])
x = np.sin(np.arange(count, dtype=np.float32))
borders = ((np.arange(15) - 7) / 8).astype(np.float32)


def extremes():
    return x.min(), x.max()


def quantize8():
    return np.clip(np.rint(x / np.float32(0.03)), -127, 127).astype(np.int8)


def pack4():
    blocks = x.reshape(-1, 32)
    low, high = blocks.min(1), blocks.max(1)
    scale = np.where(high > -low, high, low) / np.float32(-8)
    inverse = np.divide(np.float32(1), scale, out=np.zeros_like(scale), where=scale != 0)
    codes = np.clip(np.floor(blocks * inverse[:, None] + np.float32(8.5)), 0, 15).astype(np.uint8)
    return codes[:, 0::2] | codes[:, 1::2] << 4, scale


def nearest16():
    return np.searchsorted(borders, x).astype(np.uint8)


for line in sys.stdin:
    work = globals()[line.strip()]
    start = time.process_time()
    work()
    print(time.process_time() - start, flush=True)
