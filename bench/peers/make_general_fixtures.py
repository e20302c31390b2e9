#!/usr/bin/env python3
"""Golden vectors of ONNX Runtime's CPU kernels for operators that move, compare and compute element by element, where ONNX's
backend tests do not reach: the attributes of older operator sets, negative steps and axes, 64-bit integers, wrapping.

  pip install onnx==1.23.2 onnxruntime==1.30.0 numpy
  python bench/peers/make_general_fixtures.py        (from the repository root)

Writes test/golden/ort-operators/general.json.
"""
import json, math, os
import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

OUT = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "ort-operators", "general.json")
rng = np.random.default_rng(5)
f32 = lambda *dims: rng.standard_normal(dims).round(3).astype(np.float32)
i64 = lambda *values: np.array(values, np.int64)
cases = []


def as_json(a):
    code = helper.np_dtype_to_tensor_dtype(a.dtype)
    name = {TensorProto.FLOAT: "float32", TensorProto.DOUBLE: "float64"}.get(code, TensorProto.DataType.Name(code).lower())
    def one(v):
        if a.dtype == np.bool_: return int(v)
        if a.dtype.kind in "iu": return int(v) if abs(int(v)) < 2**53 else str(int(v))
        if math.isnan(v): return "NaN"
        if math.isinf(v): return "Infinity" if v > 0 else "-Infinity"
        if v == 0 and math.copysign(1, v) < 0: return "-0"
        return float(np.format_float_positional(v, unique=True)) if a.dtype == np.float32 else float(v)
    return dict(type=name, dims=list(a.shape), data=[one(v) for v in a.reshape(-1)])


def run(name, op, opset, inputs, outputs=1, tolerance=None, **attributes):
    inputs = [None if a is None else np.asarray(a) for a in inputs]
    names = ["" if a is None else f"i{k}" for k, a in enumerate(inputs)]
    outs = [f"o{k}" for k in range(outputs)]
    given = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in zip(names, inputs) if n]
    graph = helper.make_graph([helper.make_node(op, names, outs, **attributes)], "g", given, [onnx.ValueInfoProto(name=o) for o in outs])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        if "NOT_IMPLEMENTED" not in str(error): raise
        return print(f"ONNX Runtime has no {op} ({name})")
    results = session.run(None, {n: a for n, a in zip(names, inputs) if n})
    case = dict(name=f"{op}: {name}", op=op, opset=opset)
    if attributes: case["attributes"] = {k: {"float": v} if isinstance(v, float) else v for k, v in attributes.items()}
    case["inputs"] = [None if a is None else as_json(a) for a in inputs]
    case["outputs"] = [as_json(np.asarray(a)) for a in results]
    if tolerance: case["tolerance"] = dict(error=tolerance[0], why=tolerance[1])
    cases.append(case)


x, y = f32(2, 3, 4), f32(2, 3, 4)
big = i64(2**62 + 1, -(2**62) - 3, 2**53 + 1, -7, 7, 0)

# attributes of older operator sets
run("axes attribute", "Squeeze", 11, [f32(1, 3, 1, 2)], axes=[0, -2])
run("all ones", "Squeeze", 11, [f32(1, 3, 1, 2)])
run("axes attribute", "Unsqueeze", 11, [f32(3, 2)], axes=[0, -1])
run("attributes", "Slice", 9, [x], starts=[0, 1], ends=[-1, 1000], axes=[2, 1])
run("attributes without axes", "Slice", 9, [x], starts=[1], ends=[2])
run("pads attribute, constant", "Pad", 10, [x], pads=[0, 1, 2, 0, 0, 1], value=1.5)
run("pads attribute, reflect", "Pad", 10, [x], pads=[0, 2, 0, 0, 1, 3], mode="reflect")
run("pads attribute, edge, cutting", "Pad", 10, [x], pads=[0, 2, -1, 0, -1, 3], mode="edge")
run("attributes", "Clip", 6, [x], min=-0.5, max=0.25)
run("attribute min alone", "Clip", 6, [x], min=0.1)
run("split attribute", "Split", 11, [x], outputs=2, axis=2, split=[1, 3])
run("equal parts", "Split", 11, [x], outputs=3, axis=-2)
run("k attribute", "TopK", 9, [x], outputs=2, k=2, axis=1)
run("k input", "TopK", 10, [x, i64(3)], outputs=2)
for op in ["Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare"]:
    positive = np.abs(x) + np.float32(0.1)
    run("axes attribute", f"Reduce{op}", 12, [positive], axes=[0, -1], keepdims=0)
    run("all axes", f"Reduce{op}", 11, [positive])
