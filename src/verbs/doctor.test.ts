import { describe, expect, test } from "vitest";
import { LowbitError } from "#base/errors";
import { interpret } from "#model/interpreter";
import type { OpenSession } from "#model/session";
import type { Runtime } from "#runtimes/types";
import { acceptanceCases } from "#targets/acceptance/cases";
import { ortWeb } from "#targets/acceptance/ortWeb";
import { memoryStore } from "#verbs/browserEnvironment";
import { doctor } from "#verbs/doctor";
import type { Environment } from "#verbs/environment";
import { optionalPackages } from "#verbs/optionalPackages.node";

/** Runs what the reference knows, by the specification, and needs no time at all. */
const openByTheBook: OpenSession = async (model) => {
  const interpreter = await interpret(model).catch((cause: unknown) => {
    throw new LowbitError("runtime/load", "loading the model: unknown", { cause });
  });
  return {
    runtime: "ort-web 1.30.0",
    inputNames: [],
    outputNames: [],
    async run(feeds) {
      try {
        return interpreter.run(feeds);
      } catch (cause) {
        throw new LowbitError("runtime/run", "running the model: refused", { cause });
      }
    },
    time: async (_, rounds) => new Float64Array(rounds).fill(1),
    close: async () => {},
  };
};

function runtime(name: string, more: Partial<Runtime> = {}): Runtime {
  return {
    name,
    version: async () => "1.30.0",
    why: async () => undefined,
    open: ({ model }) => openByTheBook(model),
    ...more,
  };
}

const web = runtime("ort-web");
const missing = runtime("ort-node", {
  version: async () => undefined,
  why: async () => "not installed (npm install it)",
});

function environment(runtimes: readonly Runtime[]): Environment {
  return {
    runtimes: Object.fromEntries(runtimes.map((each) => [each.name, each])),
    runnable: (model) => ({ model, bytes: async () => new Uint8Array(0) }),
    materialize: () => Promise.reject(new Error("doctor writes no models")),
    costs: memoryStore(),
    processor: "a test",
    tool: "lowbit 0",
    now: () => 0,
  };
}

describe("doctor", () => {
  test("tells of a runtime what was asked of it and what layers cost, and of a missing one how to get it", async () => {
    const report = await doctor(environment([missing, runtime("reference"), web]));
    expect(report.runtimes[0]).toEqual({ name: "ort-node", version: null, why: "not installed (npm install it)" });
    expect(report.runtimes[1]).toEqual({ name: "reference", version: "1.30.0" });
    const { acceptance, costs } = report.runtimes[2];
    expect(acceptance).toMatchObject({ sameVersion: true, ceiling: { opset: 26, irVersion: 13 } });
    expect(Object.values(acceptance?.counts ?? {}).reduce((sum, n) => sum + n, 0)).toBe(acceptanceCases.length);
    expect(acceptance?.again).toBeUndefined();
    expect(costs).toMatchObject({ label: "measured", when: "now", borders: null, saturates: false });
    expect(costs?.speeds).toContainEqual(expect.objectContaining({ id: "Conv-3x3", floatMs: 1, quantizedMs: 1 }));
  });

  test("tells of the platform", async () => {
    const { platform, webAssembly, packages, tool } = await doctor(environment([]), {
      packages: async () => [{ name: "p", purpose: "x", version: "1", install: "npm install p" }],
    });
    expect(platform).toMatchObject({ engine: `Node ${process.versions.node}`, processor: "a test" });
    expect(platform.system).toBe(`${process.platform} ${process.arch}`);
    expect(platform.threads).toBeGreaterThan(0);
    expect(webAssembly).toMatchObject({ simd: true });
    expect(packages).toHaveLength(1);
    expect(tool).toBe("lowbit 0");
  });

  test("measures costs once; refresh measures them again and asks all questions", async () => {
    const host = environment([web]);
    await doctor(host);
    expect((await doctor(host, { runtime: web })).runtimes[0].costs?.when).toBe("before");
    const { acceptance, costs } = (await doctor(host, { runtime: web, refresh: true })).runtimes[0];
    expect(costs?.when).toBe("now");
    const { asked, changes = [] } = acceptance?.again ?? {};
    expect(asked).toBe(acceptanceCases.length);
    // by the book nothing changes an answer, and much is known that the runtime refuses
    expect(changes).toContainEqual({ id: "decode/float4e2m1-tensor", before: "rejects", now: { verdict: "runs" } });
    expect(changes).toContainEqual({ id: "fusion/Conv-floatWeights", before: "changes", now: { verdict: "runs" } });
    for (const { id, before } of changes) expect(before).toBe(ortWeb.rows[id].verdict);
  });

  test("a table about another version says so", async () => {
    const newer = runtime("ort-web", { version: async () => "1.31.0" });
    const [{ acceptance }] = (await doctor(environment([newer]))).runtimes;
    expect(acceptance?.sameVersion).toBe(false);
  });
});

test("optional packages are told with their version, or how to get them", async () => {
  const packages = await optionalPackages();
  expect(packages.map(({ name }) => name)).toEqual(["sharp", "@huggingface/tokenizers"]);
  for (const { version, why, install } of packages) {
    expect(install).toMatch(/^npm install /);
    if (version === null) expect(why).not.toBe("");
    else expect(version).toMatch(/^\d+\.\d+\.\d+/);
  }
});
