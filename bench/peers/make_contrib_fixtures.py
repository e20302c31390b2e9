#!/usr/bin/env python3
"""Golden vectors of ONNX Runtime's CPU kernels for the operators of src/model/ops: one JSON file an operator family.

  pip install onnx==1.23.2 onnxruntime==1.30.0 numpy ml_dtypes
  python bench/peers/make_contrib_fixtures.py        (from the repository root)

test/golden/ort-contrib: operators of the domain com.microsoft. test/golden/ort-operators: ONNX's own operators where ONNX's
backend tests are thin: attributes, operator sets and types they do not reach.
"""
import json, math, os
import ml_dtypes
import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

GOLDEN = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden")
NAMES = {TensorProto.FLOAT: "float32", TensorProto.DOUBLE: "float64"}
NAMES.update({code: name.lower() for name, code in TensorProto.DataType.items() if code not in NAMES})
rng = np.random.default_rng(11)
f32 = lambda *dims, scale=1.0: (rng.standard_normal(dims) * scale).astype(np.float32)
u8 = lambda *dims, low=0, high=256: rng.integers(low, high, dims).astype(np.uint8)
i8 = lambda *dims, low=-128, high=128: rng.integers(low, high, dims).astype(np.int8)
s = lambda value, dtype=np.float32: np.array(value, dtype)
INT4, UINT4 = ml_dtypes.int4, ml_dtypes.uint4


def number(v, floating):
    v = float(v)
    if math.isnan(v): return "NaN"
    if math.isinf(v): return "Infinity" if v > 0 else "-Infinity"
    if not floating: return int(v)
    return "-0" if v == 0 and math.copysign(1, v) < 0 else v


def as_json(a):
    code = helper.np_dtype_to_tensor_dtype(a.dtype)
    floating = "float" in NAMES[code]
    short = (lambda v: float(repr(np.float32(v)).split("(")[-1].rstrip(")"))) if NAMES[code] == "float32" else float
    data = [number(v if not floating or not math.isfinite(float(v)) else short(v), floating) if not (floating and float(v) == 0) else number(v, True)
            for v in a.astype(np.float64 if floating else a.dtype).reshape(-1)]
    return dict(type=NAMES[code], dims=list(a.shape), data=data)


def attribute_json(v):
    if isinstance(v, float): return {"float": v}
    if isinstance(v, list) and v and isinstance(v[0], float): return {"floats": v}
    return v


