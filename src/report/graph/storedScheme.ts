/** How a stored tensor stands for numbers: read from the nodes that decode it, or from the operator that takes the codes as they are. */
import { intAttribute } from "#model/attributes";
import { decoderCall } from "#model/decoderCall";
import type { FunctionDef, Node, TensorRef } from "#model/model";
import { isConcrete } from "#model/ops/known";
import type { ShapeMap } from "#model/shapes";
import { signExtend } from "#math/packing";
import { type ElementType, elementTypes, sizeOf, toNumbers } from "#model/tensor";
import { type Constant, type Constants, type ConstantUse, sourceOf, type StoredTensor } from "#report/graph/constants";
import { commonEnd, type DecodedConstants } from "#report/graph/decodedConstants";
import { operandOfInput } from "#report/graph/quantizedOperands";

export interface StoredScheme {
  /** The value that is decoded, as its readers know it; the tensor's own name where it is stored as numbers. */
  readonly value: string;
  /** Shape of the numbers; with packed codes more elements than are stored. */
  readonly shape: readonly number[];
  /** → "int8/channel", "uint4/group:32", "codebook:16", "float16", "float32", "int64" */
  readonly text: string;
  /** Width of one code, or of one number. */
  readonly bits: number;
  /** Codes that share a scale; undefined where there is none. */
  readonly per: "tensor" | "channel" | number | undefined;
  /** What a function decodes, in a file of our own. */
  readonly decoder?: StoredCodes;
  /** Whether these are numbers that a model computes with, and not shapes, indices, masks or texts. */
  readonly numbers: boolean;
}

/** All codes of a weight, each tensor with the width of one. */
export interface StoredCodes {
  readonly scheme: string;
  readonly tensors: readonly { readonly tensor: StoredTensor; readonly bits: number }[];
}

export interface SchemeContext {
  readonly decoded: DecodedConstants;
  readonly shapes: ShapeMap;
  readonly functions: readonly FunctionDef[];
  readonly operands: Constants["operands"];
}

/** The scheme of the primary tensor of `owner`, as its readers see it. */
export function storedScheme(owner: Constant, uses: readonly ConstantUse[], context: SchemeContext): StoredScheme {
  const { primary } = owner;
  const ref = primary?.ref;
  if (primary === undefined || ref === undefined)
    return { value: owner.value, shape: [], text: "sparse", bits: 0, per: undefined, numbers: true };
  const own = uses.filter(({ constant }) => constant.primary === primary);
  const scales = uses.filter(({ constant }) => constant.primary !== primary);
  const later = scales.reduce((most, { constant }) => Math.max(most, countOf(constant, context)), 1);
  const direct = own.map((use) => takenAsCodes(use, ref, later, context)).find((found) => found !== undefined);
  if (direct !== undefined) return { value: primary.name, ...direct, numbers: true };
  const end =
    own.length === 0
      ? owner
      : commonEnd(
          own.map(({ constant }) => constant),
          context.decoded,
        );
  return decodedScheme(end ?? owner, ref.element, ref.dims, context);
}

type Taken = Omit<StoredScheme, "value" | "numbers">;

