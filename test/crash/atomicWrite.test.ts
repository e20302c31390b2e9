/** Every operation of a write is interrupted in every way; deliberately bad writers show that this test notices. */
import { describe, expect, test } from "vitest";
import { atomicWrite } from "#base/atomicWrite";
import { LowbitError } from "#base/errors";
import type { FsPort } from "#base/fileSystem";
import { Crash, CrashingFs, type CrashMode, crashModes, type Disk } from "./crashingFs";

type Writer = (fs: FsPort, names: readonly string[], contents: readonly Uint8Array[]) => Promise<void>;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const oldOnes = [bytes("old weights, longer than the new ones"), bytes("old model")];
const newOnes = [bytes("new weights"), bytes("new model")];

const safe: Writer = (fs, names, contents) =>
  atomicWrite(fs, "out", names, async (sinks) => {
    for (const [i, sink] of sinks.entries()) {
      await sink.write(contents[i].subarray(0, 5));
      await sink.write(contents[i].subarray(5));
    }
  });

/** `fs` with some operations left out. */
const without = (fs: FsPort, skipped: Partial<FsPort>, syncFiles = true): FsPort => ({
  create: async (path) => {
    const file = await fs.create(path);
    return syncFiles ? file : { ...file, sync: async () => {} };
  },
  rename: (from, to) => fs.rename(from, to),
  remove: (path) => fs.remove(path),
  exists: (path) => fs.exists(path),
  list: (directory) => fs.list(directory),
  syncDirectory: (directory) => fs.syncDirectory(directory),
  owner: fs.owner,
  isAlive: (owner) => fs.isAlive(owner),
  ...skipped,
});

const naive: Writer = async (fs, names, contents) => {
  for (const [i, name] of names.entries()) {
    if (await fs.exists(`out/${name}`)) await fs.remove(`out/${name}`);
    const file = await fs.create(`out/${name}`);
    for (let at = 0; at < contents[i].byteLength; ) at += await file.write(contents[i].subarray(at));
    await file.sync();
    await file.close();
  }
  await fs.syncDirectory("out");
};

/** What a disk holds of the named files: "old", "new", "absent", or "corrupt". */
function verdict(disk: Disk, names: readonly string[], previous: readonly Uint8Array[] | undefined): string {
  const offset = newOnes.length - names.length;
  const found = names.map((name) => disk.get(`out/${name}`));
  const main = found[found.length - 1];
  if (main === undefined) return "absent";
  const all = (wanted: readonly Uint8Array[]): boolean =>
    found.every((content, i) => content !== undefined && Buffer.compare(content, wanted[i + offset]) === 0);
  if (all(newOnes)) return "new";
  return previous !== undefined && all(previous) ? "old" : "corrupt";
}

interface Outcome {
  readonly points: number;
  readonly disks: number;
  /** Verdict → how often, and the first crash point. */
  readonly verdicts: ReadonlyMap<string, number>;
  readonly lostAfterSuccess: number;
}

async function crashEverywhere(
  writer: Writer,
  names: readonly string[],
  previous: readonly Uint8Array[] | undefined,
  modes: readonly CrashMode[] = crashModes,
): Promise<Outcome> {
  const offset = newOnes.length - names.length;
  const start: Disk = new Map(
    previous === undefined ? [] : names.map((name, i) => [`out/${name}`, previous[i + offset]]),
  );
  const verdicts = new Map<string, number>();
  let points = 0;
  let disks = 0;
  let lostAfterSuccess = 0;
  for (const mode of modes) {
    for (let at = 0, finished = false; !finished; at++) {
      const fs = new CrashingFs(start, "host-1-1", at, mode);
      try {
        await writer(fs, names, newOnes.slice(offset));
        finished = true;
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      }
      points++;
      for (const disk of fs.disks()) {
        disks++;
        const found = verdict(disk, names, previous);
        verdicts.set(found, (verdicts.get(found) ?? 0) + 1);
        if (finished && found !== "new") lostAfterSuccess++;
        // the next run must succeed on any such disk, and clean up
        const next = new CrashingFs(disk, "host-2-1", Number.POSITIVE_INFINITY, "kill");
        await safe(next, names, newOnes.slice(offset));
        const [after] = next.disks();
        expect([...after.keys()].sort()).toEqual(names.map((name) => `out/${name}`).sort());
        expect(verdict(after, names, undefined)).toBe("new");
      }
    }
  }
  return { points, disks, verdicts, lostAfterSuccess };
}