def run(op, inputs, domain="", opset=17, outputs=1, name=None, constants=(), tolerance=None, wanted=None, more={}, narrow=None, **attributes):
    """
    One case: the inputs, and what ONNX Runtime answers. `constants` are the indices ORT wants as initializers; `narrow` is the
    type of an output that Python cannot hold, and is fetched through a Cast.
    """
    attributes = {**attributes, **more}
    names = ["" if a is None else f"i{k}" for k, a in enumerate(inputs)]
    outs = [f"o{k}" if wanted is None or k in wanted else "" for k in range(outputs)]
    node = helper.make_node(op, names, outs, domain=domain, **attributes)
    proto = lambda k, a: helper.make_tensor_value_info(names[k], helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
    constant = lambda k, a: helper.make_tensor(names[k], helper.np_dtype_to_tensor_dtype(a.dtype), a.shape, a.astype(np.float32).reshape(-1) if a.dtype in (INT4, UINT4) else a.reshape(-1))
    nodes = [node]
    if narrow: nodes, outs = [node, helper.make_node("Cast", ["o0"], ["wide"], to=TensorProto.UINT8 if narrow[0] == "u" else TensorProto.INT8)], ["wide"]
    graph = helper.make_graph(nodes, "g", [proto(k, a) for k, a in enumerate(inputs) if a is not None and k not in constants],
                              [onnx.ValueInfoProto(name=o) for o in outs if o],
                              [constant(k, a) for k, a in enumerate(inputs) if a is not None and k in constants])
    imports = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    model = helper.make_model(graph, opset_imports=imports, ir_version=10)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    results = session.run(None, {names[k]: a for k, a in enumerate(inputs) if a is not None and k not in constants})
    results = iter(results)
    results = [next(results) if o else None for o in outs]
    case = dict(name=name or op, op=op, opset=opset if not domain else 1)
    if domain: case["domain"] = domain
    if attributes: case["attributes"] = {k: attribute_json(v) for k, v in attributes.items()}
    case["inputs"] = [None if a is None else as_json(a) for a in inputs]
    case["outputs"] = [None if a is None else as_json(a) for a in results]
    if narrow: case["outputs"][0]["type"] = narrow
    if tolerance: case["tolerance"] = dict(error=tolerance[0], why=tolerance[1])
    return case


def write(folder, name, cases):
    os.makedirs(os.path.join(GOLDEN, folder), exist_ok=True)
    head = dict(source=f"onnxruntime {ort.__version__} CPU", computedBy="onnxruntime", command="bench/peers/make_contrib_fixtures.py")
    body = ",\n".join("    " + json.dumps(c, separators=(",", ":")) for c in cases)
    text = "{\n" + "".join(f'  {json.dumps(k)}: {json.dumps(v)},\n' for k, v in head.items()) + '  "cases": [\n' + body + "\n  ]\n}\n"
    with open(os.path.join(GOLDEN, folder, f"{name}.json"), "w") as out: out.write(text)
    print(folder, name, len(cases))


MS = "com.microsoft"


def packed_rows(codes, bits):
    """[rows, count] → [rows, ceil(count·bits/8)], lowest bits first."""
    rows, count = codes.shape
    per = 8 // bits
    padded = np.zeros((rows, -(-count // per) * per), np.uint8)
    padded[:, :count] = codes
    return sum(padded[:, k::per] << (bits * k) for k in range(per)).astype(np.uint8)


def nbits(name, bits, n=5, k=40, block=16, zero="none", bias=False, lead=(3,), dtype=np.float32, **attributes):
    blocks = -(-k // block)
    codes = rng.integers(0, 2**bits, (n, blocks * block))
    b = packed_rows(codes, bits).reshape(n, blocks, block * bits // 8)
    scales = (0.01 + rng.random((n, blocks)) * 0.2).astype(dtype)
    z = None
    if zero == "packed": z = packed_rows(rng.integers(0, 2**bits, (n, blocks)), bits)
    if zero == "float": z = (rng.random((n, blocks)) * 2**bits).astype(dtype)
    inputs = [f32(*lead, k).astype(dtype), b, scales, z, None, f32(n).astype(dtype) if bias else None]
    while inputs[-1] is None: inputs.pop()
    tolerance = (2e-3, "float16 sums") if dtype == np.float16 else (4e-6, "float32 sums of 40")
    return run("MatMulNBits", inputs, MS, name=name, constants=[1, 2, 3], tolerance=tolerance, K=k, N=n, bits=bits, block_size=block, **attributes)


write("ort-contrib", "MatMulNBits", [
    nbits("4 bits", 4), nbits("4 bits, packed zero points", 4, zero="packed"), nbits("4 bits, float zero points", 4, zero="float"),
    nbits("4 bits, bias, batch", 4, bias=True, lead=(2, 3)), nbits("4 bits, blocks of 32, one row", 4, block=32, lead=(1,)),
    nbits("2 bits", 2), nbits("2 bits, packed zero points", 2, zero="packed"), nbits("2 bits, blocks of 64", 2, k=96, block=64, zero="packed"),
    nbits("8 bits", 8), nbits("8 bits, packed zero points", 8, zero="packed", accuracy_level=1),
])


def gather(name, data_dims, block, scale_dims, indices, data, zeros=None, **attributes):
    scales = (0.01 + rng.random(scale_dims)).astype(np.float32)
    inputs = [data, indices, scales] + ([zeros] if zeros is not None else [])
    return run("GatherBlockQuantized", inputs, MS, name=name, constants=[0, 2, 3], block_size=block, **attributes)


table = lambda bits, rows=7, width=48: packed_rows(rng.integers(0, 2**bits, (rows, width)), bits)
where = np.array([[0, 3], [6, -1]], np.int64)
write("ort-contrib", "GatherBlockQuantized", [
    gather("uint8 of 4 bits", None, 16, (7, 3), where, table(4), quantize_axis=1, bits=4),
    gather("uint8 of 4 bits, zero points", None, 16, (7, 3), where, table(4), table(4, 7, 3), quantize_axis=1, bits=4),
    gather("uint8 of 2 bits, zero points", None, 16, (7, 3), where, table(2), table(2, 7, 3), quantize_axis=1, bits=2),
    gather("uint8 of 8 bits", None, 16, (7, 3), where.astype(np.int32), table(8), quantize_axis=1, bits=8),
    gather("uint8 of 8 bits, zero points", None, 16, (7, 3), where, table(8), table(8, 7, 3), quantize_axis=1, bits=8),
    gather("uint4 along axis 0", None, 16, (3, 5), where[0], rng.integers(0, 16, (48, 5)).astype(UINT4), rng.integers(0, 16, (3, 5)).astype(UINT4), quantize_axis=0, gather_axis=0),
    gather("int4, gathered on axis 1", None, 16, (2, 7, 2), where, rng.integers(-8, 8, (2, 7, 32)).astype(INT4), None, quantize_axis=2, gather_axis=1),
])

one = lambda a, scale, zero: [a, s(scale), np.array(zero, a.dtype)]
write("ort-contrib", "qlinearElementwise", [
    run("QLinearAdd", one(u8(3, 4), .013, 121) + one(u8(3, 4), .021, 7) + [s(.029), s(90, np.uint8)], MS, name="add, uint8"),
    run("QLinearAdd", one(i8(3, 4), .013, 21) + one(i8(4), .021, -7) + [s(.029), s(3, np.int8)], MS, name="add, int8, broadcast"),
    run("QLinearAdd", one(u8(2, 1, 4), .013, 121) + one(u8(), .021, 7) + [s(.029), s(0, np.uint8)], MS, name="add, scalar"),
    run("QLinearMul", one(u8(3, 4), .013, 121) + one(u8(3, 4), .021, 7) + [s(.0091), s(90, np.uint8)], MS, name="mul, uint8"),
    run("QLinearMul", one(i8(2, 3, 4), .013, 21) + one(i8(3, 1), .021, -7) + [s(.0137), s(3, np.int8)], MS, name="mul, int8, broadcast"),
    run("QLinearSigmoid", one(np.arange(0, 256, 5, dtype=np.uint8), .047, 127) + [s(1 / 256), s(0, np.uint8)], MS, name="sigmoid, uint8"),
    run("QLinearSigmoid", one(np.arange(-128, 128, 5).astype(np.int8), .047, 1) + [s(1 / 256), s(-128, np.int8)], MS, name="sigmoid, int8"),
    run("QLinearLeakyRelu", one(np.arange(0, 256, 5, dtype=np.uint8), .047, 127) + [s(.031), s(19, np.uint8)], MS, name="leaky relu, uint8", alpha=0.1),
    run("QLinearLeakyRelu", one(np.arange(-128, 128, 5).astype(np.int8), .047, 1) + [s(.031), s(-89, np.int8)], MS, name="leaky relu, int8"),
])
write("ort-contrib", "QLinearSoftmax", [
    run("QLinearSoftmax", one(u8(3, 7), .047, 127) + [s(1 / 256), s(0, np.uint8)], MS, name="uint8", axis=-1, more=dict(opset=13)),
    run("QLinearSoftmax", one(i8(3, 2, 5), .031, 4) + [s(1 / 256), s(-128, np.int8)], MS, name="int8, axis 1", axis=1, more=dict(opset=13)),
    run("QLinearSoftmax", one(u8(3, 2, 5), .031, 4) + [s(1 / 256), s(0, np.uint8)], MS, name="uint8, axes from 1 on", axis=1, more=dict(opset=12)),
])
write("ort-contrib", "QLinearAveragePool", [
    run("QLinearAveragePool", one(u8(1, 2, 5, 6), .02, 110) + [s(.017), s(101, np.uint8)], MS, name="uint8", kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1]),
    run("QLinearAveragePool", one(i8(1, 2, 5, 6), .02, 10) + [s(.017), s(-3, np.int8)], MS, name="int8, padding counts", kernel_shape=[3, 2], pads=[1, 0, 1, 1], count_include_pad=1),
    run("QLinearAveragePool", one(u8(1, 5, 6, 2), .02, 110) + [s(.017), s(101, np.uint8)], MS, name="uint8, channels last", kernel_shape=[2, 2], strides=[2, 2], channels_last=1),
    run("QLinearGlobalAveragePool", one(u8(2, 3, 5, 6), .02, 110) + [s(.017), s(101, np.uint8)], MS, name="global, uint8"),
    run("QLinearGlobalAveragePool", one(i8(2, 5, 6, 3), .02, 11) + [s(.017), s(10, np.int8)], MS, name="global, int8, channels last", channels_last=1),
])
write("ort-contrib", "QLinearConcat", [
    run("QLinearConcat", [s(.023), s(99, np.uint8)] + one(u8(2, 3), .02, 110) + one(u8(2, 2), .031, 7), MS, name="uint8", axis=1),
    run("QLinearConcat", [s(.023), s(-9, np.int8)] + one(i8(2, 3), .02, 10) + one(i8(1, 3), .031, 7) + one(i8(2, 3), .023, -9), MS, name="int8, axis 0", axis=0),
])
column = lambda dtype, n: rng.integers(0 if dtype == np.uint8 else -20, 20, n).astype(dtype)
scales = lambda n: (.003 + rng.random(n) * .01).astype(np.float32)
c32 = rng.integers(-3000, 3000, (4,)).astype(np.int32)
write("ort-contrib", "QGemm", [
    run("QGemm", one(u8(3, 5), .011, 120) + one(i8(5, 4), .007, 3) + [c32, s(.05), s(128, np.uint8)], MS, name="uint8 × int8", constants=[3, 4, 5, 6]),
    run("QGemm", one(u8(5, 3), .011, 120) + [i8(4, 5), scales(4), column(np.int8, 4), c32, s(.05), s(128, np.uint8)], MS, name="both transposed, per column", constants=[3, 4, 5, 6], transA=1, transB=1, alpha=1.5),
    run("QGemm", one(u8(3, 5), .011, 120) + one(u8(5, 4), .007, 130) + [None], MS, name="float output", constants=[3, 4, 5]),
    run("QGemm", one(i8(3, 5), .011, -5) + one(i8(5, 4), .007, 0) + [c32, s(.05), s(-3, np.int8)], MS, name="int8 × int8", constants=[3, 4, 5, 6]),
])
write("ort-contrib", "DynamicQuantizeMatMul", [
    run("DynamicQuantizeMatMul", [f32(3, 6), u8(6, 4), s(.01), s(127, np.uint8)], MS, name="uint8 weights"),
    run("DynamicQuantizeMatMul", [f32(2, 3, 6), i8(6, 4), scales(4), column(np.int8, 4), f32(4)], MS, name="int8 per column, bias", constants=[1, 2, 3]),
    run("DynamicQuantizeMatMul", [f32(3, 6), i8(6, 4), s(.01)], MS, name="no zero point"),
    run("MatMulIntegerToFloat", [u8(3, 6), i8(6, 4), s(.02), scales(4), s(119, np.uint8), column(np.int8, 4), f32(4)], MS, name="to float, per column, bias"),
    run("MatMulIntegerToFloat", [u8(2, 3, 6), u8(6, 4), s(.02), s(.01)], MS, name="to float, batch"),
])
write("ort-contrib", "FusedMatMul", [
    run("FusedMatMul", [f32(3, 4), f32(4, 5)], MS, name="alpha", alpha=0.5),
    run("FusedMatMul", [f32(2, 4, 3), f32(2, 5, 4)], MS, name="both transposed", transA=1, transB=1),
    run("FusedMatMul", [f32(3, 2, 4), f32(2, 4, 5)], MS, name="batch of A moved", transBatchA=1),
    run("FusedMatMul", [f32(2, 3, 4), f32(4, 2, 5)], MS, name="batch of B moved", transBatchB=1),
    run("FusedMatMul", [f32(4, 6, 2, 3), f32(6, 2, 4, 5)], MS, name="batch and matrix of A transposed", transBatchA=1, transA=1),
])
write("ort-contrib", "gelu", [
    run("Gelu", [f32(2, 9, scale=2)], MS, name="exact"), run("BiasGelu", [f32(2, 9, scale=2), f32(9)], MS, name="with bias"),
    run("FastGelu", [f32(2, 9, scale=2)], MS, name="by tanh"), run("FastGelu", [f32(2, 9, scale=2), f32(9)], MS, name="by tanh, with bias"),
    run("QuickGelu", [f32(2, 9, scale=2)], MS, name="by sigmoid", alpha=1.5),
])
write("ort-contrib", "SkipLayerNormalization", [
    run("SkipLayerNormalization", [f32(2, 3, 8), f32(2, 3, 8), f32(8), f32(8)], MS, name="with beta", epsilon=1e-5),
    run("SkipLayerNormalization", [f32(2, 3, 8), f32(2, 3, 8), f32(8), None, f32(8)], MS, outputs=4, wanted=[0, 3], name="with bias, sum"),
    run("SkipLayerNormalization", [f32(2, 3, 8), f32(1, 3, 8), f32(8), f32(8), f32(8)], MS, name="skip broadcast"),
    run("SkipSimplifiedLayerNormalization", [f32(2, 3, 8), f32(2, 3, 8), f32(8), f32(8)], MS, outputs=4, wanted=[0, 3], name="simplified", epsilon=1e-6),
])


def lstm(name, steps, batch, inputs, hidden, directions, per_channel=False, peep=False, **attributes):
    weight = lambda rows: i8(directions, rows, 4 * hidden, low=-127)
    size = (directions, 4 * hidden) if per_channel else (directions,)
    scale = lambda: (.003 + rng.random(size) * .004).astype(np.float32)
    zero = lambda: np.zeros(size, np.int8)
    tensors = [f32(steps, batch, inputs), weight(inputs), weight(hidden), f32(directions, 8 * hidden, scale=.1), None, None, None,
               f32(directions, 3 * hidden, scale=.1) if peep else None, scale(), zero(), scale(), zero()]
    return run("DynamicQuantizeLSTM", tensors, MS, outputs=3, name=name, constants=[1, 2, 8, 9, 10, 11], hidden_size=hidden,
               tolerance=(2e-3, "a code of the hidden state may round to its neighbour"), **attributes)


write("ort-contrib", "DynamicQuantizeLSTM", [
    lstm("forward", 4, 1, 6, 5, 1), lstm("both directions, per channel", 3, 1, 4, 3, 2, True, direction="bidirectional"), lstm("peepholes", 3, 1, 4, 3, 1, False, True),
])
write("ort-contrib", "quantizeLinear", [
    run("QuantizeLinear", [f32(3, 4, scale=20), s(.21), s(3, np.int16)], MS, name="int16"),
    run("QuantizeLinear", [f32(3, 4, scale=3), s(.41), np.array(5, UINT4)], MS, name="uint4", opset=21, constants=[1, 2], narrow="uint4"),
    run("QuantizeLinear", [f32(3, 4, scale=3), scales(4) * 10, rng.integers(-3, 3, 4).astype(np.int8)], MS, name="int8 per axis", axis=1),
    run("DequantizeLinear", [rng.integers(-8, 8, (3, 4)).astype(INT4), scales(3), rng.integers(-8, 8, 3).astype(INT4)], MS, name="int4 per axis", axis=0, constants=[0, 1, 2]),
    run("DequantizeLinear", [u8(3, 4), s(.3), s(7, np.uint8)], MS, name="uint8"),
])

# ---- ONNX's own operators ----
R = dict(LSTM=4, GRU=3, RNN=1)


def recurrent(op, name, steps=4, batch=2, inputs=3, hidden=3, directions=1, bias=True, lengths=None, states=False, peep=False, opset=14, **attributes):
    g = R[op] * hidden
    tensors = [f32(steps, batch, inputs), f32(directions, g, inputs, scale=.5), f32(directions, g, hidden, scale=.5), f32(directions, 2 * g, scale=.2) if bias else None,
               None if lengths is None else np.array(lengths, np.int32), f32(directions, batch, hidden) if states else None]
    if op == "LSTM": tensors += [f32(directions, batch, hidden) if states else None, f32(directions, 3 * hidden, scale=.5) if peep else None]
    while tensors[-1] is None: tensors.pop()
    return run(op, tensors, opset=opset, outputs=3 if op == "LSTM" else 2, name=f"{op} {name}", hidden_size=hidden,
               tolerance=(1e-6, "approximate tanh and sigmoid of MLAS"), **attributes)


for op in R:
    both = dict(directions=2, direction="bidirectional")
    cases = [recurrent(op, "plain"), recurrent(op, "reverse, states", direction="reverse", states=True), recurrent(op, "both ways, lengths", lengths=[4, 2], states=True, **both),
             recurrent(op, "reverse, lengths", lengths=[3, 1], direction="reverse"), recurrent(op, "no bias", bias=False), recurrent(op, "clipped", clip=.3),
             recurrent(op, "operator set 7", opset=7, **both)]
    if op == "LSTM": cases += [recurrent(op, "peepholes", peep=True), recurrent(op, "peepholes, both ways, clipped", peep=True, clip=.5, **both), recurrent(op, "coupled gates", input_forget=1),
                               recurrent(op, "other activations", activations=["HardSigmoid", "Softsign", "ScaledTanh"], activation_alpha=[.3, .8], activation_beta=[.4, .9])]
    if op == "GRU": cases += [recurrent(op, "linear before reset", linear_before_reset=1), recurrent(op, "linear before reset, both ways", linear_before_reset=1, lengths=[2, 4], **both),
                              recurrent(op, "other activations", activations=["HardSigmoid", "LeakyRelu"], activation_alpha=[.3, .1], activation_beta=[.4])]
    if op == "RNN": cases += [recurrent(op, "relu", activations=["Relu"]), recurrent(op, "affine and elu", activations=["Affine", "Elu"], activation_alpha=[.7, .9], activation_beta=[.1], **both),
                              recurrent(op, "softplus and thresholded relu", activations=["Softplus", "ThresholdedRelu"], activation_alpha=[.2], **both)]
    write("ort-operators", op, cases)

image = lambda *dims: f32(*dims)
write("ort-operators", "pooling", [
    run("MaxPool", [image(1, 2, 5, 7)], opset=12, outputs=2, name="max, ceil, pads, dilations", kernel_shape=[2, 3], strides=[2, 2], pads=[1, 0, 0, 1], dilations=[2, 1], ceil_mode=1),
    run("MaxPool", [image(1, 2, 5, 7)], opset=12, outputs=2, name="max, column-major indices", kernel_shape=[2, 3], strides=[2, 2], storage_order=1),
    run("MaxPool", [image(2, 2, 9)], opset=8, outputs=2, name="max, one axis, operator set 8", kernel_shape=[3], auto_pad="SAME_LOWER", strides=[2]),
    run("MaxPool", [i8(1, 1, 4, 4)], opset=12, name="max, int8", kernel_shape=[2, 2]),
    run("MaxPool", [image(1, 1, 4, 5, 4)], opset=11, name="max, three axes", kernel_shape=[2, 2, 3], strides=[1, 2, 1], pads=[0, 1, 1, 1, 0, 1]),
    *[run("AveragePool", [image(1, 2, 5, 7)], opset=o, name=f"average, operator set {o}, padding {'counts' if c else 'does not count'}", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1], count_include_pad=c) for o in (7, 11, 19, 22) for c in (0, 1)],
    *[run("AveragePool", [image(1, 1, 6, 6)], opset=o, name=f"average, operator set {o}, ceil, padding {'counts' if c else 'does not count'}", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1, count_include_pad=c) for o in (10, 19, 22) for c in (0, 1)],
    run("AveragePool", [image(1, 1, 6, 6)], opset=11, name="average, same upper", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"),
    run("AveragePool", [image(1, 1, 7, 6)], opset=19, name="average, dilations", kernel_shape=[3, 2], dilations=[2, 3], pads=[1, 1, 0, 1], count_include_pad=1),
    run("LpPool", [image(1, 2, 5, 6)], opset=18, name="Lp, p 3", kernel_shape=[2, 3], strides=[2, 1], pads=[0, 1, 1, 0], p=3),
    run("LpPool", [image(1, 2, 5, 6)], opset=18, name="Lp, dilations, p 1", kernel_shape=[2, 2], dilations=[2, 2], p=1),
    run("GlobalLpPool", [image(2, 3, 4, 5)], opset=2, name="global Lp, p 3", p=3), run("GlobalMaxPool", [image(2, 3, 4)], opset=1, name="global max"),
    run("GlobalAveragePool", [image(2, 3, 2, 4, 5)], opset=1, name="global average, three axes"),
    run("MaxUnpool", [image(1, 1, 2, 2), np.array([[[[0, 7], [12, 18]]]], np.int64), np.array([1, 1, 4, 5], np.int64)], opset=11, name="unpool to a given shape", kernel_shape=[2, 2], strides=[2, 2]),
    run("MaxRoiPool", [image(1, 2, 6, 8), np.array([[0, 0, 0, 7, 5], [0, 2, 1, 5, 3], [0, 6, 4, 7, 5]], np.float32)], opset=1, name="regions", pooled_shape=[2, 3], spatial_scale=1.0),
    run("RoiAlign", [image(2, 2, 6, 8), np.array([[0, 0, 9, 7], [2.5, 1, 5, 3]], np.float32), np.array([0, 1], np.int64)], opset=10, name="align, operator set 10, adaptive", output_height=2, output_width=3, spatial_scale=.7),
    run("RoiAlign", [image(2, 2, 6, 8), np.array([[0, 0, 9, 7], [2.5, 1, 5, 3]], np.float32), np.array([0, 1], np.int64)], opset=16, name="align, half pixel", output_height=2, output_width=3, sampling_ratio=2),
])
write("ort-operators", "convolution", [
    run("Conv", [f32(1, 4, 7), f32(6, 2, 3), f32(6)], opset=11, name="one axis, groups, dilations", group=2, dilations=[2], pads=[1, 2]),
    run("Conv", [f32(2, 3, 6, 5), f32(3, 1, 3, 2)], opset=11, name="depthwise, strides", group=3, strides=[2, 1], pads=[1, 0, 1, 1]),
    run("Conv", [f32(1, 2, 4, 5, 3), f32(2, 2, 2, 3, 2), f32(2)], opset=11, name="three axes", strides=[1, 2, 1], pads=[0, 1, 1, 1, 0, 0]),
    run("Conv", [f32(1, 2, 7, 8), f32(2, 2, 3, 4)], opset=11, name="same lower", auto_pad="SAME_LOWER", strides=[2, 3]),
    run("Conv", [f32(1, 2, 7, 8), f32(2, 2, 3, 4)], opset=1, name="valid", auto_pad="VALID", strides=[2, 3]),
    run("Conv", [f32(2, 3, 4, 5), f32(4, 3, 1, 1), f32(4)], opset=11, name="pointwise"),
    run("Conv", [f32(1, 2, 9, 1), f32(3, 2, 3, 1)], opset=11, name="an axis of one", pads=[1, 0, 1, 0], strides=[2, 1]),
    run("ConvTranspose", [f32(1, 2, 4, 3), f32(2, 3, 3, 2), f32(3)], opset=11, name="transposed, strides, output padding", strides=[2, 3], output_padding=[1, 2], pads=[1, 0, 0, 1]),
    run("ConvTranspose", [f32(1, 4, 5), f32(4, 2, 3)], opset=11, name="transposed, groups, dilations", group=2, dilations=[2], strides=[2]),
    run("ConvTranspose", [f32(1, 2, 4, 3), f32(2, 1, 3, 3)], opset=11, name="transposed, output shape", strides=[2, 2], output_shape=[8, 7]),
    run("ConvTranspose", [f32(1, 2, 4, 3), f32(2, 1, 3, 3)], opset=11, name="transposed, output shape, same upper", strides=[2, 2], output_shape=[8, 6], auto_pad="SAME_UPPER"),
    run("ConvTranspose", [f32(1, 2, 4, 3), f32(2, 1, 3, 3)], opset=11, name="transposed, same lower", strides=[2, 2], auto_pad="SAME_LOWER"),
    run("ConvTranspose", [f32(1, 2, 2, 3, 2), f32(2, 2, 2, 2, 3)], opset=11, name="transposed, three axes", strides=[2, 1, 2]),
    run("DeformConv", [f32(1, 4, 5, 6), f32(4, 2, 3, 2), f32(1, 2 * 3 * 2 * 2, 3, 5, scale=.7), f32(4), np.abs(f32(1, 2 * 3 * 2, 3, 5))], opset=19, name="deformable", group=2, offset_group=2, kernel_shape=[3, 2]),
    run("ConvInteger", [u8(1, 2, 5, 5), i8(3, 2, 3, 3), s(120, np.uint8)], opset=10, name="integer", pads=[1, 1, 0, 0]),
    run("QLinearConv", one(u8(1, 4, 5, 5), .02, 119) + [i8(4, 2, 3, 3), scales(4), np.zeros(4, np.int8), s(.03), s(130, np.uint8), rng.integers(-400, 400, 4).astype(np.int32)], opset=10, name="quantized, per channel, groups, bias", group=2, pads=[1, 1, 1, 1], strides=[2, 1]),
    run("QLinearConv", one(u8(1, 2, 5, 5), .02, 119) + one(u8(3, 2, 3, 3), .007, 111) + [s(.03), s(7, np.uint8)], opset=10, name="quantized, uint8 weights", dilations=[2, 1]),
])
sizes = lambda *v: np.array(v, np.int64)
none = np.array([], np.float32)
up = np.array([1, 1, 2, 2.5], np.float32)
down = np.array([1, 1, .6, .75], np.float32)
x1 = lambda: f32(1, 2, 5, 6)
write("ort-operators", "Resize", [
    *[run("Resize", [x1(), sc], opset=10, name=f"operator set 10, {m}, {'up' if sc is up else 'down'}", mode=m) for m in ("nearest", "linear") for sc in (up, down)],
    *[run("Resize", [x1(), none, sc], opset=11, name=f"operator set 11, {m}, {t}, {'up' if sc is up else 'down'}", mode=m, coordinate_transformation_mode=t)
      for m in ("nearest", "linear", "cubic") for t in ("half_pixel", "pytorch_half_pixel", "asymmetric") for sc in (up, down)],
    run("Resize", [x1(), none, none, sizes(1, 2, 8, 3)], opset=11, name="operator set 11, nearest, tf_half_pixel_for_nn", mode="nearest", coordinate_transformation_mode="tf_half_pixel_for_nn"),
    *[run("Resize", [x1(), None, None, sizes(1, 2, 8, 3)], opset=13, name=f"operator set 13, {m}, align_corners", mode=m, coordinate_transformation_mode="align_corners") for m in ("nearest", "linear", "cubic")],
    *[run("Resize", [x1(), None, None, sizes(1, 2, 8, 3)], opset=13, name=f"operator set 13, {n}", mode="nearest", nearest_mode=n, coordinate_transformation_mode="asymmetric") for n in ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")],
    run("Resize", [x1(), np.array([0, 0, .1, -.2, 1, 1, .8, 1.1], np.float32), None, sizes(1, 2, 4, 7)], opset=13, name="crop", mode="linear", coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=9.0),
    run("Resize", [x1(), None, down[2:]], opset=18, name="operator set 18, axes, antialias", mode="linear", antialias=1, axes=[2, 3]),
    run("Resize", [x1(), None, down], opset=18, name="operator set 18, cubic antialias", mode="cubic", antialias=1),
    run("Resize", [x1(), None, None, sizes(9, 4)], opset=18, name="operator set 18, not larger", mode="linear", axes=[2, 3], keep_aspect_ratio_policy="not_larger"),
    run("Resize", [x1(), None, None, sizes(9, 4)], opset=19, name="operator set 19, not smaller", mode="nearest", axes=[2, 3], keep_aspect_ratio_policy="not_smaller"),
    run("Upsample", [x1(), np.array([1, 1, 2, 3], np.float32)], opset=9, name="upsample, operator set 9, linear", mode="linear"),
    run("Upsample", [x1()], opset=7, name="upsample, operator set 7, nearest", mode="nearest", scales=[1.0, 1.0, 2.0, 1.5]),
    *[run("GridSample", [f32(2, 2, 4, 5), f32(2, 3, 3, 2, scale=.9)], opset=16, name=f"grid, {m}, {p}, {'aligned' if a else 'edges'}", mode=m, padding_mode=p, align_corners=a)
      for m in ("bilinear", "nearest", "bicubic") for p in ("zeros", "border", "reflection") for a in (0, 1)],
])
bn = lambda c: [f32(c), f32(c), f32(c), np.abs(f32(c)) + .1]
write("ort-operators", "normalization", [
    run("BatchNormalization", [f32(2, 3, 4, 5)] + bn(3), opset=7, name="batch, operator set 7"),
    run("BatchNormalization", [f32(2, 3)] + bn(3), opset=9, name="batch, no plane", epsilon=.01),
    run("BatchNormalization", [f32(2, 3, 4).astype(np.float64)] + [a.astype(np.float64) for a in bn(3)], opset=15, name="batch, float64"),
    run("Softmax", [f32(2, 3, 4)], opset=11, name="softmax of everything from axis 1 on"), run("LogSoftmax", [f32(2, 3, 4)], opset=11, name="log softmax from axis 2 on", axis=2),
    run("Hardmax", [f32(2, 3, 4)], opset=11, name="hardmax, operator set 11"), run("Softmax", [np.array([[1000, 1001, -np.inf], [0, 0, 0]], np.float32)], opset=13, name="softmax of extremes"),
    run("LRN", [f32(1, 7, 2, 3)], opset=13, name="local response", size=3, alpha=.3, beta=.6, bias=1.5),
    run("InstanceNormalization", [f32(2, 3, 4), f32(3), f32(3)], opset=6, name="instance, one axis"),
    run("LayerNormalization", [f32(2, 3, 4), f32(3, 4), f32(3, 4)], opset=17, outputs=3, name="layer from axis 1 on", axis=1),
    run("LpNormalization", [f32(3, 4)], opset=1, name="L1", p=1, axis=0), run("MeanVarianceNormalization", [f32(2, 3, 4)], opset=9, name="mean and variance, chosen axes", axes=[0, 2]),
    run("GroupNormalization", [f32(2, 4, 3), f32(2), f32(2)], opset=18, name="group, operator set 18", num_groups=2),
])
write("ort-operators", "products", [
    run("Gemm", [f32(4, 3), f32(5, 4), f32(5)], opset=7, name="gemm, both transposed", transA=1, transB=1, alpha=.5, beta=.25),
    run("Gemm", [f32(3, 4), f32(4, 5), f32(3, 1)], opset=11, name="gemm, C a column"), run("Gemm", [f32(3, 4), f32(4, 5)], opset=11, name="gemm, no C"),
    run("MatMul", [rng.integers(-9, 9, (2, 3)).astype(np.int32), rng.integers(-9, 9, (3, 2)).astype(np.int32)], opset=13, name="int32"),
    run("MatMul", [rng.integers(-2**20, 2**20, (2, 3)), rng.integers(-2**20, 2**20, (3, 2))], opset=13, name="int64"),
    run("MatMul", [f32(3, 1, 2, 4), f32(5, 4, 2)], opset=9, name="stacks broadcast"),
    *[run("Einsum", ins, opset=12, name=eq, equation=eq) for eq, ins in [("bij,bjk->bik", [f32(2, 3, 4), f32(2, 4, 5)]), ("ij,jk,kl", [f32(2, 3), f32(3, 4), f32(4, 2)]), ("...ij,...jk->...ik", [f32(2, 1, 3, 4), f32(1, 5, 4, 2)]),
                                                                     ("ii->i", [f32(4, 4)]), ("ij->", [f32(3, 4)]), ("bhqd, bhkd -> bqhk", [f32(2, 2, 3, 4), f32(2, 2, 5, 4)]), ("ab...->...ba", [f32(2, 3, 4)])]],
    run("MatMulInteger", [u8(3, 4), i8(4, 2), s(9, np.uint8), np.array([3, -2], np.int8)], opset=10, name="integer, per column"),
    run("QLinearMatMul", one(u8(2, 3, 4), .02, 120) + [i8(4, 5), scales(5), np.zeros(5, np.int8), s(.05), s(100, np.uint8)], opset=10, name="quantized, per column", constants=[3, 4, 5]),
])
nms = lambda *tail: [np.array([[[0, 0, 1, 1], [0, .1, 1, 1.1], [1, 1.1, 0, .1], [0, 10, 1, 11]]], np.float32), np.array([[[.9, .75, .75, .3], [.2, .8, .4, .95]]], np.float32), *tail]
special = np.array([np.nan, np.inf, -np.inf, -0.0, .5, 1.5, 2.5, -.5, -1.5, 1e30], np.float32)
write("ort-operators", "quantization", [
    run("QuantizeLinear", [special, s(1), s(3, np.uint8)], opset=13, name="NaN, infinities and ties, uint8"), run("QuantizeLinear", [special, s(1), s(3, np.int8)], opset=13, name="NaN, infinities and ties, int8"),
    run("QuantizeLinear", [np.array([-2.5, -1.5, -.5, .5, 1.5, 2.5, 3.5], np.float32), s(1), s(1, np.uint8)], opset=13, name="ties round before an odd zero point is added"),
    run("QuantizeLinear", [f32(3, 4, scale=30), scales(3) * 40, rng.integers(-5, 5, 3).astype(np.int16)], opset=21, name="int16 per axis", axis=0),
    run("QuantizeLinear", [f32(3, 8, scale=3), np.abs(f32(3, 2)) + .2, rng.integers(-3, 3, (3, 2)).astype(INT4)], opset=21, name="int4 in blocks", narrow="int4", axis=1, block_size=4, constants=[1, 2]),
    run("QuantizeLinear", [f32(3, 4, scale=30).astype(np.float16), s(.3, np.float16), s(7, np.uint8)], opset=21, name="float16", tolerance=(1, "ONNX Runtime divides in float32, the specification in float16")),
    run("DequantizeLinear", [rng.integers(-2**31, 2**31, (2, 3)).astype(np.int32), s(.001)], opset=13, name="int32"),
    run("DequantizeLinear", [i8(2, 3, 4), scales(3), np.array([1, -2, 3], np.int8)], opset=13, name="int8 per axis", axis=-2),
    run("DequantizeLinear", [rng.integers(0, 16, (2, 8)).astype(UINT4), scales(4).reshape(2, 2), rng.integers(0, 16, (2, 2)).astype(UINT4)], opset=21, name="uint4 in blocks", axis=1, block_size=4, constants=[0, 1, 2]),
    run("DynamicQuantizeLinear", [f32(3, 4)], opset=11, outputs=3, name="dynamic"), run("DynamicQuantizeLinear", [np.zeros(4, np.float32)], opset=11, outputs=3, name="dynamic, all zero"),
    run("DynamicQuantizeLinear", [np.abs(f32(5)) + 1], opset=11, outputs=3, name="dynamic, positive"),
    run("NonMaxSuppression", nms(sizes(3), s([.5]), s([.25])), opset=11, name="boxes, two classes"), run("NonMaxSuppression", nms(sizes(1), s([.5])), opset=10, name="boxes, one each, no least score"),
])
