import { describe, expect, test } from "vitest";
import { packTensor, unpackTensor } from "#model/tensor";

describe("packed bytes", () => {
  test("may start anywhere in their buffer, also as one of Node's, whose slice() does not copy", () => {
    const floats = Float32Array.of(1.5, -2);
    const shifted = Buffer.concat([Buffer.of(0), Buffer.from(floats.buffer)]).subarray(1);
    expect(unpackTensor("float32", [2], shifted).data).toEqual(floats);
    expect(unpackTensor("float32", [2], new Uint8Array([0, ...shifted]).subarray(1)).data).toEqual(floats);
  });

  test("of 4 and 2 bits come back with their sign", () => {
    for (const [type, values] of [
      ["int4", Int8Array.of(-8, 7, -1)],
      ["int2", Int8Array.of(-2, 1, -1, 0, 1)],
    ] as const) {
      const tensor = { type, dims: [values.length], data: values };
      expect(unpackTensor(type, tensor.dims, packTensor(tensor))).toEqual(tensor);
    }
  });
});
