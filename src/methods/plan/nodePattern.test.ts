import { expect, test } from "vitest";
import { nodeMatcher } from "#methods/plan/nodePattern";
import { createNode } from "#model/attributes";

const node = createNode("Conv", ["x", "w"], ["features.3.out"], {}, { name: "features.3.conv" });

test.each([
  ["features.3.conv", true],
  ["features.3.out", true],
  ["features.3", false],
  ["features.*", true],
  ["*.conv", true],
  ["f*3*conv", true],
  ["*", true],
  ["features.3.conv*features.3.conv", false],
  ["*3*3*", false],
  ["op:Conv", true],
  ["op:Con*", false],
  ["op:Relu", false],
])("the pattern %s matches features.3.conv: %s", (pattern, expected) => {
  expect(nodeMatcher(pattern)(node)).toBe(expected);
});
