/**
 * What this host's runtime charges for the borders between float and int8, and whether its int8 kernels are exact: measured on
 * small models made here, once for each host and runtime.
 */
import { createNode } from "#model/attributes";
import type { Model, Node, TensorRef, ValueInfo } from "#model/model";
import { canProfile, type KernelTime, type OpenSession } from "#model/session";
import { type ElementType, float32, fromNumbers, type Tensor, tensor } from "#model/tensor";
import { weight } from "#model/weights";
import type { BorderCosts, HostCosts, LinearCost } from "#targets/hostCosts";

/** Images of 12 thousand to 400 thousand elements: what lies between layers of real networks. */
const sizes = [
  [64, 14, 14],
  [32, 28, 28],
  [32, 56, 56],
  [32, 112, 112],
] as const;
const rounds = 25;

/** Adds to a table what it lacks of the host itself. */
export async function measureHost(known: HostCosts, openSession: OpenSession): Promise<HostCosts> {
  const borders = known.borders ?? (await measureBorders(openSession));
  const saturates = known.saturates ?? (await pairSumsSaturate(openSession));
  return { ...known, saturates, ...(borders === undefined ? {} : { borders }) };
}

/** Profiles float conv → codes → int8 conv → floats → float conv at each size. Undefined where the runtime cannot profile. */
async function measureBorders(openSession: OpenSession): Promise<BorderCosts | undefined> {
  const points = { quantize: [], dequantize: [], layoutToCodes: [], layoutToFloat: [] } as Record<
    keyof BorderCosts,
    [elements: number, us: number][]
  >;
  for (const [channels, height, width] of sizes) {
    const dims = [1, channels, height, width];
    const elements = channels * height * width;
    const session = await openSession(borderModel(dims));
    try {
      if (!canProfile(session)) return undefined;
      const kernels = await session.profile({ x: float32(dims, new Float32Array(elements).fill(0.5)) }, rounds);
      const mean = (op: string): number => average(kernels.filter((kernel) => kernel.op === op));
      points.quantize.push([elements, mean("QuantizeLinear")]);
      points.dequantize.push([elements, mean("DequantizeLinear")]);
      // float convolutions may run in a blocked layout (ReorderInput/Output), int8 ones in channels-last (Transpose)
      points.layoutToCodes.push([elements, mean("ReorderOutput") + mean("Transpose")]);
      points.layoutToFloat.push([elements, mean("ReorderInput") + mean("Transpose")]);
    } finally {
      await session.close();
    }
  }
  return {
    quantize: fit(points.quantize),
    dequantize: fit(points.dequantize),
    layoutToCodes: fit(points.layoutToCodes),
    layoutToFloat: fit(points.layoutToFloat),
  };
}

function average(kernels: readonly KernelTime[]): number {
  return kernels.length === 0 ? 0 : kernels.reduce((sum, { medianUs }) => sum + medianUs, 0) / kernels.length;
}

/** Least squares through (elements, µs) with both coefficients ≥ 0. */
function fit(points: readonly (readonly [number, number])[]): LinearCost {
  const n = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const variance = points.reduce((sum, [x]) => sum + (x - meanX) * (x - meanX), 0);
  const element = Math.max(0, covariance / variance);
  const call = meanY - element * meanX;
  return call >= 0 ? { call, element } : { call: 0, element: Math.max(0, meanY / meanX) };
}

const none: ReadonlyMap<string, string> = new Map();

function value(name: string, element: ElementType, shape: readonly number[]): ValueInfo {
  return { name, type: { kind: "tensor", element, shape }, doc: "", metadata: none };
}

function smallModel(
  inputs: readonly ValueInfo[],
  outputs: readonly ValueInfo[],
  nodes: readonly Node[],
  constants: Readonly<Record<string, Tensor>>,
): Model {
  const initializers = new Map<string, TensorRef>(
    Object.entries(constants).map(([name, content]) => [name, weight(name, content)]),
  );
  return {
    irVersion: 8,
    opsets: new Map([["", 13]]),
    graph: { name: "measure", nodes, inputs, outputs, initializers, values: new Map(), doc: "", metadata: none },
    functions: [],
    producer: { name: "lowbit", version: "" },
    domain: "",
    modelVersion: 0,
    doc: "",
    metadata: none,
  };
}

function borderModel(dims: readonly number[]): Model {
  const channels = dims[1];
  const scale = float32([], [0.01]);
  const nodes = [
    createNode("Conv", ["x", "w"], ["a"], { kernel_shape: [1, 1] }),
    createNode("QuantizeLinear", ["a", "s", "z"], ["aq"]),
    createNode("DequantizeLinear", ["aq", "s", "z"], ["ad"]),
    createNode("DequantizeLinear", ["wq", "s"], ["wd"]),
    createNode("Conv", ["ad", "wd"], ["b"], { kernel_shape: [1, 1] }),
    createNode("QuantizeLinear", ["b", "s", "z"], ["bq"]),
    createNode("DequantizeLinear", ["bq", "s", "z"], ["bd"]),
    createNode("Conv", ["bd", "w"], ["y"], { kernel_shape: [1, 1] }),
  ];
  const shape = [channels, channels, 1, 1];
  const constants = {
    w: float32(shape, new Float32Array(channels * channels).fill(0.01)),
    wq: tensor("int8", shape, new Int8Array(channels * channels).fill(1)),
    s: scale,
    z: fromNumbers("uint8", [], [0]),
  };
  return smallModel([value("x", "float32", dims)], [value("y", "float32", dims)], nodes, constants);
}

/** 255·127 twice is 64,770: kernels that add pairs in 16 bits answer 32,767 (pmaddubsw; peers.md §4-5). */
async function pairSumsSaturate(openSession: OpenSession): Promise<boolean> {
  const length = 64;
  const model = smallModel(
    [value("a", "uint8", [1, length])],
    [value("y", "int32", [1, 16])],
    [createNode("MatMulInteger", ["a", "b"], ["y"])],
    { b: tensor("int8", [length, 16], new Int8Array(length * 16).fill(127)) },
  );
  const session = await openSession(model);
  try {
    const { y } = await session.run({ a: tensor("uint8", [1, length], new Uint8Array(length).fill(255)) });
    return [...(y.data as Int32Array)].some((sum) => sum !== 255 * 127 * length);
  } finally {
    await session.close();
  }
}
