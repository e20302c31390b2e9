import { expect, test } from "vitest";
import { meanShift } from "#methods/quantize/correctBias";
import { createNode } from "#model/attributes";
import { float32, toNumbers } from "#model/tensor";
import { createReferenceSession } from "#runtimes/reference/reference";
import { modelOf } from "../../../test/modelBuilder";

const ramp = (n: number, step: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * step));

/** On an input that is its own mean everywhere, the shift is the difference of the outputs. */
test.each([
  ["Conv", [6, 4, 3, 3], { group: 1 }, [1, 4, 3, 3]],
  ["Conv", [6, 2, 3, 3], { group: 2 }, [1, 4, 3, 3]],
  ["Conv", [4, 1, 2, 2], { group: 4 }, [1, 4, 2, 2]],
  ["Gemm", [5, 3], {}, [1, 5]],
  ["Gemm", [3, 5], { transB: 1 }, [1, 5]],
  ["MatMul", [5, 3], {}, [1, 5]],
] satisfies [string, number[], Record<string, number>, number[]][])(
  "%s with weights [%s] %o",
  async (op, dims, attributes, xDims) => {
    const size = dims.reduce((n, d) => n * d, 1);
    const [w, rounded] = [ramp(size, 0.7), ramp(size, 0.7).map((v, i) => v + 0.01 * Math.cos(i * 1.3))];
    const channels = xDims[1];
    const means = ramp(channels, 2.1);
    const inner = xDims.reduce((n, d) => n * d, 1) / channels;
    const x = float32(
      [...xDims],
      Float32Array.from({ length: channels * inner }, (_, i) => means[Math.floor(i / inner)]),
    );
    const node = createNode(op, ["x", "w"], ["y"], attributes);
    const run = async (values: Float32Array) => {
      const model = modelOf({
        inputs: { x: ["float32", [...xDims]] },
        outputs: ["y"],
        nodes: [node],
        weights: { w: float32([...dims], values) },
      });
      return toNumbers((await (await createReferenceSession(model)).run({ x })).y);
    };
    const [exact, shifted] = [await run(w), await run(rounded)];
    const shift = meanShift(node, dims, w, rounded, means);
    for (let c = 0; c < shift.length; c++) expect(shift[c]).toBeCloseTo(shifted[c] - exact[c], 5);
  },
);