/** The scheme that an operator gives to codes it reads itself; `later` is the number of scales its result is multiplied by. */
function takenAsCodes(
  { constant, node, input }: ConstantUse,
  { element, dims }: TensorRef,
  later: number,
  context: SchemeContext,
): Taken | undefined {
  if (node === undefined || constant.node !== undefined) return undefined;
  const operand = operandOfInput(node, input);
  if (operand?.codes !== input) return undefined;
  const has = (index: number | undefined): boolean => index !== undefined && (node.inputs[index] ?? "") !== "";
  // without a zero point unsigned codes are centred: as good as signed ones
  const packed = (bits: number): string => `${has(operand.zero) ? "uint" : "int"}${bits}`;
  switch (node.op) {
    case "MatMulNBits": {
      const bits = intAttribute(node, "bits", 4);
      const size = intAttribute(node, "block_size", 0);
      const shape = [intAttribute(node, "K", 0), intAttribute(node, "N", 0)];
      return { shape, text: `${packed(bits)}/group:${size}`, bits, per: size };
    }
    case "MatMulBnb4": {
      const size = intAttribute(node, "block_size", 0);
      const shape = [intAttribute(node, "K", 0), intAttribute(node, "N", 0)];
      const name = intAttribute(node, "quant_type", 1) === 0 ? "fp4" : "nf4";
      return { shape, text: `${name}/group:${size}`, bits: 4, per: size };
    }
    case "GatherBlockQuantized": {
      const bits = element === "uint8" ? intAttribute(node, "bits", 4) : elementTypes[element].bits;
      const size = intAttribute(node, "block_size", 128);
      const perByte = element === "uint8" ? 8 / bits : 1;
      const shape = dims.map((dim, axis) => (axis === dims.length - 1 ? dim * perByte : dim));
      return { shape, text: `${element === "uint8" ? packed(bits) : element}/group:${size}`, bits, per: size };
    }
    default: {
      const { bits } = elementTypes[element];
      if (operand.scale === undefined && operand.zero === undefined)
        return { shape: dims, text: element, bits, per: undefined };
      const [scales, zeros] = [operand.scale, operand.zero].map((index = -1) =>
        countOf(context.operands.get(node)?.[index], context),
      );
      const directions = node.op === "DynamicQuantizeLSTM" ? (dims[0] ?? 1) : 1;
      const per = Math.max(scales, zeros, later) > directions ? "channel" : "tensor";
      return { shape: dims, text: `${element}/${per}`, bits, per };
    }
  }
}

/** The scheme that constant nodes up to `end` give to their codes. */
function decodedScheme(
  end: Constant,
  element: ElementType,
  dims: readonly number[],
  context: SchemeContext,
): StoredScheme {
  const shape = shapeOf(end, context) ?? dims;
  const found = { value: end.value, shape, bits: elementTypes[element].bits };
  const isFloat = /float/.test(element);
  if (end.node === undefined || element === "float32" || element === "float64") {
    const numbers = isFloat || /^complex|^u?int(2|4|8|16)$/.test(element);
    return { ...found, text: element, per: undefined, numbers };
  }
  const decoder = decoderOf(end, context);
  if (decoder !== undefined) {
    const [{ bits }] = decoder.tensors;
    return { ...found, text: decoder.scheme, bits, per: undefined, decoder, numbers: true };
  }
  const { per, codebook, unpacked } = decodingOf(end, context);
  const several = unpacked ?? severalInByte(element, sizeOf(shape) / sizeOf(dims));
  const bits = several?.bits ?? found.bits;
  const dtype = several === undefined ? element : `${several.signed ? "int" : "uint"}${bits}`;
  const stored = { ...found, bits, per, numbers: true };
  if (codebook !== undefined) return { ...stored, text: `codebook:${codebook.join("x")}`, per: undefined };
  if (per === undefined || (isFloat && per === "tensor" && bits > 8)) return { ...stored, text: dtype, per: undefined };
  return { ...stored, text: `${dtype}/${typeof per === "number" ? `group:${per}` : per}` };
}

/** What a function of our own decodes on the way to `end`. */
function decoderOf(end: Constant, { functions }: SchemeContext): StoredCodes | undefined {
  for (let at: Constant | undefined = end; at?.node !== undefined; at = sourceOf(at)) {
    const { inputs } = at;
    const call = decoderCall(at.node, functions);
    if (call === undefined) continue;
    const tensors = call.codes.flatMap(({ input, bits }) => {
      const tensor = inputs[input]?.primary;
      return tensor === undefined ? [] : [{ tensor, bits }];
    });
    return tensors.length === 0 ? undefined : { scheme: call.scheme, tensors };
  }
  return undefined;
}

interface Unpacked {
  readonly bits: number;
  readonly signed: boolean;
}

/** Bytes that bit operations turned into 2, 4 or 8 codes each. */
function severalInByte(element: ElementType, perByte: number): Unpacked | undefined {
  return (element === "uint8" || element === "int8") && (perByte === 2 || perByte === 4 || perByte === 8)
    ? { bits: 8 / perByte, signed: false }
    : undefined;
}

interface Decoding {
  readonly per: StoredScheme["per"];
  /** Dims of the table that codes are looked up in. */
  readonly codebook?: readonly number[];
  /** The table only tells what a byte holds. */
  readonly unpacked?: Unpacked;
}

