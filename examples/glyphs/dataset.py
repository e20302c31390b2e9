"""Reads the idx files that render.mjs wrote."""

import gzip
import pathlib

import numpy

FOLDER = pathlib.Path(__file__).parent / "data"


def read_idx(name):
    data = gzip.decompress((FOLDER / name).read_bytes())
    shape = numpy.frombuffer(data, ">u4", data[3], 4)
    return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * data[3]).reshape(shape)


def load(split):
    """→ images as float32 [N, 1, 32, 32] in 0…1, labels as int64 [N]."""
    images = read_idx(f"{split}-images-idx3-ubyte.gz")[:, None]
    return images.astype(numpy.float32) / 255, read_idx(f"{split}-labels-idx1-ubyte.gz").astype(numpy.int64)