run("no axes, no operation", "ReduceSum", 13, [x, i64()], noop_with_empty_axes=1)
run("deprecated name", "Scatter", 10, [x, i64(1, 0, 2, 2).reshape(1, 4, 1)[:, :3], f32(1, 3, 1)], axis=1)
run("float mask", "Dropout", 7, [x])
run("depth and values", "OneHot", 9, [i64(1, -2, 5), i64(3), np.array([2.5, 7.5], np.float32)], axis=0)
run("negative axis", "Flatten", 11, [x], axis=-1)
run("copied and inferred", "Reshape", 5, [x, i64(0, -1, 2)])
run("zero means empty", "Reshape", 14, [f32(0, 3), i64(3, 0)], allowzero=1)

# steps and bounds
run("negative steps", "Slice", 13, [x, i64(-1, 2**62), i64(-(2**62), 0), i64(2, 1), i64(-2, -1)])
run("start before the beginning", "Slice", 13, [x, i64(-1000), i64(1000), i64(2), i64(3)])
run("nothing", "Slice", 13, [x, i64(2), i64(1), i64(1)])
run("wrapped", "Pad", 19, [x, i64(0, 0, 3, 0, 0, 4)], mode="wrap")
run("chosen axes", "Pad", 18, [x, i64(1, 0, 2, 1), np.float32(9), i64(-1, 0)])
run("uneven last part", "Split", 18, [f32(7)], outputs=3, num_outputs=3)
run("negative indices", "Gather", 13, [x, i64(-1, 0).reshape(1, 2)], axis=1)
run("batch dims", "GatherND", 12, [x, i64(1, -1).reshape(2, 1)], batch_dims=1)
run("negative axis", "GatherElements", 13, [x, rng.integers(-4, 4, (2, 3, 2))], axis=-1)
for reduction in ["add", "mul", "max", "min"]:
    run(f"{reduction}, repeated index", "ScatterElements", 18, [x, i64(1, 1, 1, 0).reshape(1, 1, 4), f32(1, 1, 4)], axis=1, reduction=reduction)
    run(f"{reduction}, slices", "ScatterND", 18, [x, i64(0, 2, 0, 2).reshape(2, 2), f32(2, 4)], reduction=reduction)
run("exclusive, reverse", "CumSum", 14, [x, i64(-1)[0]], exclusive=1, reverse=1)
run("lower, below", "Trilu", 14, [x, i64(-1)[0]], upper=0)
run("along an axis", "Compress", 11, [x, np.array([False, True])], axis=1)
run("sorted off", "Unique", 11, [np.array([2, 1, 1, 3, 4, 3], np.float32)], outputs=4, sorted=0)
run("last of equals", "ArgMax", 13, [np.array([[2, 2, 1], [0, 3, 3]], np.float32)], axis=1, select_last_index=1)
run("diagonal", "EyeLike", 9, [f32(3, 4)], k=-1, dtype=int(TensorProto.DOUBLE))
run("columns before rows", "DepthToSpace", 13, [f32(1, 8, 2, 3)], blocksize=2, mode="CRD")
run("blocks", "SpaceToDepth", 13, [f32(1, 2, 4, 6)], blocksize=2)
run("reversed starts", "ReverseSequence", 10, [x, i64(3, 1)], batch_axis=0, time_axis=1)
run("three shapes", "Where", 9, [np.array([[True], [False]]), f32(1, 3), f32(2, 1)])
run("downward", "Range", 11, [np.float32(5), np.float32(-1), np.float32(-1.5)])
run("empty", "Range", 11, [np.int64(3), np.int64(1), np.int64(1)])

