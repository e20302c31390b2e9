#!/usr/bin/env python3
"""Golden blocks of ggml's own library: test/golden/ggml/rows.json, and one file a type in test/golden/ggml/types.

  pip install numpy
  python bench/peers/make_ggml_fixtures.py          (from the repository root)

Rows of 256 numbers of kinds that are hard to get right; each type's blocks of each row, plain and, where the type searches, with an
importance matrix; and random bytes with what they decode to. native_ggml.py tells where the library comes from.
"""
import base64, json, os
import numpy as np
from native_ggml import SEARCHING, SOURCE, TYPES, dequantize, quantize

GOLDEN = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "ggml")
rng = np.random.default_rng(11)
n, i, f32 = rng.standard_normal, np.arange(256), np.float32
text = lambda a: base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()

rows = {
    "normal": n(256), "heavy tails": rng.standard_t(2, 256), "lopsided": rng.gamma(1, 1, 256), "far from zero": 7 + n(256),
    "zero": 0 * i, "negative zero": np.where(i % 2, 0., -0.), "constant": np.full(256, .37), "negative constant": np.full(256, -3.),
    "one value": np.where(i == 100, -2.5, 0), "outlier": np.where(i % 100 == 7, 50, n(256)), "alternating": np.where(i % 2, 1, -1),
    "ternary": rng.integers(-1, 2, 256), "halves": rng.integers(-16, 17, 256) / 2, "integers": rng.integers(-127, 128, 256),
    "below powers of two": np.nextafter(f32(2) ** rng.integers(-6, 9, 256), f32(0)) * rng.choice([1, -1, .5], 256),
    "large": n(256) * 1e4, "small": n(256) * 1e-9, "tiny": n(256) * 1e-30, "subnormal": n(256) * 1e-41,
    "mixed magnitudes": n(256) * 10.0 ** rng.uniform(-9, 2, 256),
}
rows = {kind: np.asarray(x, f32) for kind, x in rows.items()}
importance = (n(256) ** 2).astype(f32)
with open(os.path.join(GOLDEN, "rows.json"), "w") as file:
    json.dump({"source": "made by bench/peers/make_ggml_fixtures.py", "rows": {k: text(x) for k, x in rows.items()},
               "importance": text(importance)}, file, indent=0)
    file.write("\n")
for name, (_, elements, size, _) in TYPES.items():
    each = lambda weights: {kind: text(quantize(name, x[None], weights)) for kind, x in rows.items()}
    blocks = rng.integers(0, 256, (512 // max(elements, 32), size), np.uint8)
    numbers = dequantize(name, blocks)
    blocks = blocks[np.isfinite(numbers).all(1)]
    data = {"source": SOURCE, "type": name, "plain": each(None)}
    if name in SEARCHING:
        data["weighted"] = each(importance)
    data["decode"] = {"blocks": text(blocks), "numbers": text(numbers[np.isfinite(numbers).all(1)])}
    with open(os.path.join(GOLDEN, "types", f"{name}.json"), "w") as file:
        json.dump(data, file, indent=0)
        file.write("\n")
