"""Writes test/golden/formats/ml_dtypes.json and blocks.json: what other programs make of small number formats.

    pip install numpy==2.3.* ml_dtypes==0.6.0 onnxruntime==1.30.0
    python bench/peers/make_format_fixtures.py

ml_dtypes is the oracle of the element formats: the value of every code, and the code of every float32 that decides a rounding.
A rounding is decided at the middle of two neighbours, so the inputs are, for each pair of neighbouring finite numbers, their
middle and the float32 on either side of it, with both signs where the format has them; then the extremes. Lists longer than a
page are SHA-256 digests of their bytes.

The block formats are their specifications, in numpy with ml_dtypes' casts; NF4 and FP4 are ONNX Runtime's MatMulBnb4 quantizer.
"""

import hashlib
import json
import pathlib
import re
import sys

import ml_dtypes
import numpy as np
import onnxruntime
from onnxruntime.capi._pybind_state import quantize_matmul_bnb4

folder = pathlib.Path(__file__).resolve().parents[2] / "test/golden/formats"
types = {
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
    "float8e4m3fn": ml_dtypes.float8_e4m3fn,
    "float8e5m2": ml_dtypes.float8_e5m2,
    "float8e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
    "float8e5m2fnuz": ml_dtypes.float8_e5m2fnuz,
    "float8e8m0": ml_dtypes.float8_e8m0fnu,
    "float6e2m3": ml_dtypes.float6_e2m3fn,
    "float6e3m2": ml_dtypes.float6_e3m2fn,
    "float4e2m1": ml_dtypes.float4_e2m1fn,
}
bits = {name: int(re.search(r"\d+", name)[0]) for name in types}


def plain(x):
    """JSON has no NaN and no infinities."""
    x = float(x)
    return x if np.isfinite(x) else {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(x)]


def digest(array, dtype):
    return hashlib.sha256(np.ascontiguousarray(array.astype(dtype)).tobytes()).hexdigest()


def element(name):
    kind, width = types[name], bits[name]
    unit = np.uint16 if width == 16 else np.uint8
    codes = np.arange(2**width, dtype=unit)
    values = codes.view(kind).astype(np.float32)
    values[np.isnan(values)] = np.nan  # one NaN of many
    finite = np.unique(np.abs(values[np.isfinite(values)].astype(np.float64)))
    middles = ((finite[1:] + finite[:-1]) / 2).astype(np.float32)
    up, down = np.float32(np.inf), np.float32(-np.inf)
    near = np.stack([np.nextafter(middles, down), middles, np.nextafter(middles, up)], axis=1).reshape(-1)
    top = finite[-1]
    past = (top + (top - finite[-2]) / 2) if len(finite) > 2 else top
    with np.errstate(over="ignore"):
        edge = np.float32([2.0**-149, top, past, 3.4028234663852886e38, np.inf])
        edge = np.concatenate([edge, np.nextafter(edge[2:3], down), np.nextafter(edge[2:3], up)])
    x = np.concatenate([near, edge])
    if name == "float8e8m0":
        x = x[x >= 2.0**-126]  # ml_dtypes 0.6.0 rounds subnormal numbers up: 1.49 * 2^-127 to 2^-126
    else:
        x = np.concatenate([x, -x])
    with np.errstate(over="ignore"):
        cast = x.astype(kind).view(unit)
    return {
        "name": name,
        "bits": width,
        **({"values": [plain(v) for v in values]} if width <= 8 else {}),
        "valuesDigest": digest(values, "<f4"),
        "inputs": len(x),
        "inputsDigest": digest(x, "<f4"),
        "codesDigest": digest(cast, "<u2"),
    }


def blocks(x, size):
    """Rows cut into blocks; the last one of a row may be short."""
    return [(r, c, x[r, c : c + size]) for r in range(x.shape[0]) for c in range(0, x.shape[1], size)]


def cast(name, x):
    """Saturating."""
    kind = types[name]
    top = float(ml_dtypes.finfo(kind).max)
    return np.clip(x, -top, top).astype(np.float32).astype(kind)


