import type { Model, Node } from "#model/model";
import { findOp } from "#model/ops/index";
import type { ShapeMap } from "#model/shapes";
import { findConstants } from "#report/graph/constants";
import { type Links, linksOf } from "#report/graph/fusion";

export interface ComparedValue {
  /** The value in the float model, and the node that computes it; undefined for an input of the model. */
  readonly value: string;
  readonly node: Node | undefined;
  /** What to compare it with in the quantized model. */
  readonly twin: string;
  /** The QuantizeLinear that the twin went through, if it did. */
  readonly quantizer: Node | undefined;
}

/**
 * The values of a float model that a quantized one computes too, by name: results of arithmetic in floating point, not of mere
 * moves, and inputs that are quantized at once. `missing` counts those that the quantized model has not, or has only inside a fused
 * kernel.
 */
export function comparedValues(
  float: { readonly model: Model; readonly shapes: ShapeMap },
  quantized: { readonly model: Model; readonly shapes: ShapeMap },
): { readonly values: readonly ComparedValue[]; readonly missing: number } {
  const links = linksOf(quantized.model.graph);
  const constants = findConstants(float.model);
  const values: ComparedValue[] = [];
  let missing = 0;
  for (const { name } of float.model.graph.inputs) {
    const twin = quantizedInput(name, links);
    if (twin !== undefined && isFloat(name, float.shapes))
      values.push({ value: name, node: undefined, twin, quantizer: quantizerOf(twin, links) });
  }
  for (const node of float.model.graph.nodes) {
    const op = findOp(node.domain, node.op);
    // what is looked up in a quantized table is its first loss
    const moves = op !== undefined && op.cost === undefined && !node.op.startsWith("Gather");
    if (constants.nodes.has(node) || moves) continue;
    for (const value of node.outputs) {
      if (value === "" || !isFloat(value, float.shapes)) continue;
      const twin = twinOf(value, links);
      const sameShape = twin !== undefined && agree(value, float.shapes, twin, quantized.shapes);
      if (sameShape && isFloat(twin, quantized.shapes))
        values.push({ value, node, twin, quantizer: quantizerOf(twin, links) });
      else missing++;
    }
  }
  return { values, missing };
}

function twinOf(value: string, { producers, readers, outputs }: Links): string | undefined {
  if (!producers.has(value)) return undefined;
  const reading = readers.get(value) ?? [];
  if (outputs.has(value) || reading.length === 0) return value;
  const [reader] = reading;
  if (reading.every(({ op }) => op === "QuantizeLinear")) return dequantized(reader, readers);
  // before a clamp that the quantizer may perform, the value exists only inside the kernel
  const quantized = (readers.get(reader.outputs[0]) ?? []).some(({ op }) => op === "QuantizeLinear");
  return reading.length === 1 && (reader.op === "Relu" || reader.op === "Clip") && quantized ? undefined : value;
}

function quantizedInput(value: string, { readers }: Links): string | undefined {
  const [reader, ...others] = readers.get(value) ?? [];
  return reader?.op === "QuantizeLinear" && others.length === 0 ? dequantized(reader, readers) : undefined;
}

function dequantized(quantize: Node, readers: Links["readers"]): string | undefined {
  return readers.get(quantize.outputs[0])?.find(({ op }) => op === "DequantizeLinear")?.outputs[0];
}

function quantizerOf(twin: string, { producers }: Links): Node | undefined {
  const dequantize = producers.get(twin);
  const quantize = dequantize?.op === "DequantizeLinear" ? producers.get(dequantize.inputs[0]) : undefined;
  return quantize?.op === "QuantizeLinear" ? quantize : undefined;
}

function isFloat(value: string, shapes: ShapeMap): boolean {
  const element = shapes.get(value)?.element;
  return element === "float32" || element === "float16" || element === "float64" || element === "bfloat16";
}

function agree(a: string, shapesA: ShapeMap, b: string, shapesB: ShapeMap): boolean {
  const [x, y] = [shapesA.get(a)?.shape, shapesB.get(b)?.shape];
  if (x === undefined || y === undefined) return true;
  return (
    x.length === y.length &&
    x.every((dim, axis) => typeof dim !== "number" || typeof y[axis] !== "number" || dim === y[axis])
  );
}
