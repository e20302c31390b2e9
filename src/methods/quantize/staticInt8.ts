/**
 * Writes units that compute on codes as ONNX's QDQ form: Q and DQ around every value that travels as codes, an integer weight
 * behind a DQ, an int32 bias behind a DQ with scale s_x·s_w (without zero point, which some kernels refuse). Runtimes fuse
 * DQ → operator → Q into integer kernels (peers.md §2.4).
 */
import { LowbitError } from "#base/errors";
import type { Unit } from "#methods/plan/units";
import { unitOutputs } from "#methods/plan/placement";
import { SharedConstants } from "#methods/quantize/parameters";
import { quantizeWeight } from "#methods/quantize/weights";
import type { Plan } from "#methods/types";
import { createNode } from "#model/attributes";
import type { GraphDraft, UseFilter } from "#model/edit";
import type { Node } from "#model/model";
import { toNumbers } from "#model/tensor";
import { readWeight, weight } from "#model/weights";
import { affineFromRange, encodeAffine, fitAffine } from "#quant/affine";
import { codeRange, type DTypeName, dtype } from "#quant/dtype";
import { parseScheme, type Scheme } from "#quant/scheme";
import { roundHalfEven } from "#math/round";

interface Codes {
  readonly dtype: DTypeName;
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Rewrites the draft in place: `units` are those that the plan computes on codes. */
export async function writeStaticInt8(
  draft: GraphDraft,
  plan: Plan,
  units: readonly Unit[],
  reduced: boolean,
): Promise<void> {
  const constants = new SharedConstants(draft);
  const codesOf = activationCodes(plan);
  for (const unit of units) absorbActivation(draft, unit);
  for (const unit of units) await writeConstants(draft, unit, plan, constants, codesOf, reduced);
  const producers = new Map(units.flatMap((unit) => unitOutputs(unit).map((name) => [name, unit] as const)));
  const readers = new Map<string, Unit[]>();
  for (const unit of units)
    for (const name of new Set(unit.operands)) readers.set(name, [...(readers.get(name) ?? []), unit]);
  for (const value of new Set([...readers.keys(), ...producers.keys()])) {
    const producer = producers.get(value);
    const givesFloats = producer === undefined || (producer.kernel.kind === "linear" && producer.kernel.floatOutput);
    const onCodes = new Set((readers.get(value) ?? []).map((unit) => draft.current(unit.node)));
    if (onCodes.size === 0 && givesFloats) continue;
    const everywhere =
      !givesFloats ||
      (producer !== undefined && !draft.isOutput(value) && draft.consumers(value).every((node) => onCodes.has(node)));
    insertCodes(
      draft,
      value,
      codesOf(value),
      constants,
      everywhere ? undefined : (node, input) => input >= 0 && onCodes.has(node),
    );
  }
}

/** Q and DQ after a value: before all its readers and under its name as an output, or before the chosen readers only. */
function insertCodes(
  draft: GraphDraft,
  value: string,
  codes: Codes,
  constants: SharedConstants,
  uses?: UseFilter,
): void {
  const s = constants.scale(Float32Array.of(codes.scale), [], value);
  const z = constants.zeroPoint([codes.zeroPoint], codes.dtype, [], value);
  const q = draft.freshName(`${value}_q`);
  const barrier = uses !== undefined && draft.producer(value)?.op === "MaxPool";
  const build = (source: string, result: string): Node[] => {
    const before = barrier ? [clamp(draft, source, codes, constants)] : [];
    return [
      ...before,
      createNode("QuantizeLinear", [before[0]?.outputs[0] ?? source, s, z], [q], {}, { name: "" }),
      createNode("DequantizeLinear", [q, s, z], [result], {}, { name: "" }),
    ];
  };
  draft.insertAfter(value, build, { name: `${value}_dq`, ...(uses === undefined ? { outputs: true } : { uses }) });
}

/**
 * ONNX Runtime moves a QuantizeLinear up through a float MaxPool, which then runs on codes in the layout of floats, 80 times
 * slower. A clamp to just what the codes can hold changes nothing and stops that; the runtime drops it again when it fuses.
 */
function clamp(draft: GraphDraft, source: string, codes: Codes, constants: SharedConstants): Node {
  const { min, max } = codeRange(dtype(codes.dtype), false);
  const bound = (code: number): string =>
    constants.scale(Float32Array.of((code - codes.zeroPoint) * codes.scale), [], `${source}_bound`);
  const output = draft.freshName(`${source}_clamped`);
  if (codes.zeroPoint === min) return createNode("Relu", [source], [output], {}, { name: "" });
  return createNode("Clip", [source, bound(min), bound(max)], [output], {}, { name: "" });
}

/** Scale and zero point of a value; members of one group share them. */
function activationCodes(plan: Plan): (value: string) => Codes {
  const planned = new Map(plan.activations.map((row) => [row.tensor, row]));
  return (value) => {
    const row = planned.get(value);
    const scheme = row === undefined ? null : parseScheme(row.scheme);
    if (row === undefined || scheme === null)
      throw new LowbitError("plan/mismatch", `the plan computes on codes of ${value} but gives it no range`, {
        at: { tensor: value },
        hint: "make the plan again for this model",
      });
    return {
      dtype: scheme.dtype,
      ...affineFromRange(row.low, row.high, scheme.dtype, { symmetric: scheme.symmetric }),
    };
  };
}

/** The unit's node takes over the activation's output name; clamping is left to the quantizer. */
function absorbActivation(draft: GraphDraft, unit: Unit): void {
  if (unit.activation === undefined) return;
  draft.remove(unit.activation.node);
  draft.update(unit.node, { outputs: [unit.output] });
}

async function writeConstants(
  draft: GraphDraft,
  unit: Unit,
  plan: Plan,
  constants: SharedConstants,
  codesOf: (value: string) => Codes,
  reduced: boolean,
): Promise<void> {
  const node = draft.current(unit.node);
  if (node === undefined) throw new LowbitError("plan/mismatch", `${unit.node.outputs[0]} is no longer in the graph`);
  const inputs = [...node.inputs];
  for (const name of unit.constants) {
    const decoded = await quantizedConstant(draft, name, plan, constants);
    inputs.forEach((input, i) => {
      if (input === name) inputs[i] = decoded;
    });
  }
  if (unit.weight !== undefined) {
    const { tensor, axis } = unit.weight;
    const ref = draft.initializer(tensor);
    const scheme = weightScheme(plan, tensor);
    if (ref === undefined || scheme === null)
      throw new LowbitError(
        "plan/mismatch",
        `the plan computes ${node.op} ${node.name} on codes but gives ${tensor} no scheme`,
        { at: { tensor } },
      );
    const x = codesOf(unit.operands[0]);
    const bias = unit.bias === undefined ? undefined : toNumbers(await readWeight(draft.initializer(unit.bias) ?? ref));
    const { decoding, codes } = await quantizeWeight(ref, scheme, axis, `${tensor}_q`, {
      reduced,
      ...(bias === undefined ? {} : { floor: biasFloor(bias, x.scale) }),
    });
    const dims = decoding.granularity.per === "tensor" ? [] : [decoding.scale.length];
    const scale = constants.scale(decoding.scale, dims, tensor);
    const statesZero = unit.kernel.kind === "linear" && unit.kernel.statesZero === true;
    const stated = decoding.zeroPoint ?? (statesZero ? new Int32Array(decoding.scale.length) : null);
    const zero = stated === null ? [] : [constants.zeroPoint(stated, scheme.dtype, dims, tensor)];
    const decoded = draft.freshName(`${tensor}_dq`);
    draft.add(
      createNode(
        "DequantizeLinear",
        [draft.addInitializer(codes), scale, ...zero],
        [decoded],
        dims.length === 0 ? {} : { axis },
        { name: "" },
      ),
    );
    inputs[1] = decoded;
    if (bias !== undefined) {
      const channels = bias.length;
      const scales = Float32Array.from({ length: channels }, (_, c) =>
        Math.fround(x.scale * decoding.scale[decoding.scale.length === 1 ? 0 : c]),
      );
      const q = Int32Array.from(scales, (s, c) =>
        Math.max(-2147483648, Math.min(2147483647, roundHalfEven(bias[c] / s))),
      );
      const decodedBias = draft.freshName(`${unit.bias}_dq`);
      const stored = draft.addInitializer(weight(`${unit.bias}_q`, { type: "int32", dims: [channels], data: q }));
      draft.add(
        createNode(
          "DequantizeLinear",
          [stored, constants.scale(scales, [channels], unit.bias ?? "bias")],
          [decodedBias],
          { axis: 0 },
          { name: "" },
        ),
      );
      inputs[2] = decodedBias;
    }
  }
  draft.update(node, { inputs });
}

function weightScheme(plan: Plan, tensor: string): Scheme | null {
  const row = plan.weights.find((weight) => weight.tensor === tensor);
  return row === undefined ? null : parseScheme(row.scheme);
}

/**
 * |bias| ≤ s_x·s_w·(2³¹ − 1) must hold for the bias to fit int32; with less margin the channel's weight scale is enlarged
 * (peers.md §2.4, _adjust_weight_scale_for_int32_bias).
 */
function biasFloor(bias: ArrayLike<number>, inputScale: number): (channel: number) => number {
  return (channel) => (1.0001 * Math.abs(bias[channel] ?? 0)) / (inputScale * 2147483647);
}

/** A constant operand of a pointwise unit: codes of the activation dtype over its own range. */
async function quantizedConstant(
  draft: GraphDraft,
  name: string,
  plan: Plan,
  constants: SharedConstants,
): Promise<string> {
  const ref = draft.initializer(name);
  const scheme = parseScheme(plan.recipe.activations);
  if (ref === undefined || scheme === null)
    throw new LowbitError("plan/mismatch", `${name} is no constant of this graph`, { at: { tensor: name } });
  const x = Float32Array.from(toNumbers(await readWeight(ref)));
  const options = { symmetric: scheme.symmetric };
  const decoding = fitAffine(x, ref.dims, scheme.dtype, { per: "tensor" }, options);
  const codes = encodeAffine(x, ref.dims, decoding, options);
  const stored = constants.zeroPoint(codes, scheme.dtype, ref.dims, `${name}_q`);
  const decoded = draft.freshName(`${name}_dq`);
  const zero = decoding.zeroPoint?.[0] ?? 0;
  draft.add(
    createNode(
      "DequantizeLinear",
      [stored, constants.scale(decoding.scale, [], name), constants.zeroPoint([zero], scheme.dtype, [], name)],
      [decoded],
      {},
      { name: "" },
    ),
  );
  return decoded;
}