describe("a safe write", () => {
  test("leaves the old or the new file, whenever it is interrupted", async () => {
    const outcome = await crashEverywhere(safe, ["model.onnx"], oldOnes);
    expect([...outcome.verdicts.keys()].sort()).toEqual(["new", "old"]);
    expect(outcome.lostAfterSuccess).toBe(0);
    expect(outcome.points).toBeGreaterThan(25);
  });

  test("leaves no file or the new one where there was none", async () => {
    const outcome = await crashEverywhere(safe, ["model.onnx"], undefined);
    expect([...outcome.verdicts.keys()].sort()).toEqual(["absent", "new"]);
    expect(outcome.lostAfterSuccess).toBe(0);
  });

  test("never leaves a model beside the weights of another", async () => {
    for (const previous of [oldOnes, undefined]) {
      const outcome = await crashEverywhere(safe, ["model.onnx_data", "model.onnx"], previous);
      expect(outcome.verdicts.get("corrupt") ?? 0).toBe(0);
      expect(outcome.lostAfterSuccess).toBe(0);
      expect(outcome.disks).toBeGreaterThan(outcome.points);
    }
  });

  test("keeps the old file on any error of any operation, leaves nothing else, and says what happened", async () => {
    for (const names of [["model.onnx"], ["model.onnx_data", "model.onnx"]]) {
      const offset = newOnes.length - names.length;
      const start: Disk = new Map(names.map((name, i) => [`out/${name}`, oldOnes[i + offset]]));
      const counting = new CrashingFs(start, "host-1-1");
      await safe(counting, names, newOnes.slice(offset));
      for (const code of ["ENOSPC", "EIO", "EACCES"]) {
        for (let at = 0; at < counting.operations; at++) {
          const fs = new CrashingFs(start, "host-1-1");
          fs.failure = { at, code };
          const error: unknown = await safe(fs, names, newOnes.slice(offset)).catch((thrown: unknown) => thrown);
          const [disk] = fs.disks();
          const found = verdict(disk, names, oldOnes);
          if (error === undefined) {
            expect(found).toBe("new"); // the failure only hit the clean-up
            continue;
          }
          expect(error).toBeInstanceOf(LowbitError);
          expect((error as LowbitError).code).toBe(code === "ENOSPC" ? "io/no-space" : "io/write");
          // once the last rename is done the new files stay, although their name is not known to be on disk
          const renamed = at >= counting.operations - (names.length === 1 ? 1 : 3);
          expect(found, `${code} at ${at} of ${counting.operations}`).toBe(renamed ? "new" : "old");
          if (!renamed) expect(disk.size).toBe(names.length);
        }
      }
    }
  });

  test("passes on what the content's maker throws, and leaves no trace", async () => {
    const fs = new CrashingFs(new Map([["out/model.onnx", oldOnes[1]]]), "host-1-1");
    const refused = new LowbitError("io/changed", "the input changed");
    await expect(atomicWrite(fs, "out", ["model.onnx"], () => Promise.reject(refused))).rejects.toBe(refused);
    const [disk] = fs.disks();
    expect([...disk]).toEqual([["out/model.onnx", oldOnes[1]]]);
  });

  test("sweeps what dead processes left, and not what living ones write", async () => {
    const start: Disk = new Map([
      ["out/.lowbit-host-9-1-0.tmp", bytes("dead")],
      ["out/.lowbit-host-1-1-77.tmp", bytes("alive: the same process")],
      ["out/notes.tmp", bytes("not ours")],
    ]);
    const fs = new CrashingFs(start, "host-1-1");
    await safe(fs, ["model.onnx"], [newOnes[1]]);
    const [disk] = fs.disks();
    expect([...disk.keys()].sort()).toEqual(["out/.lowbit-host-1-1-77.tmp", "out/model.onnx", "out/notes.tmp"]);
  });
});

describe("this test notices a writer that", () => {
  test("writes in place", async () => {
    for (const mode of crashModes) {
      const outcome = await crashEverywhere(naive, ["model.onnx"], oldOnes, [mode]);
      expect(outcome.verdicts.get("corrupt") ?? 0, mode).toBeGreaterThan(0);
    }
  });

  test("does not sync the file", async () => {
    const careless: Writer = (fs, names, contents) => safe(without(fs, {}, false), names, contents);
    const outcome = await crashEverywhere(careless, ["model.onnx"], oldOnes, ["power"]);
    expect(outcome.verdicts.get("corrupt") ?? 0).toBeGreaterThan(0);
  });

  test("does not sync the directory", async () => {
    const careless: Writer = (fs, names, contents) =>
      safe(without(fs, { syncDirectory: async () => {} }), names, contents);
    const outcome = await crashEverywhere(careless, ["model.onnx"], oldOnes, ["power"]);
    expect(outcome.lostAfterSuccess).toBeGreaterThan(0);
    const pair = await crashEverywhere(careless, ["model.onnx_data", "model.onnx"], oldOnes, ["power"]);
    expect(pair.verdicts.get("corrupt") ?? 0).toBeGreaterThan(0);
  });

  test("replaces the weights before it puts the old model away", async () => {
    const careless: Writer = async (fs, names, contents) => {
      for (const [i, name] of names.entries()) await safe(fs, [name], [contents[i]]);
    };
    const outcome = await crashEverywhere(careless, ["model.onnx_data", "model.onnx"], oldOnes, ["kill"]);
    expect(outcome.verdicts.get("corrupt") ?? 0).toBeGreaterThan(0);
  });
});