/** What the nodes from the stored tensor to `end` multiply it by and look it up in. */
function decodingOf(end: Constant, context: SchemeContext): Decoding {
  let per: StoredScheme["per"];
  let unpacked: Unpacked | undefined;
  for (let at: Constant | undefined = end; at?.node !== undefined; at = sourceOf(at)) {
    const { node, inputs } = at;
    const source = sourceOf(at);
    const others = inputs.filter((input) => input !== undefined && input !== source);
    const gathers = node.op === "Gather" || node.op === "GatherElements";
    if (gathers ? source === inputs[1] : looksUp(node, context)) {
      const table = others.find((other) => other && (shapeOf(other, context)?.length ?? 0) > 0);
      unpacked = table && byteTable(table, context);
      const dims = table && shapeOf(table, context);
      if (unpacked === undefined && dims !== undefined) return { per: undefined, codebook: dims };
    } else if (node.op === "DequantizeLinear") {
      const block = intAttribute(node, "block_size", 0);
      per = block > 0 ? block : wider(per, countOf(inputs[1], context) > 1 ? "channel" : "tensor");
    } else if (node.op === "Mul" || node.op === "Div") {
      per = wider(per, sharing(source, others[0], end, context));
    }
  }
  return unpacked === undefined ? { per } : { per, unpacked };
}

/** Whether a table of 256 rows lists the small integers that a byte holds, lowest bits first. */
function byteTable(table: Constant, { shapes }: SchemeContext): Unpacked | undefined {
  const value = shapes.get(table.value)?.value;
  const [rows, perByte] = value?.dims ?? [];
  if (value === undefined || rows !== 256 || (perByte !== 2 && perByte !== 4 && perByte !== 8)) return undefined;
  const bits = 8 / perByte;
  const numbers = toNumbers(value);
  const signed = numbers.some((number) => number < 0);
  for (let byte = 0; byte < 256; byte++) {
    for (let k = 0; k < perByte; k++) {
      const code = (byte >>> (k * bits)) & (2 ** bits - 1);
      if (numbers[byte * perByte + k] !== (signed ? signExtend(code, bits) : code)) return undefined;
    }
  }
  return { bits, signed };
}

/** Whether a node calls a function of the model that looks its codes up in a table. */
function looksUp(node: Node, { functions }: SchemeContext): boolean {
  const fn = functions.find((each) => each.name === node.op && each.domain === node.domain);
  return fn?.nodes.some(({ op }) => op === "Gather" || op === "GatherElements" || op === "GatherND") ?? false;
}

/** How many codes share one element of a factor that the codes are multiplied by. */
function sharing(
  codes: Constant | undefined,
  factor: Constant | undefined,
  end: Constant,
  context: SchemeContext,
): StoredScheme["per"] {
  const count = countOf(factor, context);
  const view = codes && shapeOf(codes, context);
  const dims = factor && shapeOf(factor, context);
  if (count <= 1 || view === undefined || dims === undefined) return "tensor";
  const group = sizeOf(view) / count;
  const final = shapeOf(end, context) ?? view;
  // scales along whole axes of the weight, or along one that keeps its place when it is reshaped, are its channels
  const axes = dims.flatMap((dim, i) => (dim === 1 ? [] : [i + view.length - dims.length]));
  const [axis] = axes;
  const before = sizeOf(view.slice(0, axis));
  const after = sizeOf(view.slice(axis + 1));
  const kept = final.some(
    (dim, i) => dim === count && (sizeOf(final.slice(0, i)) === before || sizeOf(final.slice(i + 1)) === after),
  );
  return view.join() === final.join() || (axes.length === 1 && kept) ? "channel" : group;
}

function wider(a: StoredScheme["per"], b: StoredScheme["per"]): StoredScheme["per"] {
  return a === undefined || a === "tensor" ? b : a;
}

/** Elements of a constant; 1 where that is not known. */
function countOf(constant: Constant | undefined, context: SchemeContext): number {
  const shape = constant && shapeOf(constant, context);
  return shape === undefined ? 1 : sizeOf(shape);
}

function shapeOf(constant: Constant, { shapes }: SchemeContext): readonly number[] | undefined {
  if (constant.inputs.length === 0 && constant.primary?.ref !== undefined) return constant.primary.ref.dims;
  const shape = shapes.get(constant.value)?.shape;
  return isConcrete(shape) ? shape : undefined;
}
