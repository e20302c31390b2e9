"""Writes test/golden/tensorFiles/*.json: files of safetensors and GGUF made by their reference libraries, with what they hold.

    python -m venv oracle && . oracle/bin/activate
    pip install safetensors==0.8.0 gguf==0.19.0 numpy==2.4.6 torch==2.15.0
    python bench/peers/make_tensor_file_fixtures.py
"""

import base64
import json
import tempfile
from pathlib import Path

import gguf
import numpy as np
import safetensors
import torch
from safetensors.torch import save_file

out = Path(__file__).parents[2] / "test/golden/tensorFiles"
out.mkdir(parents=True, exist_ok=True)


def write(name, program, data, tensors, metadata):
    record = {
        "program": program,
        "command": "python bench/peers/make_tensor_file_fixtures.py",
        "base64": base64.b64encode(data).decode(),
        "metadata": metadata,
        "tensors": tensors,
    }
    (out / f"{name}.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def hexed(tensor):
    return tensor.contiguous().view(-1).view(torch.uint8).numpy().tobytes().hex() if tensor.numel() else ""


torch.manual_seed(0)
names = {
    "bool": torch.bool, "uint8": torch.uint8, "int8": torch.int8, "int16": torch.int16, "uint16": torch.uint16,
    "float16": torch.float16, "bfloat16": torch.bfloat16, "int32": torch.int32, "uint32": torch.uint32,
    "float32": torch.float32, "float64": torch.float64, "int64": torch.int64, "uint64": torch.uint64,
    "float8e4m3fn": torch.float8_e4m3fn, "float8e5m2": torch.float8_e5m2, "float8e8m0": torch.float8_e8m0fnu,
    "float8e4m3fnuz": torch.float8_e4m3fnuz, "float8e5m2fnuz": torch.float8_e5m2fnuz, "complex64": torch.complex64,
}
every = {
    name: torch.randint(0, 2 if name == "bool" else 256, (6 * dtype.itemsize,), dtype=torch.uint8).view(dtype).view(2, 3)
    for name, dtype in names.items()
}
odd = {
    "scalar": torch.tensor(3.5),
    "empty": torch.zeros(3, 0, 2),
    'quote " and \\ and tab\t': torch.arange(3, dtype=torch.int8),
    "ünïcödé 🦙": torch.arange(5, dtype=torch.int16),
    "__proto__": torch.arange(2, dtype=torch.uint8),
}
for name, tensors, metadata in [
    ("safetensors-types", every, {"format": "pt"}),
    ("safetensors-names", odd, {"note": 'a "quoted"\nline'}),
    ("safetensors-none", {}, None),
]:
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/file.safetensors"
        save_file(tensors, path, metadata)
        data = Path(path).read_bytes()
    listed = {
        key: {"type": next((n for n, d in names.items() if d == t.dtype)), "shape": list(t.shape), "hex": hexed(t)}
        for key, t in tensors.items()
    }
    write(name, f"safetensors {safetensors.__version__}", data, listed, metadata or {})

with tempfile.TemporaryDirectory() as folder:
    path = f"{folder}/file.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_uint8("a.uint8", 200)
    writer.add_int8("a.int8", -100)
    writer.add_uint16("a.uint16", 60000)
    writer.add_int16("a.int16", -30000)
    writer.add_uint32("a.uint32", 4_000_000_000)
    writer.add_int32("a.int32", -2_000_000_000)
    writer.add_uint64("a.uint64", 2**64 - 1)
    writer.add_int64("a.int64", -(2**63))
    writer.add_float32("a.float32", 0.1)
    writer.add_float64("a.float64", 0.1)
    writer.add_bool("a.bool", True)
    writer.add_string("a.string", "ünïcödé 🦙")
    writer.add_array("a.strings", ["<s>", "", "▁the"])
    writer.add_array("a.ints", [1, -2, 3])
    writer.add_array("a.floats", [0.5, -0.25])
    writer.add_array("a.bools", [True, False])
    writer.add_array("a.nested", [[1, 2], [3]])
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 256)).astype(np.float32)
    listed = {}

    def add(name, array, raw_type=None, type_name=None, shape=None):
        writer.add_tensor(name, array, raw_dtype=raw_type)
        listed[name] = {"type": type_name, "shape": shape or list(array.shape), "hex": array.tobytes().hex()}

    add("f32", x[:2, :3].copy(), None, "float32")
    add("f16", x[:2, :5].astype(np.float16), None, "float16")
    add("i8", np.arange(7, dtype=np.int8), None, "int8")
    add("i16", np.arange(7, dtype=np.int16), None, "int16")
    add("i32", np.arange(3, dtype=np.int32).reshape(1, 3, 1), None, "int32")
    add("i64", np.arange(3, dtype=np.int64), None, "int64")
    add("f64", np.arange(3, dtype=np.float64), None, "float64")
    for kind in [gguf.GGMLQuantizationType.Q4_0, gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType.BF16]:
        data = gguf.quants.quantize(x, kind)
        name = "bfloat16" if kind.name == "BF16" else kind.name.lower()
        add(kind.name, data, kind, name, [4, 256])
    k = rng.integers(0, 256, (2, 144), dtype=np.uint8)
    add("Q4_K", k, gguf.GGMLQuantizationType.Q4_K, "q4_k", [2, 256])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    metadata = {
        "general.architecture": "llama",
        "a.uint8": {"uint8": 200}, "a.int8": {"int8": -100}, "a.uint16": {"uint16": 60000}, "a.int16": {"int16": -30000},
        "a.uint32": {"uint32": 4_000_000_000}, "a.int32": {"int32": -2_000_000_000},
        "a.uint64": {"uint64": str(2**64 - 1)}, "a.int64": {"int64": str(-(2**63))},
        "a.float32": {"float32": float(np.float32(0.1))}, "a.float64": {"float64": 0.1}, "a.bool": {"bool": True},
        "a.string": "ünïcödé 🦙",
        "a.strings": {"array": {"of": "string", "values": ["<s>", "", "▁the"]}},
        "a.ints": {"array": {"of": "int32", "values": [1, -2, 3]}},
        "a.floats": {"array": {"of": "float32", "values": [0.5, -0.25]}},
        "a.bools": {"array": {"of": "bool", "values": [1, 0]}},
        "a.nested": {"array": {"of": "array", "values": [{"of": "int32", "values": [1, 2]}, {"of": "int32", "values": [3]}]}},
    }
    write("gguf-types", "gguf 0.19.0 (gguf-py)", Path(path).read_bytes(), listed, metadata)
