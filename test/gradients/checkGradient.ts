/**
 * Gradients against finite differences, in float64 through the reference interpreter: central differences with a step of 2⁻¹⁷ of
 * the value's size err by about 1e-9, so that 1e-6 is a strict bound. Tensors of many elements are moved along random directions
 * instead of element by element: a wrong element of the gradient shows in each of them.
 */
import { expect } from "vitest";
import { createRng } from "#base/rng";
import { differentiate } from "#grad/differentiate";
import { normal } from "#math/normal";
import { createNode } from "#model/attributes";
import { interpret } from "#model/interpreter";
import type { Model, Node } from "#model/model";
import { type Tensor, toNumbers } from "#model/tensor";
import { modelOf } from "../modelBuilder";

export interface GradientCase {
  readonly nodes: readonly Node[];
  /** The value whose gradient is checked: its weighted sum is the loss. */
  readonly output: string;
  /** Inputs that are differentiated for. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** Fixed inputs: shapes, indices. */
  readonly weights?: Readonly<Record<string, Tensor>>;
  /** Dims of the output, for the weights of the sum. */
  readonly dims: readonly number[];
  readonly opset?: number;
}

export function float64(dims: readonly number[], seed = 1, away = 0): Tensor {
  const rng = createRng(seed);
  const size = dims.reduce((product, dim) => product * dim, 1);
  const far = (v: number): number => v + Math.sign(v) * away;
  return { type: "float64", dims, data: Float64Array.from({ length: size }, () => far(normal(rng))) };
}

export async function checkGradient({ nodes, output, inputs, weights = {}, dims, opset }: GradientCase): Promise<void> {
  const model = modelOf({
    ...(opset === undefined ? {} : { opset }),
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([name, { dims: shape }]) => [name, ["float64", [...shape]]]),
    ),
    outputs: ["loss"],
    weights: { ...weights, mixing: float64(dims, 99) },
    nodes: [
      ...nodes,
      createNode("Mul", [output, "mixing"], ["mixed"]),
      createNode("ReduceSum", ["mixed"], ["loss"], { keepdims: 0 }),
    ],
  });
  await checkSlopes(model, "loss", inputs);
}

/** The same of a whole model: the gradient of `loss` for each of `inputs`, `fixed` given beside them. */
export async function checkSlopes(
  model: Model,
  loss: string,
  inputs: Readonly<Record<string, Tensor>>,
  fixed: Readonly<Record<string, Tensor>> = {},
): Promise<void> {
  const names = Object.keys(inputs);
  const { model: graph, gradients } = await differentiate(model, loss, names);
  const forward = await interpret(model);
  const backward = await interpret(graph);
  const found = backward.run({ ...fixed, ...inputs });
  const lossAt = (feeds: Readonly<Record<string, Tensor>>): number =>
    toNumbers(forward.run({ ...fixed, ...feeds })[loss])[0];
  for (const [i, name] of names.entries()) {
    const { dims: shape, data } = inputs[name];
    const gradient = found[gradients[i]];
    expect(gradient.dims, name).toEqual(shape);
    const values = toNumbers(gradient);
    for (const direction of directionsOf(data.length)) {
      const step = 2 ** -17 * Math.max(1, ...direction.map((v, j) => (v === 0 ? 0 : Math.abs(Number(data[j])))));
      const moved = (by: number): Tensor => ({
        type: "float64",
        dims: shape,
        data: Float64Array.from(data as Float64Array, (x, j) => x + by * direction[j]),
      });
      const [above, below] = [step, -step].map((by) => lossAt({ ...inputs, [name]: moved(by) }));
      const slope = (above - below) / (2 * step);
      const stated = direction.reduce((sum, v, j) => sum + v * values[j], 0);
      const where = data.length > fewElements ? name : `${name}[${direction.indexOf(1)}]`;
      expect(Math.abs(stated - slope) / Math.max(1, Math.abs(slope)), `${where}: ${stated} and ${slope}`).toBeLessThan(
        1e-6,
      );
    }
  }
}

const fewElements = 12;

/** Every axis where there are few, else some random directions. */
function directionsOf(size: number): number[][] {
  const axes = (count: number): number[] => Array.from({ length: count }, (_, k) => k);
  if (size <= fewElements) return axes(size).map((k) => axes(size).map((j) => (j === k ? 1 : 0)));
  const rng = createRng(size);
  return axes(4).map(() => axes(size).map(() => normal(rng)));
}
