#!/usr/bin/env python3
"""Golden vectors of ONNX Runtime's block quantizer: test/golden/matmul-nbits, one JSON file a kind of matrix.

  pip install onnx==1.23.2 onnxruntime==1.30.0 numpy onnx_ir ml_dtypes sympy
  python bench/peers/make_nbits_fixtures.py          (from the repository root)

Each matrix is the weight of a MatMul in a model of one node, which onnxruntime.quantization.matmul_nbits_quantizer (its DEFAULT
algorithm) rewrites. With a number of rows that leaves a byte partly unused, ONNX Runtime fills the rest of that byte with
whatever it computed before; those bits stand for rows that do not exist, and are cleared here.
"""
import base64, json, logging, os
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer

GOLDEN = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "matmul-nbits")
logging.disable(logging.CRITICAL)
rng = np.random.default_rng(5)
f32 = np.float32


def quantized(w, bits, size, symmetric):
    k, n = w.shape
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"], name="m")], "g",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, k])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, n])], [numpy_helper.from_array(w, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    config = DefaultWeightOnlyQuantConfig(block_size=size, is_symmetric=symmetric, accuracy_level=4, bits=bits)
    quantizer = MatMulNBitsQuantizer(model, bits=bits, block_size=size, is_symmetric=symmetric, algo_config=config)
    quantizer.process()
    graph = quantizer.model.model.graph
    assert graph.node[0].op_type == "MatMulNBits"
    parts = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    return parts[f"w_Q{bits}"], parts["w_scales"], parts.get("w_zero_points")


def without_padding(codes, k, bits):
    used = np.zeros(codes.shape[1] * codes.shape[2] * 8, np.uint8)
    used[: k * bits] = 1
    return codes & np.packbits(used, bitorder="little").reshape(codes.shape[1:])


def text(a):
    return base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()


def matrices(k, n):
    normal = rng.standard_normal((k, n)).astype(f32)
    ties = (rng.integers(-16, 17, (k, n)) / 2).astype(f32)
    extreme = rng.standard_normal((k, n)).astype(f32)
    extreme[0] = -8
    both = rng.integers(-7, 8, (k, n)).astype(f32)
    both[0], both[-1] = 8, -8
    constant = np.repeat(np.linspace(-1, 1, n, dtype=f32)[None], k, 0)
    sparse = np.where(rng.random((k, n)) < 0.9, f32(0), normal)
    return {"normal": normal, "ties": ties, "negative-extreme": extreme, "both-extremes": both, "constant-columns": constant,
            "positive": np.abs(normal), "negative": -np.abs(normal), "mostly-zero": sparse, "zero": np.zeros((k, n), f32),
            "large": normal * f32(1e30), "small": normal * f32(1e-30)}


shapes = [(32, 3), (33, 5), (100, 2), (1, 2), (300, 2)]
files = {}
for k, n in shapes:
    for name, w in matrices(k, n).items():
        cases = []
        for bits in (2, 4, 8):
            for size in (16, 32, 128):
                for symmetric in (True, False):
                    codes, scales, zeros = quantized(w, bits, size, symmetric)
                    cases.append(dict(bits=bits, size=size, symmetric=symmetric, codes=text(without_padding(codes, k, bits)), scales=text(scales),
                                      zeroPoints=None if symmetric else text(zeros)))
        files.setdefault(name, []).append(dict(k=k, n=n, w=text(w), cases=cases))

os.makedirs(GOLDEN, exist_ok=True)
for name, entries in files.items():
    with open(os.path.join(GOLDEN, f"{name}.json"), "w") as file:
        source = "onnxruntime 1.30.0 matmul_nbits_quantizer (DEFAULT)"
        json.dump(dict(source=source, matrices=entries), file, separators=(",", ":"))
        file.write("\n")
print({name: sum(len(m["cases"]) for m in entries) for name, entries in files.items()})
