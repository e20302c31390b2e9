/**
 * What quantized kernels gain on this machine: the layers that networks are made of, in float and quantized, timed in turns. It is
 * a rule of thumb where the layers themselves cannot be timed (`ort-web` does not tell), and what `lowbit doctor` shows.
 */
import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
import type { OpenSession } from "#model/session";
import { float32 } from "#model/tensor";
import { activation, parameters } from "#targets/acceptance/cases/betweenCodes";
import { Sketch } from "#targets/acceptance/sketch";
import type { AcceptanceCase } from "#targets/acceptance/types";

export interface KernelSpeed {
  /** Stable name, for programs: "Conv-3x3", "MatMulNBits-4-row". */
  readonly id: string;
  /** For people: "Conv 3×3, 64 to 64 channels, 56×56". */
  readonly layer: string;
  /** How the quantized one is written. */
  readonly form: "uint8 × int8" | "4-bit weights";
  readonly floatMs: number;
  readonly quantizedMs: number;
}

interface Layer extends Pick<KernelSpeed, "id" | "layer" | "form"> {
  readonly op: "Conv" | "MatMul" | "Softmax";
  readonly shape: readonly number[];
  readonly weights?: readonly number[];
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

const image = [1, 64, 56, 56];
const [inner, columns] = [1024, 1024];
const codes = "uint8 × int8";
const fourBits = "4-bit weights";
const matMul = { op: "MatMul", weights: [inner, columns] } as const;
const size = `${inner}×${columns}`;

const layers: readonly Layer[] = [
  conv("Conv-3x3", "Conv 3×3, 64 to 64 channels, 56×56", [64, 64, 3, 3], { pads: [1, 1, 1, 1] }),
  conv("Conv-1x1", "Conv 1×1, 64 to 64 channels, 56×56", [64, 64, 1, 1], {}),
  conv("Conv-depthwise", "Conv 3×3 depthwise, 64 channels, 56×56", [64, 1, 3, 3], { pads: [1, 1, 1, 1], group: 64 }),
  { ...matMul, id: "MatMul-row", layer: `MatMul 1 row by ${size}`, form: codes, shape: [1, inner] },
  { ...matMul, id: "MatMul-rows", layer: `MatMul 64 rows by ${size}`, form: codes, shape: [64, inner] },
  { ...matMul, id: "MatMulNBits-4-row", layer: `MatMul 1 row by ${size}`, form: fourBits, shape: [1, inner] },
  { ...matMul, id: "MatMulNBits-4-rows", layer: `MatMul 64 rows by ${size}`, form: fourBits, shape: [64, inner] },
  { id: "Softmax", layer: "Softmax of 128 rows of 768", form: codes, op: "Softmax", shape: [128, 768] },
];

function conv(id: string, layer: string, weights: readonly number[], attributes: Layer["attributes"]): Layer {
  return { id, layer, form: codes, op: "Conv", shape: image, weights, ...(attributes && { attributes }) };
}

/** Turns of float and quantized, and milliseconds that each may take: engines compile WebAssembly well only as it runs. */
const turns = 8;
const turnMs = 40;

/** Times every layer of the list, which takes about 10 s. */
export async function measureKernelSpeeds(
  openSession: OpenSession,
  options: JobOptions = {},
): Promise<readonly KernelSpeed[]> {
  const speeds: KernelSpeed[] = [];
  for (const [done, layer] of layers.entries()) {
    throwIfAborted(options.signal);
    options.onProgress?.({ stage: "time layers", done, total: layers.length });
    const { id, form } = layer;
    const [floatMs, quantizedMs] = await inTurns([inFloat(layer), quantized(layer)], openSession);
    speeds.push({ id, layer: layer.layer, form, floatMs, quantizedMs });
  }
  return speeds;
}

/** The time of each: the median of a turn, and the least of the turns, which neighbours on the machine disturbed least. */
async function inTurns(models: readonly AcceptanceCase[], openSession: OpenSession): Promise<number[]> {
  const best = models.map(() => Number.POSITIVE_INFINITY);
  const sessions = await Promise.all(models.map(({ model }) => openSession(model)));
  try {
    for (let turn = 0; turn < turns; turn++) {
      for (const [i, session] of sessions.entries()) {
        const rounds = turn === 0 ? 1 : Math.max(3, Math.min(50, Math.ceil(turnMs / best[i])));
        const times = (await session.time(models[i].feeds, rounds)).sort();
        best[i] = Math.min(best[i], times[times.length >> 1]);
      }
    }
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
  return best.map((ms) => Number(ms.toPrecision(3)));
}

function inFloat({ id, op, shape, weights, attributes = {} }: Layer): AcceptanceCase {
  const sketch = new Sketch(id);
  const x = sketch.input(sketch.floats(shape));
  const w = weights === undefined ? [] : [sketch.constant(sketch.floats(weights, 0.1))];
  sketch.output(sketch.node(op, [x, ...w], attributes));
  return sketch.finish("", 0);
}

function quantized(layer: Layer): AcceptanceCase {
  const { id, op, shape, weights, attributes = {}, form } = layer;
  const sketch = new Sketch(id);
  if (form === fourBits) {
    const [blocks, block] = [inner / 32, 32];
    const packed = sketch.codes("uint8", [columns, blocks, block / 2]);
    const inputs = [
      sketch.input(sketch.floats(shape)),
      sketch.constant(packed),
      sketch.constant(float32([columns * blocks], new Float32Array(columns * blocks).fill(0.01))),
    ];
    const written = { K: inner, N: columns, bits: 4, block_size: block, accuracy_level: 4 };
    sketch.output(sketch.node("MatMulNBits", inputs, written, "com.microsoft"));
    return sketch.finish("", 0);
  }
  const grid = parameters(sketch, activation);
  const inputs = [sketch.node("DequantizeLinear", [sketch.input(sketch.codes("uint8", shape)), ...grid])];
  if (weights !== undefined) {
    const w = sketch.constant(sketch.codes("int8", weights, -64, 63));
    inputs.push(sketch.node("DequantizeLinear", [w, sketch.constant(float32([], [0.002]))]));
  }
  const y = sketch.node(op, inputs, attributes);
  sketch.output(sketch.node("QuantizeLinear", [y, ...grid]), "uint8");
  return sketch.finish("", 0);
}
