/** lowbit formats, as people run it; and docs/formats.md, whose examples are what it prints. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installLowbit, type Lowbit } from "./lowbit";

let lowbit: Lowbit;
beforeAll(() => {
  lowbit = installLowbit();
}, 60_000);
afterAll(() => lowbit.remove());

describe("lowbit formats", () => {
  test("prints the table", async () => {
    const { code, stdout } = await lowbit.run(["formats"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^float8e5m2 +8 +1 5 2 +15 +57344 +2\^−14 +2\^−16 +∞, NaN$/m);
  });

  test("takes decimals, negative ones too, fractions, powers, infinity and NaN", async () => {
    const numbers = ["0.1", "-2.7", "1/3", "2^-9", "-inf", "nan", "1e-3"];
    // "-inf" would be read as options
    const { code, stdout } = await lowbit.run(["formats", "--format", "float8e5m2", "--json", "--", ...numbers]);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as { numbers: { number: number | string; encodings: { bits: string }[] }[] };
    expect(report.numbers.map(({ number }) => number)).toEqual([0.1, -2.7, 1 / 3, 2 ** -9, "-Infinity", "NaN", 1e-3]);
    expect(report.numbers[4].encodings[0].bits).toBe("1|11111|00");
  });

  test("reads a negative number as one", async () => {
    expect((await lowbit.run(["formats", "-2.7", "--format", "int4"])).stdout).toContain("−2.7 = −1.35 · 2^1");
  });

  test.each([
    [["formats", "seven"], "usage/argument"],
    [["formats", "1", "--format", "float7"], "usage/scheme"],
    [["formats", "--format", "q9.9"], "usage/scheme"],
  ])("%j is refused as %s", async (args, code) => {
    const { code: exit, stderr } = await lowbit.run(args);
    expect(exit).toBe(2);
    expect(stderr).toContain(code);
  });
});

describe("docs/formats.md", () => {
  const text = readFileSync(new URL("../../docs/formats.md", import.meta.url), "utf8");
  const examples = [...text.matchAll(/```console\n\$ npx lowbit ([^\n]+)\n([\s\S]*?)```/g)].map(
    ([, command, output]) => [command, output] as const,
  );

  test("has examples", () => {
    expect(examples.length).toBeGreaterThan(1);
  });

  test.each(examples)("lowbit %s prints what the page shows", async (command, output) => {
    const { code, stdout } = await lowbit.run(command.split(" "));
    expect(code).toBe(0);
    // the page leaves rows out where it writes "…"
    const shown = output.split("\n").filter((line) => line !== "…" && line !== "");
    for (const line of shown) expect(stdout.split("\n")).toContain(line);
  });
});
