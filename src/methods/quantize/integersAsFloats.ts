/**
 * Small integers stored in as few bytes as standard operators can decode, everywhere: as ONNX's own type where the model's operator
 * set has it (4 bits from opset 21, 2 bits from 25), else several in a byte, which a Gather looks up in a table of what each
 * byte holds. So no model is raised to a newer operator set for its weights, which would cost it fusions and older runtimes.
 */
import type { SharedConstants } from "#methods/quantize/parameters";
import { packBits, signExtend } from "#math/packing";
import { createNode } from "#model/attributes";
import type { GraphDraft } from "#model/edit";
import type { TensorRef } from "#model/model";
import {
  type ElementType,
  elementTypes,
  fromNumbers,
  int64,
  packedBytes,
  packTensor,
  sizeOf,
  type Tensor,
} from "#model/tensor";
import { dtype, type DTypeName } from "#quant/dtype";

/** Integers to store: `load` gives them, one per element, whenever the model is written. */
export interface StoredIntegers {
  readonly name: string;
  readonly dtype: DTypeName;
  readonly dims: readonly number[];
  readonly load: () => Promise<ArrayLike<number>>;
}

/** Width that codes of so many bits are stored in. → 3 → 4, 6 → 8 */
function storedWidth(bits: number): 1 | 2 | 4 | 8 | 16 {
  if (bits > 8) return 16;
  if (bits > 4) return 8;
  return bits === 3 ? 4 : (bits as 1 | 2 | 4);
}

/** Bytes that so many codes take in a file. */
export function storedBytes(name: DTypeName, count: number): number {
  return Math.ceil((count * storedWidth(dtype(name).bits)) / 8);
}

const none: ReadonlyMap<string, string> = new Map();
const newest = { 1: Number.POSITIVE_INFINITY, 2: 25, 4: 21, 8: 0, 16: 0 } as const;

/** Adds the integers and the nodes that turn them into float32 of the same dims when a model is loaded; returns that value's name. */
export function integersAsFloats(
  draft: GraphDraft,
  constants: SharedConstants,
  { name, dtype: type, dims, load }: StoredIntegers,
  opset: number,
): string {
  const { bits, signed } = dtype(type);
  const width = storedWidth(bits);
  const count = sizeOf(dims);
  const native = opset >= newest[width];
  const element: ElementType = native ? (`${signed ? "int" : "uint"}${width}` as ElementType) : "uint8";
  const ref: TensorRef = {
    name,
    element,
    dims: native ? dims : [packedBytes(element, storedBytes(type, count))],
    data: {
      kind: "lazy",
      length: storedBytes(type, count),
      load: async () => (native ? packTensor(asTensor(element, dims, await load())) : packBits(await load(), width)),
    },
    doc: "",
    metadata: none,
  };
  let value = draft.addInitializer(ref);
  const apply = (op: string, inputs: readonly string[], attributes = {}): void => {
    const next = draft.freshName(`${name}_${op.toLowerCase()}`);
    draft.add(createNode(op, inputs, [next], attributes, { name: "" }));
    value = next;
  };
  const toFloat = { to: elementTypes.float32.code };
  if (native) {
    apply("Cast", [value], toFloat);
    return value;
  }
  const perByte = 8 / width;
  apply("Cast", [value], { to: elementTypes.int32.code });
  apply("Gather", [constants.add(byteTable(width, signed), `lowbit_bytes_of_${type}`), value]);
  apply("Cast", [value], toFloat);
  if (count % perByte !== 0) {
    apply("Reshape", [value, constants.add(int64([1], [-1]), "lowbit_shape")]);
    const [start, end] = [0, count].map((at) => constants.add(int64([1], [at]), "lowbit_shape"));
    apply("Slice", [value, start, end]);
  }
  apply("Reshape", [value, constants.add(int64([dims.length], dims), "lowbit_shape")]);
  return value;
}

/** [256, integers in a byte]: what a byte holds, lowest bits first. */
function byteTable(width: 1 | 2 | 4 | 8 | 16, signed: boolean): Tensor {
  const perByte = 8 / width;
  const values = Array.from({ length: 256 * perByte }, (_, i) => {
    const code = (Math.floor(i / perByte) >> ((i % perByte) * width)) & (2 ** width - 1);
    return signed ? signExtend(code, width) : code;
  });
  return fromNumbers(signed ? "int8" : "uint8", [256, perByte], values);
}

function asTensor(type: ElementType, dims: readonly number[], values: ArrayLike<number>): Tensor {
  const { array } = elementTypes[type];
  const data = new (array as Int8ArrayConstructor)(values.length);
  data.set(values);
  return { type, dims, data };
}
