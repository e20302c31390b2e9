/** The real file system keeps the port's promises; every crash is played through in test/crash. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getuid, platform } from "node:process";
import { afterAll, describe, expect, test } from "vitest";
import { atomicWrite } from "#base/atomicWrite";
import { nodeFileSystem } from "#base/fileSystem.node";

const folder = mkdtempSync(join(tmpdir(), "lowbit-write-"));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (directory: string, name: string, content: string, fs = nodeFileSystem): Promise<void> =>
  atomicWrite(fs, directory, [name], async ([sink]) => sink.write(new TextEncoder().encode(content)));

describe("an atomic write on a real disk", () => {
  test("creates and replaces a file, and leaves nothing else", async () => {
    await write(folder, "a", "first");
    await write(folder, "a", "second");
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("second");
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  test("keeps the old file when the new one fails", async () => {
    await write(folder, "b", "old");
    const failing = atomicWrite(nodeFileSystem, folder, ["b"], async ([sink]) => {
      await sink.write(new Uint8Array(1e6));
      throw new Error("the input ended");
    });
    await expect(failing).rejects.toThrow("the input ended");
    expect(readFileSync(join(folder, "b"), "utf8")).toBe("old");
    expect(readdirSync(folder).filter((name) => name.startsWith(".lowbit"))).toEqual([]);
  });

  test("two writers of one file at once leave one of the two contents", async () => {
    const contents = Array.from({ length: 8 }, (_, i) => String(i).repeat(1000 + i));
    await Promise.all(contents.map((content) => write(folder, "c", content)));
    expect(contents).toContain(readFileSync(join(folder, "c"), "utf8"));
    expect(readdirSync(folder).filter((name) => name.startsWith(".lowbit"))).toEqual([]);
  });

  test("says what is wrong with the place", async () => {
    await expect(write(join(folder, "missing"), "x", "")).rejects.toMatchObject({
      code: "io/write",
      hint: "create the folder first",
    });
    await expect(write(join(folder, "a"), "x", "")).rejects.toMatchObject({ code: "io/write" });
    mkdirSync(join(folder, "taken"));
    await expect(write(folder, "taken", "x")).rejects.toMatchObject({ code: "io/write" });
    expect(readdirSync(folder).filter((name) => name.startsWith(".lowbit"))).toEqual([]);
  });

  test.skipIf(platform === "win32" || getuid?.() === 0)(
    "a folder that may not be written to is left alone",
    async () => {
      const closed = join(folder, "closed");
      mkdirSync(closed);
      chmodSync(closed, 0o500);
      await expect(write(closed, "x", "")).rejects.toMatchObject({ code: "io/write" });
      chmodSync(closed, 0o700);
    },
  );

  test.skipIf(!existsSync("/dev/full"))("a full disk is told as such, with what was written", async () => {
    const full = { ...nodeFileSystem, create: async () => openFull() };
    await expect(write(folder, "d", "content", full)).rejects.toMatchObject({ code: "io/no-space" });
    expect(existsSync(join(folder, "d"))).toBe(false);
  });

  test("what dead processes left is swept, what living ones write is not", async () => {
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    const [host, own, started] = nodeFileSystem.owner.split("-");
    const files = {
      dead: `.lowbit-${host}-${dead}-1-0.tmp`,
      reused: `.lowbit-${host}-${own}-1-0.tmp`,
      alive: `.lowbit-${host}-${own}-${started}-99999.tmp`,
      elsewhere: `.lowbit-00000000-${dead}-1-0.tmp`,
    };
    for (const name of Object.values(files)) writeFileSync(join(folder, name), "");
    await write(folder, "e", "");
    const left = readdirSync(folder);
    expect(left).not.toContain(files.dead);
    // a process number that another process has now is known by its start time, where the system tells it
    expect(left.includes(files.reused)).toBe(started === "0");
    expect(left).toContain(files.alive);
    expect(left).toContain(files.elsewhere);
  });
});

async function openFull(): Promise<Awaited<ReturnType<typeof nodeFileSystem.create>>> {
  const { open } = await import("node:fs/promises");
  const handle = await open("/dev/full", "w");
  return {
    write: async (bytes) => (await handle.write(bytes)).bytesWritten,
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}