# integers
run("int64 beyond 2**53", "Add", 14, [big, i64(1, 1, 1, 1, 1, 1)])
run("int64 wraps", "Mul", 14, [big, i64(3, 3, 3, 3, 3, 3)])
run("int32 wraps", "Mul", 14, [np.array([2**31 - 1, -(2**31), 123456789], np.int32), np.array([3, 3, 987654321], np.int32)])
run("uint32 wraps", "Mul", 14, [np.array([2**32 - 1, 4000000000], np.uint32), np.array([2**32 - 1, 3], np.uint32)])
run("int8 wraps", "Sub", 14, [np.array([-128, 100], np.int8), np.array([1, -100], np.int8)])
run("truncates toward zero", "Div", 14, [i64(-7, 7, -7, 7), i64(2, 2, -2, -2)])
run("int32 truncates toward zero", "Div", 14, [np.array([-7, 7, -7, 7], np.int32), np.array([2, 2, -2, -2], np.int32)])
run("sign of the divisor", "Mod", 13, [i64(-7, 7, -7, 7), i64(3, 3, -3, -3)])
run("sign of the dividend", "Mod", 13, [np.array([-7, 7, -7, 7], np.int32), np.array([3, 3, -3, -3], np.int32)], fmod=1)
run("fmod of floats", "Mod", 13, [np.array([-4.3, 7.2, 5.0], np.float32), np.array([2.1, -3.4, 8.0], np.float32)], fmod=1)
run("integer to integer", "Pow", 13, [np.array([2, -3, 7], np.int32), i64(10, 3, 0)])
run("float to integer", "Pow", 15, [np.array([2, -1.5, 7], np.float32), i64(10, 3, -1)])
run("uint64 shift", "BitShift", 11, [np.array([1, 2**63, 5], np.uint64), np.array([63, 63, 1], np.uint64)], direction="RIGHT")
run("uint8 shift out", "BitShift", 11, [np.array([255, 1], np.uint8), np.array([4, 7], np.uint8)], direction="LEFT")
run("int64", "Max", 13, [big, big[::-1].copy()])
run("int64", "Less", 13, [big, big + 1])
run("int64", "Equal", 13, [big, np.where(np.arange(6) % 2, big, big + 1)])
run("int64", "Clip", 12, [big, np.int64(-5), np.int64(2**60)])
run("int64 absolute", "Abs", 13, [big])
run("int64 sign", "Sign", 13, [big])
# small numbers: ONNX Runtime sums int64 in floating point
run("int64", "ReduceSum", 13, [i64(2**40, -(2**41), 5, -7, 7, 1).reshape(2, 3), i64(1)])
run("int64", "ReduceMax", 13, [big.reshape(2, 3)], axes=[0])
run("int32 mean truncates", "ReduceMean", 13, [np.array([[1, 2, 2], [-1, -2, -2]], np.int32)], axes=[1])
run("int64", "ArgMin", 13, [big])
run("int64", "CumSum", 14, [big, np.int64(0)])
run("int64, smallest", "TopK", 11, [big, i64(2)], outputs=2, largest=0)
run("NaN goes through", "Max", 13, [np.array([np.nan, 1, 2], np.float32), np.array([1, np.nan, 3], np.float32)])
run("halves to even", "Round", 11, [np.array([0.5, 1.5, 2.5, -0.5, -1.5, 2.4999], np.float32)])

# Cast
for to in ["INT8", "UINT8", "INT16", "INT32", "UINT32", "FLOAT", "DOUBLE", "BOOL"]:
    run(f"int64 to {to.lower()}", "Cast", 13, [i64(0, 1, -1, 200, 2**31 + 5, 2**40 + 3)], to=int(getattr(TensorProto, to)))
run("float to int64 truncates", "Cast", 13, [np.array([1.9, -1.9, 0.5, -0.5, 16777217.0], np.float32)], to=int(TensorProto.INT64))
run("float to bool", "Cast", 13, [np.array([0.0, -0.0, 0.1, np.nan, -3], np.float32)], to=int(TensorProto.BOOL))
run("double to float rounds to even", "Cast", 13, [np.array([1 + 2**-24, 1 + 3 * 2**-24, 1e300, -1e-50])], to=int(TensorProto.FLOAT))

# activations and defaults
for op in ["Elu", "Selu", "LeakyRelu", "ThresholdedRelu", "HardSigmoid", "Softplus", "Softsign", "Celu", "HardSwish", "Mish", "Erf", "Gelu"]:
    run("defaults", op, 20, [np.array([-30, -2, -0.5, -0.0, 0.3, 1, 2.5, 40], np.float32)], tolerance=(1e-6, "float32 exponentials"))
run("tanh", "Gelu", 20, [f32(5)], approximate="tanh", tolerance=(1e-6, "float32 exponentials"))
run("one slope per channel", "PRelu", 9, [f32(1, 3, 2), f32(3, 1)])
run("negative infinity only", "IsInf", 20, [np.array([np.inf, -np.inf, np.nan, 1], np.float32)], detect_positive=0)
run("bias and threshold", "Shrink", 9, [f32(6)], bias=0.25, lambd=0.5)

with open(OUT, "w") as file:
    file.write('{\n  "source": "onnxruntime 1.30.0 CPU",\n  "computedBy": "onnxruntime",\n  "command": "bench/peers/make_general_fixtures.py",\n  "cases": [\n')
    file.write(",\n".join("    " + json.dumps(case, separators=(",", ":")) for case in cases))
    file.write("\n  ]\n}\n")
print(len(cases), "cases")
