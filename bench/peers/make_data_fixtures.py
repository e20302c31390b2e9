#!/usr/bin/env python3
"""Golden files of NumPy (test/golden/npy) and Pillow (test/golden/png) for the readers in src/data: one JSON file a case.

  pip install numpy pillow
  python bench/peers/make_data_fixtures.py        (from the repository root)
"""
import base64, io, json, os, warnings, PIL
import numpy as np
from PIL import Image

GOLDEN = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden")
rng = np.random.default_rng(11)
b64 = lambda data: base64.b64encode(data).decode()

def write(topic, name, **case):
    os.makedirs(os.path.join(GOLDEN, topic), exist_ok=True)
    with open(os.path.join(GOLDEN, topic, f"{name}.json"), "w") as out:
        json.dump(dict(command="bench/peers/make_data_fixtures.py", **case), out, indent=1)
        out.write("\n")

# npy: every element type in both byte orders, both memory orders, all versions, ranks 0 to 3, empty
def npy(array, version=None):
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.lib.format.write_array(out, array, version=version, allow_pickle=False)
    return b64(out.getvalue())

def values(array):
    flat = np.ascontiguousarray(array).reshape(-1)
    if flat.dtype.kind == "c": return [v for z in flat for v in (str(float(z.real)), str(float(z.imag)))]
    if flat.dtype.kind == "f": return [str(float(v)) for v in flat]
    return [str(int(v)) for v in flat]

cases = {}
for code in ("b1", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16"):
    for order in ("<", ">"):
        kind = np.dtype(code).kind
        if kind in "iu":
            info = np.iinfo(code)
            a = rng.integers(info.min, info.max, 6, dtype=code, endpoint=True); a[0], a[1] = info.min, info.max
        elif kind == "b": a = rng.random(6) < 0.5
        else:
            a = (rng.standard_normal(6) * 100).astype(code); a[0] = 0
            if kind == "c": a = a + (1j * rng.standard_normal(6)).astype(code)
        a = a.astype(np.dtype(code).newbyteorder(order)).reshape(2, 3)
        cases[f"{code}-{'little' if order == '<' else 'big'}"] = (a, None)
base = rng.standard_normal((2, 3, 4)).astype("<f4")
cases["fortran"] = (np.asfortranarray(base), None)
cases["fortran-complex"] = (np.asfortranarray(base[0].astype("<c8") * (1 + 2j)), None)
cases["fortran-big-int64"] = (np.asfortranarray(rng.integers(-2**62, 2**62, (3, 5))).astype(">i8", order="F"), None)
cases["version-2"] = (base, (2, 0))
cases["version-3"] = (base, (3, 0))
cases["vector"] = (np.arange(7, dtype="<i4"), None)
cases["scalar"] = (np.array(3.25, "<f8"), None)
cases["empty"] = (np.zeros((0, 5), "<f4"), None)
cases["special-floats"] = (np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1.7976931348623157e308]), None)
for name, (a, version) in cases.items():
    write("npy", name, program=f"NumPy {np.__version__}", file=npy(a, version), type=a.dtype.name, shape=list(a.shape), values=values(a))
for name, save in (("archive", np.savez), ("archive-compressed", np.savez_compressed)):
    out = io.BytesIO()
    save(out, x=base, labels=np.array([4, 1]), rate=np.array(16000))
    write("npz", name, program=f"NumPy {np.__version__} {save.__name__}", file=b64(out.getvalue()), values=values(base))

# png: colour types and depths that Pillow writes
def png(name, image, **options):
    out = io.BytesIO()
    image.save(out, "PNG", **options)
    want = image.convert("RGB")
    write("png", name, program=f"Pillow {PIL.__version__}", file=b64(out.getvalue()), width=image.width, height=image.height, rgb=b64(want.tobytes()))

noise = lambda *shape: rng.integers(0, 256, shape, dtype=np.uint8)
y, x = np.mgrid[0:11, 0:13]
smooth = np.stack([x * 19, y * 23, x * y], -1).astype(np.uint8)
png("rgb-noise", Image.fromarray(noise(7, 9, 3)))
png("rgb-smooth", Image.fromarray(smooth))  # all five line filters occur
png("rgb-one-pixel", Image.fromarray(noise(1, 1, 3)))
png("rgba", Image.fromarray(noise(5, 6, 4), "RGBA"))
png("gray", Image.fromarray(noise(6, 5), "L"))
png("gray-alpha", Image.fromarray(noise(6, 5, 2), "LA"))
png("one-bit", Image.fromarray(noise(9, 11) > 127))
for bits in (1, 2, 4, 8):
    palette = Image.fromarray((noise(7, 10).astype(int) % 2**bits).astype(np.uint8), "P")
    palette.putpalette(list(noise(3 * 2**bits)))
    png(f"palette-{bits}-bit", palette, bits=bits)
