import { describe, expect, test } from "vitest";
import { LowbitError } from "#base/errors";
import type { Model } from "#model/model";
import { createNode } from "#model/attributes";
import type { OpenSession, Tensors } from "#model/session";
import { elementTypes, float32 } from "#model/tensor";
import { createReferenceSession } from "#runtimes/reference/reference";
import { madeUpData } from "#verbs/madeUpData";
import { modelOf } from "../../test/modelBuilder";

const options = { seed: 3, samples: 4 };
const shapes = (inputs: Tensors): unknown =>
  Object.fromEntries(Object.entries(inputs).map(([name, { dims }]) => [name, dims]));

/** A session that runs only on feeds that `fits` accepts. */
const picky =
  (fits: (feeds: Tensors) => boolean): OpenSession =>
  async (model, more) => ({
    ...(await createReferenceSession(model, more)),
    run: async (feeds) => {
      if (!fits(feeds)) throw new LowbitError("runtime/run", `not with ${JSON.stringify(shapes(feeds))}`);
      return {};
    },
  });

const image: Model = modelOf({
  inputs: { x: ["float32", ["N", 3, "height", "width"]] },
  outputs: ["y"],
  nodes: [createNode("Relu", ["x"], ["y"])],
});

describe("made-up data", () => {
  test("takes one image of 64 pixels where sizes are open, and says so", async () => {
    const data = await madeUpData(image, createReferenceSession, options);
    expect(shapes((await data.sample(2)).inputs)).toEqual({ x: [1, 3, 64, 64] });
    expect(data.diagnostics.map(({ code }) => code)).toEqual(["data/random", "data/sizes"]);
    expect(data.diagnostics[1].message).toContain("x [1, 3, 64, 64]");
  });

  test("tries other sizes where the model does not run on those", async () => {
    const data = await madeUpData(
      image,
      picky(({ x }) => x.dims[2] >= 500),
      options,
    );
    expect(shapes((await data.sample(0)).inputs)).toEqual({ x: [1, 3, 512, 512] });
  });

  test("says what was wrong with the first size where none fits", async () => {
    await expect(
      madeUpData(
        image,
        picky(() => false),
        options,
      ),
    ).rejects.toThrow("[1,3,64,64]");
  });

  test("does not go on after a crash", async () => {
    const crash = new LowbitError("runtime/crash", "gone");
    let runs = 0;
    const open: OpenSession = async (model) => ({
      ...(await createReferenceSession(model)),
      run: () => {
        runs++;
        return Promise.reject(crash);
      },
    });
    await expect(madeUpData(image, open, options)).rejects.toBe(crash);
    expect(runs).toBe(1);
  });

  test("is not tried out where all sizes are known, batch apart", async () => {
    const inputs = { x: ["float32", ["N", 7]] } as const;
    const model = modelOf({ inputs, nodes: [createNode("Relu", ["x"], ["y"])], outputs: ["y"] });
    const data = await madeUpData(model, () => Promise.reject(new Error("opened")), options);
    expect(shapes((await data.sample(0)).inputs)).toEqual({ x: [1, 7] });
  });

  test("counts a symbol as the batch wherever it stands, and takes no past", async () => {
    const model = modelOf({
      inputs: {
        ids: ["int64", ["batch", "sequence"]],
        state: ["float32", [2, "batch", 5]],
        keys: ["float32", ["batch", 4, "past_sequence", 8]],
        length: ["int64", ["batch"]],
        sound: ["float32", ["samples"]],
      },
      outputs: ["y"],
      nodes: [createNode("Relu", ["state"], ["y"])],
    });
    const data = await madeUpData(model, createReferenceSession, options);
    expect(shapes((await data.sample(0)).inputs)).toEqual({
      ids: [1, 64],
      state: [2, 1, 5],
      keys: [1, 4, 0, 8],
      length: [1],
      sound: [64],
    });
  });

  test("takes ids from the whole vocabulary, and masks from 0 and 1", async () => {
    const model = modelOf({
      inputs: {
        ids: ["int64", [1, 300]],
        kinds: ["int64", [1, 300]],
        mask: ["int64", [1, 300]],
        position: ["int64", [300]],
      },
      outputs: ["y", "kind", "far", "offset"],
      weights: { words: float32([1000, 1], new Float32Array(1000)), few: float32([3, 1], [1, 2, 3]) },
      nodes: [
        createNode("Cast", ["ids"], ["index"], { to: elementTypes.int32.code }),
        createNode("Equal", ["ids", "mask"], ["padding"]),
        createNode("Gather", ["words", "index"], ["y"]),
        createNode("Gather", ["few", "kinds"], ["kind"]),
        createNode("Gather", ["words", "position"], ["far"]),
        createNode("Add", ["position", "position"], ["offset"]),
      ],
    });
    const { inputs } = await (await madeUpData(model, createReferenceSession, options)).sample(0);
    const greatest = Object.values(inputs).map(({ data }) => Math.max(...Array.from(data, Number)));
    expect(greatest[0]).toBeGreaterThan(900);
    expect(greatest.slice(1)).toEqual([2, 1, 1]);
  });
});
