import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type PlacementCosts, placeUnits } from "#methods/plan/placement";
import type { Unit } from "#methods/plan/units";
import { createNode } from "#model/attributes";
import type { Int8Kernel } from "#targets/int8Kernels";

const kernels: readonly Int8Kernel[] = [
  { kind: "linear", floatOutput: false },
  { kind: "linear", floatOutput: true },
  { kind: "pointwise" },
  { kind: "moves", followsCodes: true },
];

const unitOf = (i: number, operands: readonly string[], kernel: Int8Kernel): Unit => ({
  node: createNode("Op", operands, [`v${i}`]),
  kernel,
  operands,
  constants: [],
  output: `v${i}`,
});

/** A random acyclic graph of units, with costs. */
const problem = fc.integer({ min: 1, max: 7 }).chain((n) =>
  fc.record({
    units: fc.tuple(
      ...Array.from({ length: n }, (_, i) =>
        fc.record({
          reads: fc.uniqueArray(fc.integer({ min: -1, max: i - 1 }), { minLength: 1, maxLength: 2 }),
          kernel: fc.constantFrom(...kernels),
        }),
      ),
    ),
    float: fc.array(fc.nat(30), { minLength: n, maxLength: n }),
    int8: fc.array(fc.nat(30), { minLength: n, maxLength: n }),
    border: fc.array(fc.nat(15), { minLength: n + 1, maxLength: n + 1 }),
    needed: fc.array(fc.boolean(), { minLength: n, maxLength: n }),
    fixed: fc.array(fc.constantFrom("float" as const, undefined, undefined, undefined), { minLength: n, maxLength: n }),
  }),
);

test("no division of the graph into float and int8 costs less, borders counted", () => {
  fc.assert(
    fc.property(problem, ({ units: rows, float, int8, border, needed, fixed }) => {
      const units = rows.map(({ reads, kernel }, i) =>
        unitOf(
          i,
          reads.map((r) => `v${r}`),
          kernel,
        ),
      );
      const index = (value: string): number => Number(value.slice(1));
      const costs: PlacementCosts = {
        unit: (unit) => ({ float: float[index(unit.output)], int8: int8[index(unit.output)] }),
        quantize: (value) => border[index(value) + 1],
        dequantize: (value) => border[index(value) + 1],
      };
      const neededInFloat = new Set(units.filter((_, i) => needed[i]).map((unit) => unit.output));
      const price = (onCodes: (i: number) => boolean): number => {
        let sum = 0;
        units.forEach((unit, i) => {
          sum += onCodes(i) ? int8[i] : float[i];
          if (onCodes(i) && fixed[i] === "float") sum = Number.POSITIVE_INFINITY;
          const before = index(unit.operands[0]);
          if (onCodes(i) && unit.kernel.kind === "moves" && (before < 0 || !onCodes(before)))
            sum = Number.POSITIVE_INFINITY;
        });
        for (let v = -1; v < units.length; v++) {
          const readers = units.map((unit, i) => ({ unit, i })).filter(({ unit }) => unit.operands.includes(`v${v}`));
          const madeAsCodes = v >= 0 && onCodes(v);
          if (!madeAsCodes && readers.some(({ i }) => onCodes(i))) sum += border[v + 1];
          const free =
            v >= 0 && units[v].kernel.kind === "linear" && (units[v].kernel as { floatOutput: boolean }).floatOutput;
          if (madeAsCodes && !free && (neededInFloat.has(`v${v}`) || readers.some(({ i }) => !onCodes(i))))
            sum += border[v + 1];
        }
        return sum;
      };
      let least = Number.POSITIVE_INFINITY;
      for (let mask = 0; mask < 2 ** units.length; mask++)
        least = Math.min(
          least,
          price((i) => ((mask >> i) & 1) === 1),
        );
      const placed = placeUnits({ units, neededInFloat, fixed: (unit) => fixed[index(unit.output)] }, costs);
      expect(price((i) => placed.int8.has(units[i]))).toBeCloseTo(least, 9);
    }),
    { numRuns: 300 },
  );
});
