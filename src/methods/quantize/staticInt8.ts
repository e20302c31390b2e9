/**
 * Writes units that compute on codes as ONNX's QDQ form: Q and DQ around every value that travels as codes, an integer weight
 * behind a DQ, an int32 bias behind a DQ with scale s_x·s_w (without zero point, which some kernels refuse). Runtimes fuse
 * DQ → operator → Q into integer kernels (peers.md §2.4).
 */
import { LowbitError } from "#base/errors";
import type { Unit } from "#methods/plan/units";
import { unitOutputs } from "#methods/plan/placement";
import { SharedConstants } from "#methods/quantize/parameters";
import { type Codes, type Int8Writing, writeConstants } from "#methods/quantize/int8Constants";
import type { Plan } from "#methods/types";
import { createNode } from "#model/attributes";
import type { GraphDraft, UseFilter } from "#model/edit";
import type { Node } from "#model/model";
import { affineFromRange } from "#quant/affine";
import { codeRange, dtype } from "#quant/dtype";
import { parseScheme } from "#quant/scheme";

/** Rewrites the draft in place: `units` are those that the plan computes on codes. */
export async function writeStaticInt8(
  draft: GraphDraft,
  plan: Plan,
  units: readonly Unit[],
  options: Pick<Int8Writing, "reduced" | "channelMeans">,
): Promise<void> {
  const constants = new SharedConstants(draft);
  const codesOf = activationCodes(plan);
  for (const unit of units) absorbActivation(draft, unit);
  for (const unit of units) await writeConstants({ ...options, draft, plan, constants, codesOf }, unit);
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
      ...affineFromRange(row.low, row.high, scheme.dtype, scheme),
    };
  };
}

/** The unit's node takes over the activation's output name; clamping is left to the quantizer. */
function absorbActivation(draft: GraphDraft, unit: Unit): void {
  if (unit.activation === undefined) return;
  draft.remove(unit.activation.node);
  draft.update(unit.node, { outputs: [unit.output] });
}
