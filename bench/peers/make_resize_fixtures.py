#!/usr/bin/env python3
"""Golden vectors of Pillow's Image.resize for src/data/preprocess/resize.ts: one JSON file a case, under test/golden/resize.

  pip install pillow==12.0.0 numpy
  python bench/peers/make_resize_fixtures.py        (from the repository root)

Pillow up to 12 always goes horizontally first, which is how models were trained; 13 goes vertically first where the height shrinks
much more than the width (python-pillow/Pillow#9549), which moves some bytes by a level.
Pixels are noise (every byte value, hard edges) and a smooth gradient; base64 of rows of interleaved channels.
"""
import base64, json, os, PIL
import numpy as np
from PIL import Image

OUT = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "resize")
FILTERS = {n: getattr(Image.Resampling, n.upper()) for n in ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")}
# (name, mode, source width × height, target width × height)
CASES = [
    ("shrink", "RGB", (19, 13), (8, 6)), ("shrink-a-lot", "RGB", (41, 37), (3, 2)), ("enlarge", "RGB", (5, 7), (16, 17)),
    ("wider-flatter", "RGB", (9, 20), (21, 8)), ("only-width", "RGB", (17, 6), (7, 6)), ("only-height", "RGB", (6, 17), (6, 25)),
    ("one-pixel", "RGB", (1, 1), (3, 4)), ("to-one-pixel", "RGB", (11, 9), (1, 1)), ("luma", "L", (28, 28), (32, 20)),
    ("gradient", "RGB", (24, 18), (14, 14)),
]
rng = np.random.default_rng(7)
os.makedirs(OUT, exist_ok=True)
for name, mode, (w, h), target in CASES:
    channels = 3 if mode == "RGB" else 1
    if name == "gradient":
        y, x = np.mgrid[0:h, 0:w]
        a = np.stack([x * 255 // (w - 1), y * 255 // (h - 1), (x * y) % 256], -1).astype(np.uint8)
    else:
        a = rng.integers(0, 256, (h, w, channels), dtype=np.uint8)
        a[rng.random((h, w)) < 0.15] = 255
        a[rng.random((h, w)) < 0.15] = 0
    image = Image.fromarray(a if channels == 3 else a[:, :, 0], mode)
    text = lambda im: base64.b64encode(np.asarray(im).tobytes()).decode()
    case = dict(program=f"Pillow {PIL.__version__} Image.resize", command="bench/peers/make_resize_fixtures.py", channels=channels,
                width=w, height=h, pixels=text(image), targetWidth=target[0], targetHeight=target[1],
                results={f: text(image.resize(target, v)) for f, v in FILTERS.items()})
    with open(os.path.join(OUT, f"{name}.json"), "w") as out:
        json.dump(case, out, indent=1)
        out.write("\n")
