/** The constants of units that compute on codes: integer weights, int32 biases, quantized operands, each behind its DequantizeLinear. */
import { LowbitError } from "#base/errors";
import { roundHalfEven } from "#math/round";
import type { Unit } from "#methods/plan/units";
import type { SharedConstants } from "#methods/quantize/parameters";
import { quantizeWeight } from "#methods/quantize/weights";
import type { Plan } from "#methods/types";
import { createNode } from "#model/attributes";
import type { GraphDraft } from "#model/edit";
import type { TensorRef } from "#model/model";
import { toNumbers } from "#model/tensor";
import { readWeight, weight } from "#model/weights";
import { encodeAffine, fitAffine } from "#quant/affine";
import type { DTypeName } from "#quant/dtype";
import { parseScheme, type Scheme } from "#quant/scheme";

/** Scale and zero point of a value that travels as codes. */
export interface Codes {
  readonly dtype: DTypeName;
  readonly scale: number;
  readonly zeroPoint: number;
}

export interface Int8Writing {
  readonly draft: GraphDraft;
  readonly plan: Plan;
  readonly constants: SharedConstants;
  readonly codesOf: (value: string) => Codes;
  /** Weights use one bit less: the host's kernels saturate pair sums. */
  readonly reduced: boolean;
  /** Mean per channel of what weighted layers read; biases are corrected by it where known. */
  readonly channelMeans: ReadonlyMap<string, ArrayLike<number>>;
}

/** Puts a unit's weight, bias and constant operands behind DequantizeLinear. */
export async function writeConstants(writing: Int8Writing, unit: Unit): Promise<void> {
  const { draft } = writing;
  const node = draft.current(unit.node);
  if (node === undefined) throw new LowbitError("plan/mismatch", `${unit.node.outputs[0]} is no longer in the graph`);
  const inputs = [...node.inputs];
  for (const name of unit.constants) {
    const decoded = await quantizedOperand(writing, name);
    inputs.forEach((input, i) => {
      if (input === name) inputs[i] = decoded;
    });
  }
  if (unit.weight !== undefined) {
    const { weightName, biasName } = await quantizedWeight(writing, unit, unit.weight);
    inputs[1] = weightName;
    if (biasName !== undefined) inputs[2] = biasName;
  }
  draft.update(node, { inputs });
}

async function quantizedWeight(
  { draft, plan, constants, codesOf, reduced, channelMeans }: Int8Writing,
  unit: Unit,
  { tensor, axis }: NonNullable<Unit["weight"]>,
): Promise<{ readonly weightName: string; readonly biasName: string | undefined }> {
  const ref = constant(draft, tensor);
  const scheme = weightScheme(plan, tensor);
  const [x] = unit.operands;
  const { scale: inputScale } = codesOf(x);
  const stored = unit.bias === undefined ? undefined : toNumbers(await readWeight(constant(draft, unit.bias)));
  const floor = stored === undefined ? {} : { floor: biasFloor(stored, inputScale) };
  const quantized = await quantizeWeight(ref, scheme, { channelAxis: axis }, { reduced, ...floor });
  const { decoding } = quantized;
  const channels = ref.dims[axis];
  const dims = decoding.granularity.per === "tensor" ? [] : [channels];
  const zeros = decoding.zeroPoint ?? (statesZero(unit) ? new Int32Array(decoding.scale.length) : undefined);
  const weightName = draft.freshName(`${tensor}_dq`);
  const parameters = [
    constants.scale(decoding.scale, dims, tensor),
    ...(zeros === undefined ? [] : [constants.zeroPoint(zeros, scheme.dtype, dims, tensor)]),
  ];
  const attributes: Record<string, number> = dims.length === 0 ? {} : { axis };
  draft.add(
    createNode(
      "DequantizeLinear",
      [draft.addInitializer(quantized.codes(`${tensor}_q`)), ...parameters],
      [weightName],
      attributes,
      {
        name: "",
      },
    ),
  );

  const means = channelMeans.get(x);
  const shift =
    means === undefined || unit.node.op === "MatMul" ? undefined : await quantized.meanShift(unit.node, means);
  if (stored === undefined && shift === undefined) return { weightName, biasName: undefined };
  const bias = Float64Array.from({ length: channels }, (_, c) => (stored?.[c] ?? 0) - (shift?.[c] ?? 0));
  const scales = Float32Array.from(bias, (_, c) => inputScale * decoding.scale[dims.length === 0 ? 0 : c]);
  const q = Int32Array.from(bias, (b, c) => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, roundHalfEven(b / scales[c]))));
  const name = unit.bias ?? `${tensor}_bias`;
  const biasName = draft.freshName(`${name}_dq`);
  const biasCodes = draft.addInitializer(weight(`${name}_q`, { type: "int32", dims: [channels], data: q }));
  // without a zero point: it is 0, and some kernels refuse to be told (peers.md §2.4)
  draft.add(
    createNode(
      "DequantizeLinear",
      [biasCodes, constants.scale(scales, [channels], name)],
      [biasName],
      { axis: 0 },
      { name: "" },
    ),
  );
  return { weightName, biasName };
}

