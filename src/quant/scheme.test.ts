import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseScheme, type Scheme, schemeText } from "#quant/scheme";

const granularity = fc.oneof(
  fc.constantFrom("tensor", "channel", "token"),
  fc.integer({ min: 1, max: 4096 }).map((size) => `group:${size}`),
  fc.tuple(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 64 })).map(([r, c]) => `block:${r}x${c}`),
);
const range = fc.constantFrom("minmax", "average", "percentile", "percentile:99.5", "mse", "aciq", "octav");
const flags = fc
  .record(
    {
      granularity,
      symmetry: fc.constantFrom("symmetric", "asymmetric"),
      range,
      scales: fc.constant("pow2"),
      rounding: fc.constant("stochastic"),
    },
    { requiredKeys: [] },
  )
  .chain((each) => fc.shuffledSubarray(Object.values(each), { minLength: Object.values(each).length }));

describe("a linear scheme", () => {
  test("reads back from its shortest text, in whatever order its flags were given", () => {
    const name = fc
      .tuple(fc.constantFrom("int", "uint"), fc.integer({ min: 2, max: 16 }))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(name, flags, (dtype, words) => {
        const scheme = parseScheme([dtype, ...words].join("/"));
        const text = schemeText(scheme);
        expect(parseScheme(text)).toEqual(scheme);
        expect(schemeText(parseScheme(text))).toBe(text);
      }),
    );
  });

  test.each<[string, Partial<Scheme>]>([
    ["int8", { symmetric: true, granularity: { per: "tensor" }, range: { by: "minmax" } }],
    ["uint8", { symmetric: false }],
    ["uint4/symmetric/group:32", { symmetric: true, granularity: { per: "group", size: 32 } }],
    ["int4/full/channel", { symmetric: true, full: true, granularity: { per: "channel" } }],
    ["int4/block:4x16/octav", { granularity: { per: "block", rows: 4, columns: 16 }, range: { by: "octav" } }],
    ["int8/token/pow2/stochastic", { granularity: { per: "token" }, powerOfTwo: true, stochastic: true }],
    ["int1", { symmetric: false }],
  ])("%s says what it says", (text, parts) => {
    expect(parseScheme(text)).toMatchObject(parts);
  });

  test("float leaves a tensor as it is", () => {
    expect(parseScheme("float")).toBeNull();
    expect(schemeText(null)).toBe("float");
  });

  test.each([
    ["int17", "not a number format"],
    ["int8/chanel", '"chanel" is not'],
    ["int8/channel/tensor", "says again"],
    ["int8/mse/minmax", "says again"],
    ["int8/channel:3", "takes no value"],
    ["int4/group", '"" is no positive size'],
    ["int4/group:1.5", '"1.5" is no positive size'],
    ["int4/block:4", '"" is no positive size'],
    ["int4/block:4x4x4", "two sides"],
    ["int8/percentile:40", "between 50 and 100"],
    ["int1/symmetric", "never symmetric"],
    ["uint8/full", "full is about symmetric codes"],
    ["int8/group:32/entropy", "too few values"],
    ["int8/constructor", '"constructor" is not'],
  ])("%s is refused: %s", (text, message) => {
    expect(() => parseScheme(text)).toThrow(expect.objectContaining({ code: "usage/scheme" }));
    expect(() => parseScheme(text)).toThrow(message);
  });
});
