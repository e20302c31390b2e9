import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createScratch } from "#runtimes/scratch.node";

const prefix = `lowbit-${hostname().replace(/[^a-zA-Z0-9]/g, "")}-`;
/** The id of a process that has ended. */
const deadPid = spawnSync(process.execPath, ["-e", ""]).pid;

let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "scratch-test-"));
  vi.stubEnv("TMPDIR", place);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(place, { recursive: true });
});

describe("scratch directories", () => {
  test("the first one sweeps what killed programs left, and nothing else", async () => {
    const left = join(place, `${prefix}${deadPid}-abcdef`);
    const kept = {
      running: join(place, `${prefix}${process.ppid}-abcdef`),
      anotherMachine: join(place, `lowbit-elsewhere-${deadPid}-abcdef`),
      foreign: join(place, "somebody-elses"),
    };
    for (const path of [left, ...Object.values(kept)]) {
      mkdirSync(path);
      writeFileSync(join(path, "model.onnx"), "x");
    }
    const link = join(place, `${prefix}${deadPid}-link`);
    symlinkSync(kept.foreign, link);

    await (await createScratch()).remove();
    expect(existsSync(left)).toBe(false);
    for (const path of Object.values(kept)) expect(existsSync(join(path, "model.onnx")), path).toBe(true);
  });

  test.skipIf(process.platform === "win32")("only their owner can look into them", async () => {
    const scratch = await createScratch();
    expect(statSync(scratch.path).mode & 0o777).toBe(0o700);
    await scratch.remove();
  });

  test("two are different, and removing one twice is fine", async () => {
    const [first, second] = [await createScratch(), await createScratch()];
    expect(first.path).not.toBe(second.path);
    writeFileSync(join(first.path, "file"), "x");
    await first.remove();
    await first.remove();
    expect(existsSync(first.path)).toBe(false);
    expect(existsSync(second.path)).toBe(true);
    await second.remove();
  });

  test("a temporary directory that cannot be written is a typed error", async () => {
    vi.stubEnv("TMPDIR", join(place, "missing"));
    await expect(createScratch()).rejects.toMatchObject({ code: "io/write", hint: expect.stringContaining("TMPDIR") });
    vi.stubEnv("TMPDIR", place);
  });
});
