import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { platform } from "node:process";
import { afterAll, describe, expect, test } from "vitest";
import { openFileSource } from "#base/fileSource.node";

const folder = mkdtempSync(join(tmpdir(), "lowbit-source-"));
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;
function fileOf(content: Uint8Array | string): string {
  const path = join(folder, `file${count++}`);
  writeFileSync(path, content);
  return path;
}

describe("a file as a source", () => {
  test("gives exactly the bytes of a range", async () => {
    const source = await openFileSource(fileOf("0123456789"));
    expect(source.size).toBe(10);
    expect(new TextDecoder().decode(await source.read(3, 4))).toBe("3456");
    expect(await source.read(10, 0)).toHaveLength(0);
    await expect(source.read(8, 3)).rejects.toMatchObject({ code: "io/read", at: { byte: 8 } });
    await expect(source.read(-1, 3)).rejects.toMatchObject({ code: "io/read" });
    await source.close();
    await expect(source.read(0, 1)).rejects.toMatchObject({ code: "io/read" });
  });

  test("reads at offsets beyond 2³¹ and 2³², and ranges longer than one call gives", async () => {
    const path = fileOf("");
    truncateSync(path, 5 * 2 ** 30); // sparse
    const handle = openSync(path, "r+");
    const offsets = [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 4.8e9];
    for (const offset of offsets) writeSync(handle, Uint8Array.of(offset % 251), 0, 1, offset);
    const source = await openFileSource(path);
    for (const offset of offsets) expect([...(await source.read(offset, 1))]).toEqual([offset % 251]);
    const long = await source.read(2 ** 32 - 2 ** 27, 2 ** 27 + 1);
    expect(long[2 ** 27 - 1]).toBe((2 ** 32 - 1) % 251);
    expect(long[2 ** 27]).toBe(2 ** 32 % 251);
    await source.close();
    rmSync(path);
  });

  test("notices that the file was cut, grown or overwritten since it was opened", async () => {
    for (const [change, byte] of [
      [(path: string) => truncateSync(path, 4), 4],
      [(path: string) => appendFileSync(path, "x"), 2],
      [(path: string) => writeFileSync(path, "9876543210"), 2],
    ] as const) {
      const path = fileOf("0123456789");
      const source = await openFileSource(path);
      await new Promise((resolve) => setTimeout(resolve, 20)); // coarser clocks of file systems
      change(path);
      await expect(source.read(2, 6)).rejects.toMatchObject({ code: "io/changed", at: { file: path, byte } });
      await source.close();
    }
  });

  test("keeps what it opened when another file takes its name", async () => {
    const path = fileOf("old");
    const source = await openFileSource(path);
    renameSync(fileOf("new"), path);
    expect(new TextDecoder().decode(await source.read(0, 3))).toBe("old");
    await source.close();
  });

  test("is not made of what is missing, of a folder, or of a pipe nobody writes to", async () => {
    await expect(openFileSource(join(folder, "missing"))).rejects.toMatchObject({ code: "io/not-found" });
    await expect(openFileSource(join(fileOf("x"), "below"))).rejects.toMatchObject({ code: "io/not-found" });
    mkdirSync(join(folder, "inner"));
    await expect(openFileSource(join(folder, "inner"))).rejects.toMatchObject({ code: "io/read" });
    if (platform !== "win32") {
      execFileSync("mkfifo", [join(folder, "pipe")]);
      await expect(openFileSource(join(folder, "pipe"))).rejects.toMatchObject({ code: "io/read" });
      await expect(openFileSource("/dev/zero")).rejects.toMatchObject({ code: "io/read" });
    }
  });
});