function statesZero({ kernel }: Unit): boolean {
  return kernel.kind === "linear" && kernel.statesZero === true;
}

function constant(draft: GraphDraft, name: string): TensorRef {
  const ref = draft.initializer(name);
  if (ref !== undefined) return ref;
  throw new LowbitError("plan/mismatch", `${name} is no constant of this graph`, {
    at: { tensor: name },
    hint: "make the plan again for this model",
  });
}

function weightScheme(plan: Plan, tensor: string): Scheme {
  const row = plan.weights.find((planned) => planned.tensor === tensor);
  const scheme = row === undefined ? null : parseScheme(row.scheme);
  if (scheme !== null) return scheme;
  throw new LowbitError(
    "plan/mismatch",
    `the plan computes a layer on codes but gives its weight ${tensor} no scheme`,
    {
      at: { tensor },
      hint: "make the plan again for this model",
    },
  );
}

/**
 * |bias| ≤ s_x·s_w·(2³¹ − 1) must hold for the bias to fit int32; with less margin the channel's weight scale is enlarged
 * (peers.md §2.4, _adjust_weight_scale_for_int32_bias).
 */
function biasFloor(bias: ArrayLike<number>, inputScale: number): (channel: number) => number {
  return (channel) => (1.0001 * Math.abs(bias[channel] ?? 0)) / (inputScale * 2147483647);
}

/** A constant operand of a pointwise unit: codes of the activation dtype over its own range. */
async function quantizedOperand({ draft, plan, constants }: Int8Writing, name: string): Promise<string> {
  const ref = constant(draft, name);
  const scheme = parseScheme(plan.recipe.activations);
  if (scheme === null)
    throw new LowbitError("plan/mismatch", "the plan's recipe leaves activations in float", { at: { tensor: name } });
  const x = Float32Array.from(toNumbers(await readWeight(ref)));
  const { scale, zeroPoint } = fitAffine(x, ref.dims, scheme.dtype, { per: "tensor" }, scheme);
  const decoding = { kind: "affine", dtype: scheme.dtype, granularity: { per: "tensor" }, scale, zeroPoint } as const;
  const codes = constants.zeroPoint(encodeAffine(x, ref.dims, decoding, scheme), scheme.dtype, ref.dims, `${name}_q`);
  const decoded = draft.freshName(`${name}_dq`);
  const parameters = [
    constants.scale(scale, [], name),
    constants.zeroPoint([zeroPoint?.[0] ?? 0], scheme.dtype, [], name),
  ];
  draft.add(createNode("DequantizeLinear", [codes, ...parameters], [decoded], {}, { name: "" }));
  return decoded;
}
