import { beforeAll, expect, test } from "vitest";
import { refinePlacement } from "#methods/plan/refinePlacement";
import { findUnits, type Unit } from "#methods/plan/units";
import type { Prepared } from "#methods/prepare";
import { createNode } from "#model/attributes";
import type { OpenSession } from "#model/session";
import { inferShapes } from "#model/shapes";
import { float32 } from "#model/tensor";
import { emptyCosts } from "#targets/hostCosts";
import { int8Kernel } from "#targets/int8Kernels";
import { modelOf } from "../../../test/modelBuilder";

let prepared: Prepared;
let units: readonly Unit[];
beforeAll(async () => {
  const model = modelOf({
    inputs: { x: ["float32", [1, 4, 8, 8]] },
    outputs: ["d"],
    nodes: ["a", "b", "c", "d"].map((name, i) => createNode("Conv", [["x", "a", "b", "c"][i], "w"], [name])),
    weights: {
      w: float32(
        [4, 4, 1, 1],
        Array.from({ length: 16 }, (_, i) => i - 7),
      ),
    },
  });
  prepared = { model, shapes: await inferShapes(model) };
  ({ units } = await findUnits(model, prepared.shapes, int8Kernel));
});

/** A runtime on which a model's time is what `costs` says of how many convolutions compute on codes. */
function runtime(costs: (onCodes: number) => number) {
  const log = { open: 0, opened: 0 };
  const open: OpenSession = async (model) => {
    log.open++;
    log.opened++;
    const decoded = new Set(
      model.graph.nodes.filter(({ op }) => op === "DequantizeLinear").flatMap(({ outputs }) => outputs),
    );
    const onCodes = model.graph.nodes.filter(({ op, inputs }) => op === "Conv" && decoded.has(inputs[1])).length;
    const ms = costs(onCodes);
    return {
      runtime: "pretended",
      inputNames: [],
      outputNames: [],
      run: async () => ({}),
      time: async (_, rounds) => new Float64Array(rounds).fill(ms),
      close: async () => void log.open--,
    };
  };
  return { open, log };
}

const refine = (starts: readonly ReadonlySet<Unit>[], openSession: OpenSession, known = emptyCosts("here")) =>
  refinePlacement(prepared, units, starts, known, {
    openSession,
    feeds: {},
    may: () => true,
    signatureOf: ({ node }) => node.outputs[0],
  });

test("the fastest of several starts wins, and every session is closed", async () => {
  const { open, log } = runtime((codes) => 10 - codes);
  const { int8 } = await refine([new Set([units[1]]), new Set(units)], open);
  expect(int8).toEqual(new Set(units));
  expect(log.open).toBe(0);
});

test("a start that is not clearly faster does not win", async () => {
  const { open } = runtime((codes) => 10 - codes / 100);
  expect((await refine([new Set([units[1]]), new Set(units)], open)).int8).toEqual(new Set([units[1]]));
});

test("a region that slows the model down is turned over", async () => {
  const { open } = runtime((codes) => 10 - codes);
  const { int8 } = await refine([new Set([units[0], units[2], units[3]])], open);
  expect(int8).toEqual(new Set(units));
});

test("what was found is remembered", async () => {
  const { open, log } = runtime((codes) => 10 - codes);
  const starts = [new Set([units[1]]), new Set(units)];
  const first = await refine(starts, open);
  const before = log.opened;
  const again = await refine(starts, open, first.costs);
  expect(again.int8).toEqual(first.int8);
  expect(log.opened).toBe(before);
});

test("where nothing computes on codes nothing is measured", async () => {
  const { open, log } = runtime(() => 1);
  expect((await refine([new Set()], open)).int8.size).toBe(0);
  expect(log.opened).toBe(0);
});
