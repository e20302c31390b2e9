#!/usr/bin/env python3
"""Our ggml blocks against ggml's own, byte for byte, on random and on hard blocks; and gguf-py's against both.

  npm run build
  pip install numpy gguf==0.19.0
  python bench/peers/compare_ggml.py [--dist DIR] [--blocks 10240]

Per type: blocks encoded alike, plain and with an importance matrix; blocks of random bytes decoded alike (bit for bit, any NaN
equal to any other); and how many blocks gguf-py encodes as C does.
"""
import argparse, os, subprocess, tempfile
import numpy as np
import gguf
from native_ggml import INTERNAL, SEARCHING, SOURCE, TYPES, dequantize, quantize

HERE = os.path.dirname(os.path.abspath(__file__))
parser = argparse.ArgumentParser()
parser.add_argument("--dist", default=os.path.join(HERE, "..", "..", "dist"))
parser.add_argument("--blocks", type=int, default=10240)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--types", default=",".join(TYPES))
options = parser.parse_args()
rng = np.random.default_rng(options.seed)
f32 = np.float32


def node(*arguments, data):
    done = subprocess.run(["node", os.path.join(HERE, "ggml.mjs"), *arguments, "--dist", os.path.abspath(options.dist)],
                          input=np.ascontiguousarray(data).tobytes(), stdout=subprocess.PIPE, check=True)
    return np.frombuffer(done.stdout, np.uint8)


def random_rows(rows, columns):
    """Shapes of distribution that weights have, at magnitudes from 2^-12 to 2^6."""
    shape = (rows, columns)
    kinds = [rng.standard_normal(shape), rng.laplace(size=shape), rng.uniform(-1, 1, shape), rng.standard_t(3, shape),
             rng.standard_normal(shape) + rng.uniform(-2, 2, (rows, 1)), rng.standard_normal(shape) * (rng.random(shape) < .3)]
    x = np.choose(np.arange(rows)[:, None] % len(kinds), kinds)
    return (x * 2.0 ** rng.uniform(-12, 6, (rows, 1))).astype(f32)


def hard_rows(columns, copies):
    n = rng.standard_normal
    i = np.arange(columns)
    kinds = {
        "zero": lambda: np.zeros(columns), "negative zero": lambda: -np.zeros(columns),
        "constant": lambda: np.full(columns, n()), "one value": lambda: np.where(i == rng.integers(columns), n(), 0),
        "huge": lambda: n(columns) * 10.0 ** rng.uniform(3, 30), "largest": lambda: np.sign(n(columns)) * np.finfo(f32).max,
        "small": lambda: n(columns) * 10.0 ** rng.uniform(-37, -8), "subnormal": lambda: n(columns) * 10.0 ** rng.uniform(-45, -38),
        "alternating": lambda: np.where(i % 2 == 0, 1, -1) * abs(n()), "outlier": lambda: np.where(i % 77 == 5, 100 * n(), n(columns)),
        "halves": lambda: rng.integers(-16, 17, columns) / 2, "quarters": lambda: rng.integers(-31, 32, columns) / 4,
        "integers": lambda: rng.integers(-127, 128, columns), "few values": lambda: rng.choice(n(3), columns),
        "ternary": lambda: rng.integers(-1, 2, columns) * abs(n()), "ramp": lambda: (i - columns / 2) / columns,
        "negative": lambda: -abs(n(columns)), "positive": lambda: abs(n(columns)), "far from zero": lambda: 1000 + n(columns),
        "below powers of two": lambda: np.nextafter(f32(2) ** rng.integers(-30, 30), f32(0)) * rng.choice([1, .5, .25, 0, -1], columns),
        "mixed magnitudes": lambda: n(columns) * 10.0 ** rng.uniform(-20, 10, columns),
    }
    return [(kind, make().astype(f32)) for kind, make in kinds.items() for _ in range(copies)]


def check(name, x, importance=None):
    """→ [rows, blocks], whether ours is ggml's; and for rows with others, how they differ."""
    theirs = quantize(name, x, importance)
    arguments = ["encode", name, str(x.shape[1])]
    with tempfile.NamedTemporaryFile() as file:
        if importance is not None:
            file.write(np.tile(importance.astype(f32), (len(x), 1)).tobytes())
            file.flush()
            arguments += ["--importance", file.name]
        ours = node(*arguments, data=x).reshape(theirs.shape)
    ours, theirs = (blocks.reshape(len(x), -1, TYPES[name][2]) for blocks in (ours, theirs))
    alike = (ours == theirs).all(2)
    reasons = {}
    for row in np.flatnonzero(~alike.all(1)):
        both = [dequantize(name, blocks[row][~alike[row]]) for blocks in (ours, theirs)]
        reasons[row] = "both are NaN, of different signs" if all(np.isnan(b).all() for b in both) else "other numbers"
    return alike, reasons


def decoded(name):
    _, elements, size, _ = TYPES[name]
    blocks = rng.integers(0, 256, (options.blocks, size), dtype=np.uint8)
    theirs = dequantize(name, blocks)
    ours = node("decode", name, data=blocks).view(f32).reshape(theirs.shape)
    return ((ours.view(np.uint32) == theirs.view(np.uint32)) | (np.isnan(ours) & np.isnan(theirs))).all(1)


def ratio(alike):
    return f"{alike.sum():,} of {alike.size:,}"


print(f"oracle: {SOURCE}; gguf-py {gguf.__version__ if hasattr(gguf, '__version__') else '0.19.0'}; seed {options.seed}")
print("| type | random blocks | hard blocks | with importance: random | hard | decoded | gguf-py encodes as C |\n|---|---|---|---|---|---|---|")
notes = []
np.seterr(all="ignore")
for name in options.types.split(","):
    _, elements, size, _ = TYPES[name]
    columns = 1024
    rows = -(-options.blocks * max(elements, 32) // columns)
    x = random_rows(rows, columns)
    hard = hard_rows(columns, 25)
    kinds, h = [kind for kind, _ in hard], np.stack([row for _, row in hard])
    importance = (rng.standard_normal(columns) ** 2).astype(f32)
    cells = []
    for weights in [None, importance] if name in SEARCHING else [None]:
        for data, labels in ((x, None), (h, kinds)):
            alike, reasons = check(name, data, weights)
            cells.append(ratio(alike))
            for row, reason in reasons.items():
                notes.append(f"{name}{' with importance' if weights is not None else ''}: {labels[row] if labels else 'random'}: {reason}")
    cells += ["–"] * (4 - len(cells)) + [ratio(decoded(name))]
    try:
        with np.errstate(all="ignore"):
            peer = gguf.quants.quantize(x, gguf.GGMLQuantizationType[name.upper().replace("_k", "_K")])
        peer = peer.view(np.uint8).reshape(rows, -1, size)
        cells.append(ratio((peer == quantize(name, x).reshape(peer.shape)).all(2)))
    except (NotImplementedError, KeyError, ValueError):
        cells.append("–")
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
for note, count in zip(*np.unique(notes, return_counts=True)) if notes else []:
    print(f"differs: {note} ({count} rows)")
