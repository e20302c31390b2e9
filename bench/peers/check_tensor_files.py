"""Whether the reference libraries read what lowbit writes: safetensors, gguf-py and compressed-tensors.

    python -m venv oracle && . oracle/bin/activate
    pip install safetensors==0.8.0 gguf==0.19.0 compressed-tensors==0.20.0 torch==2.15.0
    npm run build && python bench/peers/check_tensor_files.py [path of cli/main.js]
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np
import torch
from compressed_tensors.compressors.pack_quantized.helpers import unpack_from_int32
from safetensors import safe_open
from safetensors.torch import load_file, save_file

main = sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).parents[2] / "dist/cli/main.js")


def lowbit(*arguments):
    subprocess.run(["node", main, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


torch.manual_seed(0)
weights = {
    "a.weight": torch.randn(48, 512),
    # more than one word of zero points: unpack_from_int32 fails on one
    "b.weight": torch.randn(37, 512).bfloat16(),
    "c.weight": torch.randn(39, 256).half(),
    "norm.weight": torch.randn(512).bfloat16(),
}
with tempfile.TemporaryDirectory() as folder:
    folder = Path(folder)
    save_file(weights, folder / "m.safetensors", {"format": "pt"})

    # safetensors: converted, cast and sharded
    lowbit("convert", folder / "m.safetensors", folder / "same.safetensors")
    assert (folder / "same.safetensors").read_bytes() == (folder / "m.safetensors").read_bytes()
    for dtype in ["float32", "float16", "bfloat16"]:
        lowbit("convert", folder / "m.safetensors", folder / f"{dtype}.safetensors", "--weights", dtype)
        for name, cast in load_file(folder / f"{dtype}.safetensors").items():
            expected = weights[name] if weights[name].ndim < 2 else weights[name].to(getattr(torch, dtype))
            assert torch.equal(cast, expected), (dtype, name)
    lowbit("convert", folder / "m.safetensors", folder / "s.safetensors", "--shard-bytes", "50KB")
    shards = sorted(folder.glob("s-*.safetensors"))
    assert len(shards) > 1
    merged = {name: tensor for shard in shards for name, tensor in load_file(shard).items()}
    assert merged.keys() == weights.keys() and all(torch.equal(merged[n], weights[n]) for n in weights)
    lowbit("convert", folder / "s.safetensors.index.json", folder / "merged.safetensors")
    assert all(torch.equal(t, weights[n]) for n, t in load_file(folder / "merged.safetensors").items())
    print(f"safetensors: same bytes, casts and {len(shards)} shards are right")

    # compressed-tensors' unpacking against our own decoding
    for scheme, bits in [("int4/group:32", 4), ("uint4/group:64/asymmetric", 4), ("int8/channel", 8), ("uint8/channel/asymmetric", 8), ("int2/group:16", 2), ("int3/group:32", 3), ("uint5/group:32/asymmetric", 5)]:
        lowbit("quantize", folder / "m.safetensors", "--weights", scheme, "-o", folder / "q.safetensors")
        lowbit("convert", folder / "q.safetensors", folder / "d.safetensors", "--weights", "float32")
        ours = load_file(folder / "d.safetensors")
        q = load_file(folder / "q.safetensors")
        for name in ["a.weight", "b.weight", "c.weight"]:
            shape = torch.Size(q[f"{name}_shape"].tolist())
            codes = unpack_from_int32(q[f"{name}_packed"], bits, shape).float()
            scale = q[f"{name}_scale"]
            groups = scale.shape[1]
            zero = torch.zeros_like(scale)
            if f"{name}_zero_point" in q:
                zero = unpack_from_int32(q[f"{name}_zero_point"], bits, scale.shape, packed_dim=0).float()
            spread = shape[1] // groups
            theirs = (codes - zero.repeat_interleave(spread, 1)) * scale.repeat_interleave(spread, 1)
            assert torch.equal(theirs, ours[name]), (scheme, name)
    print("compressed-tensors unpacks codes of 2, 3, 4, 5 and 8 bits and their zero points as lowbit does")

    # float8 codes stay tensors of their own type
    lowbit("quantize", folder / "m.safetensors", "--weights", "float8e4m3fn/channel", "-o", folder / "f8.safetensors")
    f8 = load_file(folder / "f8.safetensors")
    assert f8["a.weight"].dtype == torch.float8_e4m3fn
    error = (f8["a.weight"].float() * f8["a.weight_scale"] - weights["a.weight"]).norm() / weights["a.weight"].norm()
    assert error < 0.04, error
    print(f"float8e4m3fn: torch decodes it with {error:.4f} relative error")

    # GGUF
    for kind in ["f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq4_nl", "iq4_xs", "tq1_0", "tq2_0", "mxfp4"]:
        lowbit("quantize", folder / "m.safetensors", "--weights", f"gguf:{kind}", "-o", folder / "q.gguf")
        lowbit("convert", folder / "q.gguf", folder / "d.safetensors", "--weights", "float32")
        ours = load_file(folder / "d.safetensors")
        reader = gguf.GGUFReader(folder / "q.gguf")
        assert reader.fields["lowbit.weights"].contents() == f"gguf:{kind}"
        for tensor in reader.tensors:
            assert tuple(reversed(tensor.shape.tolist())) == tuple(weights[tensor.name].shape)
            theirs = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
            assert np.array_equal(theirs, ours[tensor.name].float().numpy().reshape(theirs.shape)), (kind, tensor.name)
    print("gguf-py reads all block types and decodes them as lowbit does")
