import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import { Conv } from "#model/ops/Conv";
import { ConvTranspose } from "#model/ops/ConvTranspose";
import type { Op } from "#model/ops/types";
import { sizeOf, type Tensor, toNumbers } from "#model/tensor";

const integers = (dims: readonly number[], seed: number): Tensor => ({
  type: "float64",
  dims,
  data: Float64Array.from({ length: sizeOf(dims) }, (_, i) => ((i * 7919 + seed * 104729) % 17) - 8),
});

function dot(a: Tensor, b: Tensor): number {
  const [left, right] = [toNumbers(a), toNumbers(b)];
  let sum = 0;
  for (let i = 0; i < left.length; i++) sum += left[i] * right[i];
  return sum;
}

function run(op: Op, attributes: Parameters<typeof createNode>[3], ...inputs: Tensor[]): Tensor {
  const node = createNode(
    op.name,
    inputs.map((_, i) => `i${i}`),
    ["y"],
    attributes,
  );
  return (op.forward as NonNullable<Op["forward"]>)({ node, opset: 22, inputs, runGraph: () => [] })[0];
}

const problems = fc.record({
  group: fc.integer({ min: 1, max: 2 }),
  inputs: fc.integer({ min: 1, max: 2 }),
  outputs: fc.integer({ min: 1, max: 2 }),
  size: fc.tuple(fc.integer({ min: 3, max: 6 }), fc.integer({ min: 3, max: 6 })),
  kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 })),
  strides: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 3 })),
  pads: fc.tuple(...Array.from({ length: 4 }, () => fc.integer({ min: 0, max: 1 }))),
});

describe("convolution", () => {
  test("is the sum of its definition", () => {
    fc.assert(
      fc.property(problems, ({ group, inputs, outputs, size, kernel, strides, pads }) => {
        const x = integers([2, group * inputs, ...size], 1);
        const w = integers([group * outputs, inputs, ...kernel], 2);
        const y = run(Conv, { group, strides, pads: [...pads] }, x, w);
        const [xs, ws] = [toNumbers(x), toNumbers(w)];
        const [, , rows, columns] = y.dims;
        const at = (n: number, c: number, r: number, s: number): number =>
          r < 0 || s < 0 || r >= size[0] || s >= size[1]
            ? 0
            : xs[((n * group * inputs + c) * size[0] + r) * size[1] + s];
        const wanted = Array.from(toNumbers(y), (_, i) => {
          const [column, row] = [i % columns, Math.floor(i / columns) % rows];
          const o = Math.floor(i / (rows * columns)) % (group * outputs);
          const n = Math.floor(i / (rows * columns * group * outputs));
          let sum = 0;
          for (let c = 0; c < inputs; c++)
            for (let a = 0; a < kernel[0]; a++)
              for (let b = 0; b < kernel[1]; b++)
                sum +=
                  ws[((o * inputs + c) * kernel[0] + a) * kernel[1] + b] *
                  at(
                    n,
                    Math.floor(o / outputs) * inputs + c,
                    row * strides[0] + a - pads[0],
                    column * strides[1] + b - pads[1],
                  );
          return sum;
        });
        expect([...toNumbers(y)]).toEqual(wanted);
      }),
    );
  });

  test("has the transposed convolution as its adjoint: ⟨Conv(x), y⟩ = ⟨x, ConvTranspose(y)⟩", () => {
    fc.assert(
      fc.property(problems, ({ group, inputs, outputs, size, kernel, strides, pads }) => {
        const x = integers([1, group * inputs, ...size], 3);
        const w = integers([group * outputs, inputs, ...kernel], 4);
        const forward = run(Conv, { group, strides, pads: [...pads] }, x, w);
        const y = integers(forward.dims, 5);
        // what the strides do not reach is added as output padding
        const covered = (axis: 0 | 1) => (forward.dims[axis + 2] - 1) * strides[axis] + kernel[axis];
        const output_padding = [0, 1].map((axis) => size[axis] + pads[axis] + pads[axis + 2] - covered(axis as 0 | 1));
        const back = run(ConvTranspose, { group, strides, pads: [...pads], output_padding }, y, w);
        expect(back.dims).toEqual(x.dims);
        expect(dot(forward, y)).toBe(dot(x, back));
      }),
    );
  });

  test("counts one multiply-accumulate per output and weight of its filter", () => {
    const node = createNode("Conv", ["x", "w", "b"], ["y"], { group: 4 });
    const known = (...shape: number[]) => ({ element: "float32", shape }) as const;
    const cost = Conv.cost?.(node, [known(1, 32, 8, 8), known(64, 8, 3, 3), known(64)], [known(1, 64, 6, 6)]);
    expect(cost).toEqual({ macs: 64 * 36 * 8 * 9, flops: 64 * 36 });
  });

  test("refuses channels that do not match, naming the shapes", () => {
    expect(() => run(Conv, {}, integers([1, 3, 4, 4], 1), integers([2, 2, 1, 1], 1))).toThrow(
      /\[1, 3, 4, 4\] with weights \[2, 2, 1, 1\] in 1 groups/,
    );
    expect(() => run(ConvTranspose, {}, integers([1, 3, 4, 4], 1), integers([2, 2, 1, 1], 1))).toThrow(/in 1 groups/);
  });
});
