/** Every gradient rule is checked somewhere: in a table of its own family, or by name in a test beside this one. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { losses } from "#grad/losses/index";
import { findOp } from "#model/ops/index";
import { gradients } from "#model/ops/gradients/index";
import { parametricGradients } from "#model/ops/gradients/parametric";
import { reduceGradients } from "#model/ops/gradients/reduce";
import { unaryGradients } from "#model/ops/gradients/unary";
import { variadicGradients } from "#model/ops/gradients/variadic";

const iterated = [unaryGradients, reduceGradients, parametricGradients, variadicGradients].flatMap(Object.keys);
const folder = new URL("./", import.meta.url);
const tests = readdirSync(folder)
  .filter((file) => file.endsWith(".test.ts"))
  .map((file) => readFileSync(new URL(file, folder), "utf8"))
  .join();

test.each(Object.keys(gradients))("the gradient of %s is checked, and belongs to an operator", (key) => {
  const [domain, name] = key.includes(":") ? key.split(":") : ["", key];
  expect(findOp(domain, name)?.gradient).toBeDefined();
  expect(iterated.includes(key) || tests.includes(`"${name}"`)).toBe(true);
});

test("docs/gradients.md names every operator that has a gradient, and no other; and every loss", () => {
  const text = readFileSync(new URL("../../docs/gradients.md", import.meta.url), "utf8");
  const [before, after] = text.split("## What has a gradient");
  const table = after.split("Only floats")[0];
  const named = [...table.matchAll(/\b[A-Z][a-zA-Z0-9]+\b/g)].map(([name]) => name);
  expect(named.sort()).toEqual(
    Object.keys(gradients)
      .map((key) => key.replace(/.*:/, ""))
      .sort(),
  );
  for (const kind of Object.keys(losses)) expect(before).toContain(`| \`${kind}\` |`);
});