def mx(x, name, emax):
    """OCP MX 1.0, §6.3."""
    scales, decoded, codes = [], np.zeros_like(x), []
    for r, c, block in blocks(x, 32):
        shared = int(np.clip(np.floor(np.log2(np.abs(block).max())) - emax, -127, 127))
        scales.append(shared + 127)
        scaled = block.astype(np.float64) / 2.0**shared
        if name == "int8":
            q = np.clip(np.round(scaled * 64), -127, 127)
            codes += [int(v) for v in q]
            back = q / 64
        else:
            q = cast(name, scaled)
            codes += [int(v) for v in q.view(np.uint8)]
            back = q.astype(np.float64)
        decoded[r, c : c + 32] = back * 2.0**shared
    return {"scales": scales, "codes": codes, "decodedDigest": digest(decoded + 0.0, "<f4")}


def nvfp4(x, one_level):
    f = np.float32
    whole = f(1) if one_level else f(np.abs(x).max() / f(6 * 448))
    scales, codes, decoded = [], [], np.zeros_like(x)
    for r, c, block in blocks(x, 16):
        scale = cast("float8e4m3fn", np.array(f(np.abs(block).max() / f(6)) / whole))
        scales.append(int(scale.view(np.uint8)))
        total = f(scale.astype(np.float32) * whole)
        q = cast("float4e2m1", block / total)
        codes += [int(v) for v in q.view(np.uint8)]
        decoded[r, c : c + 16] = q.astype(np.float32) * total
    return {"whole": plain(whole), "scales": scales, "codes": codes, "decodedDigest": digest(decoded + 0.0, "<f4")}


def bnb4(x, quant_type, size):
    """Cuts the flattened matrix into blocks, so rows must be whole blocks."""
    rows, columns = x.shape
    packed = np.zeros((x.size + 1) // 2, dtype=np.uint8)
    amax = np.zeros((x.size + size - 1) // size, dtype=np.float32)
    quantize_matmul_bnb4(packed, x, amax, size, quant_type, columns, rows)
    codes = np.stack([packed >> 4, packed & 15], axis=1).reshape(-1)[: x.size]
    return {"scales": [plain(v) for v in amax], "codes": [int(v) for v in codes]}


def write(name, what):
    text = json.dumps(what, indent=1)
    for key in ("x", "values", "scales", "codes", "shape"):  # lists of numbers on one line
        start = 0
        while (at := text.find(f'"{key}": [', start)) >= 0:
            end = text.index("]", at)
            text = text[:at] + " ".join(text[at:end].split()).replace("[ ", "[") + text[end:]
            start = at + 1
    (folder / name).write_text(text + "\n")


provenance = {
    "program": f"ml_dtypes {ml_dtypes.__version__}, numpy {np.__version__}, onnxruntime {onnxruntime.__version__}, Python {sys.version.split()[0]}",
    "command": "python bench/peers/make_format_fixtures.py",
}
folder.mkdir(parents=True, exist_ok=True)
write("ml_dtypes.json", {**provenance, "formats": [element(name) for name in types]})

rng = np.random.default_rng(5)
wide = (rng.standard_normal((3, 80)) * np.exp(rng.standard_normal((3, 80)) * 1.5)).astype(np.float32)
gauss = (rng.standard_normal((2, 128)) * 0.05).astype(np.float32)
made = {
    "mxfp8e4m3": mx(wide, "float8e4m3fn", 8),
    "mxfp8e5m2": mx(wide, "float8e5m2", 15),
    "mxfp6e2m3": mx(wide, "float6e2m3", 2),
    "mxfp6e3m2": mx(wide, "float6e3m2", 4),
    "mxfp4": mx(wide, "float4e2m1", 2),
    "mxint8": mx(wide, "int8", 0),
    "nvfp4": nvfp4(wide, False),
    "nvfp4/one-level": nvfp4(wide, True),
    "fp4/group:64": bnb4(gauss, 0, 64),
    "nf4/group:64": bnb4(gauss, 1, 64),
}
matrices = {"wide": wide, "gauss": gauss}
write(
    "blocks.json",
    {
        **provenance,
        "matrices": {name: {"shape": x.shape, "x": [plain(v) for v in x.reshape(-1)]} for name, x in matrices.items()},
        "cases": [{"scheme": scheme, "matrix": "gauss" if "group" in scheme else "wide", **case} for scheme, case in made.items()],
    },
)
