/** Whole programs that use the runtimes: how they end, and what they leave behind. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { node, onnxFile } from "../onnxBuilder";
import { type Compiled, compilePackage, finished, printed } from "./compiled";
import { slow } from "./contract";
import { isRunning, onLinux, ortChildren, scratchOf, within } from "./processes";

const relu = onnxFile({
  inputs: { x: ["float32", [2]] },
  outputs: { y: ["float32", [2]] },
  nodes: [node("Relu", ["x"], ["y"])],
});
const literal = (bytes: Uint8Array) => `Uint8Array.from([${bytes.join(",")}])`;
const prelude = `
  import { chooseRuntime } from "#runtimes/chooseRuntime";
  import { nodeRuntimes } from "#runtimes/runtimes.node";
  const file = (bytes) => ({ model: { graph: { initializers: new Map() } }, bytes: async () => bytes });
  const relu = file(${literal(relu)});
  const endless = file(${literal(slow(2 ** 40))});
  const x = { type: "float32", dims: [2], data: Float32Array.of(-1, 2) };
  const big = { type: "float32", dims: [64, 64], data: new Float32Array(4096) };
`;

let installed: Compiled;
beforeAll(() => {
  installed = compilePackage(["onnxruntime-node", "onnxruntime-web", "onnxruntime-common"]);
}, 60_000);
afterAll(() => installed.remove());

const emptied = (pid: number) => () => scratchOf(pid).length === 0 && (!onLinux || ortChildren(pid).length === 0);

describe.each(["ort-node", "ort-web"])("%s", (name) => {
  const opening = `${prelude} const session = await nodeRuntimes["${name}"].open(relu);`;

  test("a program that is done ends, even with a session open, and leaves nothing", async () => {
    const program = installed.start(`${opening} console.log(String((await session.run({ x })).y.data));`);
    const start = performance.now();
    expect(await finished(program)).toEqual({ output: "0,2\n", code: 0, signal: null });
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(await within(1_000, emptied(program.pid ?? 0))).toBe(true);
  });

  test("a program that only waits for an answer does not end before it", async () => {
    const program = installed.start(
      `${opening} const { y } = await session.run({ x }); await session.close(); console.log(y.data[1]);`,
    );
    expect(await finished(program)).toEqual({ output: "2\n", code: 0, signal: null });
  });

  test("a run that is refused is told by its error alone: the runtime prints nothing", async () => {
    const lookUp = onnxFile({
      inputs: { table: ["float32", ["N"]], i: ["int64", []] },
      outputs: { y: ["float32", []] },
      nodes: [node("Gather", ["table", "i"], ["y"])],
    });
    const program = `${prelude}
      const session = await nodeRuntimes["${name}"].open(file(${literal(lookUp)}));
      const beyond = { table: x, i: { type: "int64", dims: [], data: BigInt64Array.of(5n) } };
      for (const call of [() => session.run(beyond), () => session.time(beyond, 1)])
        await call().catch(({ code }) => console.log(code));
    `;
    const options = { cwd: installed.path, encoding: "utf8" } as const;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], options);
    expect([stdout, stderr]).toEqual(["runtime/run\nruntime/run\n", ""]);
  });

  test("a program that ends in mid-run takes the session with it", async () => {
    const program = installed.start(`${prelude}
      const session = await nodeRuntimes["${name}"].open(endless);
      session.run({ x: big }).catch(() => {});
      setTimeout(() => process.exit(7), 200);
    `);
    expect((await finished(program)).code).toBe(7);
    expect(await within(2_000, emptied(program.pid ?? 0))).toBe(true);
  });
});

describe.skipIf(!onLinux)("a session process", () => {
  test.each([
    ["idle", "relu", ""],
    ["in mid-run", "endless", "session.run({ x: big }).catch(() => {});"],
  ])("does not outlive a parent that was killed, when %s", async (_, model, work) => {
    const program = installed.start(`${prelude}
      const session = await nodeRuntimes["ort-node"].open(${model}); ${work}
      setTimeout(() => console.log("ready"), 100);
      setInterval(() => {}, 1000);
    `);
    await printed(program, "ready");
    const [pid] = ortChildren(program.pid);
    expect(pid).toBeGreaterThan(0);
    program.kill("SIGKILL");
    await finished(program);
    expect(await within(2_000, () => !isRunning(pid))).toBe(true);
    expect(scratchOf(program.pid)).toEqual([]);
  });

  test("leaves Ctrl-C to the program, which can end in order", async () => {
    const program = installed.start(`${prelude}
      const session = await nodeRuntimes["ort-node"].open(endless);
      process.once("SIGINT", async () => { await session.close(); });
      setTimeout(() => console.log("ready"), 100);
      await session.run({ x: big }).catch((error) => { process.exitCode = error.code === "runtime/closed" ? 130 : 1; });
    `);
    await printed(program, "ready");
    process.kill(-(program.pid ?? 0), "SIGINT"); // as a terminal does: to the whole group
    const start = performance.now();
    expect(await finished(program)).toMatchObject({ code: 130, signal: null });
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(await within(1_000, emptied(program.pid ?? 0))).toBe(true);
  });
});

describe("without the native package", () => {
  let bare: Compiled;
  beforeAll(() => {
    bare = compilePackage(["onnxruntime-web", "onnxruntime-common"]);
  }, 60_000);
  afterAll(() => bare.remove());

  test("it is unavailable, and the error says how to install it", async () => {
    const program = bare.start(`${prelude}
      const { "ort-node": ortNode } = nodeRuntimes;
      const error = await ortNode.open(relu).catch((error) => error);
      console.log(JSON.stringify([error.code, error.message, error.hint, await ortNode.version() ?? null, await ortNode.why()]));
    `);
    const [code, message, hint, version, why] = JSON.parse((await finished(program)).output);
    expect(code).toBe("runtime/unavailable");
    expect(message).toContain("onnxruntime-node");
    expect(hint).toBe("npm install --ignore-scripts onnxruntime-node@1.30.0");
    expect(version).toBeNull();
    expect(why).toContain("npm install");
    expect(await within(1_000, emptied(program.pid ?? 0))).toBe(true);
  });

  test("auto takes the WebAssembly runtime, and asking for the native one by name is refused", async () => {
    const program = bare.start(`${prelude}
      const runtime = await chooseRuntime("auto", nodeRuntimes);
      const session = await runtime.open(relu);
      const error = await chooseRuntime("ort-node", nodeRuntimes).catch((error) => error);
      console.log(session.runtime, (await session.run({ x })).y.data[1], error.code);
    `);
    expect((await finished(program)).output).toMatch(/^ort-web \d+\.\d+\.\d+ 2 runtime\/unavailable\n$/);
  });
});

test("the version in the install command is the one in package.json", async () => {
  const { optionalDependencies } = (await import("../../package.json")).default;
  const source = spawnSync("grep", ["-rhoE", "onnxruntime-node@[0-9.]+", join(installed.path, "dist/runtimes")], {
    encoding: "utf8",
  });
  for (const found of source.stdout.trim().split("\n")) {
    expect(found).toBe(`onnxruntime-node@${optionalDependencies["onnxruntime-node"]}`);
  }
});
