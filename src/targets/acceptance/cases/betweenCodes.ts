import type { AttributeInit } from "#model/attributes";
import { type ElementType, elementTypes, float32, fromNumbers, type Tensor } from "#model/tensor";
import { Sketch, type SketchOptions } from "#targets/acceptance/sketch";
import type { AcceptanceCase } from "#targets/acceptance/types";

/** Scale and zero point of uint8 codes; codes of other types cover the same values. */
export interface Grid {
  readonly scale: number;
  readonly zero: number;
}

/** The usual grid of activations in these cases: [−1.28, 1.27], so that every operator's input has both signs. */
export const activation: Grid = { scale: 0.01, zero: 128 };

export interface Between extends SketchOptions {
  /** Shapes of the inputs that arrive as codes. */
  readonly shapes: readonly (readonly number[])[];
  /** Which inputs those are. Default: the first ones. */
  readonly at?: readonly number[];
  /** The other inputs. */
  readonly constants?: readonly Tensor[];
  readonly attributes?: Readonly<Record<string, AttributeInit>>;
  readonly domain?: string;
  /** Number of outputs. Default 1. */
  readonly outputs?: number;
  /** Type of the codes. Default uint8. */
  readonly codes?: ElementType;
  /** Nothing quantizes the result, which is of this type. */
  readonly result?: "int64";
  /** Grid of the result. Default: that of the inputs. */
  readonly out?: Grid;
  /** Input grids of their own, where the operands should differ. */
  readonly grids?: readonly Grid[];
}

/** Codes → DequantizeLinear → one operator → QuantizeLinear → codes: what a quantized graph looks like around any operator. */
export function betweenCodes(id: string, about: string, op: string, options: Between): AcceptanceCase {
  const {
    shapes,
    constants = [],
    attributes = {},
    domain = "",
    outputs = 1,
    out = activation,
    codes = "uint8",
  } = options;
  const { at = shapes.map((_, i) => i), grids = shapes.map(() => activation) } = options;
  const sketch = new Sketch(id, options);
  const inputs: string[] = [];
  shapes.forEach((shape, i) => {
    const fed = sketch.input(sketch.codes(codes, shape));
    inputs[at[i]] = sketch.node("DequantizeLinear", [fed, ...parameters(sketch, grids[i], codes)]);
  });
  const rest = constants.map((content) => sketch.constant(content));
  for (let i = 0; rest.length > 0; i++) inputs[i] ??= rest.shift() as string;
  for (const value of sketch.nodes(op, inputs, outputs, attributes, domain)) {
    if (options.result === undefined)
      sketch.output(sketch.node("QuantizeLinear", [value, ...parameters(sketch, out, codes)]), codes);
    else sketch.output(value, options.result);
  }
  return sketch.finish(about, 1, { codes: "everywhere" });
}

/** Scale and zero point as constants, for codes of a type: the values that a uint8 code can take are covered. */
export function parameters(sketch: Sketch, { scale, zero }: Grid, codes: ElementType = "uint8"): string[] {
  const finer = 2 ** (elementTypes[codes].bits - 8);
  const shift = codes.startsWith("u") ? 0 : 2 ** (elementTypes[codes].bits - 1);
  return [
    sketch.constant(float32([], [scale / finer])),
    sketch.constant(fromNumbers(codes, [], [zero * finer - shift])),
  ];
}
