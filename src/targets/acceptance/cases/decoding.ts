/** Stored types: which of them DequantizeLinear, QuantizeLinear and Cast can turn into floats and back. */
import { type ElementType, elementTypes, float32, fromNumbers, toNumbers } from "#model/tensor";
import { Sketch } from "#targets/acceptance/sketch";
import type { AcceptanceCase } from "#targets/acceptance/types";

const integers = ["int8", "uint8", "int16", "uint16", "int4", "uint4", "int2", "uint2"] as const;
const smallFloats = ["float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "float4e2m1"] as const;

/** First operator set in which Q and DQ take a type. */
function firstOpset(type: ElementType): number {
  if (type === "int8" || type === "uint8") return 13;
  if (type === "float4e2m1") return 23;
  if (type === "float8e8m0") return 24;
  if (type.startsWith("float8")) return 19;
  return elementTypes[type].bits === 2 ? 25 : 21;
}

type Granularity = "tensor" | "channel" | "block";

/** A constant and its DequantizeLinear. An Add keeps the graph from being a constant. */
function dequantize(type: ElementType, per: Granularity, zero = false, domain = ""): AcceptanceCase {
  const id = `decode/${type}-${per}${zero ? "-zero" : ""}${domain === "" ? "" : "-contrib"}`;
  const opset = domain === "" ? Math.max(firstOpset(type), per === "block" ? 21 : 0) : 17;
  const sketch = new Sketch(id, { opset });
  const [rows, columns, block] = [64, 5, 32];
  const scaleDims = { tensor: [], channel: [columns], block: [rows / block, columns] }[per];
  const scales = sketch.floats(scaleDims, 0.2);
  const codes = type.startsWith("float")
    ? fromNumbers(type, [rows, columns], toNumbers(sketch.floats([rows, columns], 3)), true)
    : sketch.codes(type, [rows, columns]);
  const inputs = [sketch.constant(codes), sketch.constant(scales)];
  if (zero) inputs.push(sketch.constant(sketch.codes(type, scaleDims)));
  const attributes: Record<string, number> =
    per === "tensor" ? {} : per === "channel" ? { axis: 1 } : { axis: 0, block_size: block };
  const w = sketch.node("DequantizeLinear", inputs, attributes, domain);
  sketch.output(sketch.node("Add", [w, sketch.input(sketch.floats([columns]))]));
  const about = `${domain === "" ? "" : `${domain}.`}DequantizeLinear of ${type}, a scale per ${per}${zero ? ", with zero points" : ""}`;
  return sketch.finish(about, 1e-6);
}

/** QuantizeLinear and DequantizeLinear of what is computed. */
function roundTrip(type: ElementType): AcceptanceCase {
  const opset = firstOpset(type);
  const sketch = new Sketch(`encode/${type}`, { opset });
  const scale = type === "float4e2m1" ? 1 / 6 : type.startsWith("float") ? 0.01 : 2 / 2 ** elementTypes[type].bits;
  const parameters = [
    sketch.constant(float32([], [scale])),
    sketch.constant(fromNumbers(type, [], [type.startsWith("u") ? 2 ** (elementTypes[type].bits - 1) : 0])),
  ];
  const q = sketch.node("QuantizeLinear", [sketch.input(sketch.floats([4, 16])), ...parameters]);
  sketch.output(sketch.node("DequantizeLinear", [q, ...parameters]));
  return sketch.finish(`QuantizeLinear and DequantizeLinear of ${type}`, 1e-6);
}

function castFrom(type: ElementType): AcceptanceCase {
  const opset = { float16: 13, bfloat16: 13, float8e8m0: 24 }[type as "float16"] ?? firstOpset(type);
  const sketch = new Sketch(`cast/${type}`, { opset });
  const codes =
    type === "float8e8m0"
      ? sketch.codes("uint8", [4, 6], 117, 137)
      : type.startsWith("float") || type === "bfloat16"
        ? fromNumbers(type, [4, 6], toNumbers(sketch.floats([4, 6], 3)), true)
        : sketch.codes(type, [4, 6]);
  const w = sketch.node("Cast", [sketch.constant({ ...codes, type })], { to: elementTypes.float32.code });
  sketch.output(sketch.node("Add", [w, sketch.input(sketch.floats([6]))]));
  return sketch.finish(`Cast of ${type} to float32`, 1e-6);
}

export const decodingCases: readonly AcceptanceCase[] = [
  ...integers.flatMap((type) => [
    dequantize(type, "tensor"),
    dequantize(type, "channel", true),
    dequantize(type, "block"),
  ]),
  ...smallFloats.flatMap((type) => [dequantize(type, "tensor"), dequantize(type, "channel")]),
  dequantize("float8e4m3fn", "block"),
  ...(["int4", "uint4", "int16", "int8"] as const).map((type) => dequantize(type, "channel", true, "com.microsoft")),
  ...([...integers, ...smallFloats] as const).map(roundTrip),
  ...(["float16", "bfloat16", "int4", "uint4", "int2", "uint2", ...smallFloats, "float8e8m0"] as const).map(castFrom),
];
