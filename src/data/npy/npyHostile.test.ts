import { describe, expect, test } from "vitest";
import { bytesSource } from "#base/bytes";
import type { ErrorCode } from "#base/errors";
import { defaultLimits } from "#base/limits";
import { readNpy, readNpyRows } from "#data/npy/npy";
import { parsePythonLiteral } from "#data/npy/pythonLiteral";

/** An npy file around a header text, with `room` bytes of elements. */
function npy(header: string, { version = 1, length = header.length, room = 64 } = {}): Uint8Array {
  const wide = version > 1;
  const out = new Uint8Array((wide ? 12 : 10) + header.length + room);
  out.set([0x93, ...Buffer.from("NUMPY"), version, 0]);
  const view = new DataView(out.buffer);
  if (wide) view.setUint32(8, length, true);
  else view.setUint16(8, length, true);
  out.set(Buffer.from(header, "latin1"), wide ? 12 : 10);
  return out;
}
const header = (descr: string, shape: string, fortran = "False"): string =>
  `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;

const hostile: readonly (readonly [what: string, file: Uint8Array, code: ErrorCode])[] = [
  ["an empty file", new Uint8Array(0), "npy/malformed"],
  ["only the magic", Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59), "npy/malformed"],
  ["text", new Uint8Array(Buffer.from("1,2,3\n4,5,6\n7,8,9\n")), "npy/malformed"],
  ["an unknown version", npy(header("'<f4'", "(1,)"), { version: 9 }), "npy/malformed"],
  ["a version 2 header that ends after 10 bytes", npy("", { version: 2 }).subarray(0, 10), "npy/malformed"],
  ["a header length of 2³² − 1", npy(header("'<f4'", "(1,)"), { version: 2, length: 0xffffffff }), "npy/malformed"],
  ["a header of 60 KB", npy(header("'<f4'", "(1,)").padEnd(60_000)), "npy/malformed"],
  ["a header longer than the file", npy(header("'<f4'", "(1,)"), { length: 9_000 }), "npy/malformed"],
  ["Python objects", npy(header("'|O'", "(1,)")), "npy/unsupported"],
  ["text elements", npy(header("'<U5'", "(1,)")), "npy/unsupported"],
  ["byte strings", npy(header("'|S5'", "(1,)")), "npy/unsupported"],
  ["raw records", npy(header("'|V2'", "(1,)")), "npy/unsupported"],
  ["dates", npy(header("'<M8[ns]'", "(1,)")), "npy/unsupported"],
  ["named fields", npy(header("[('a', '<f4'), ('b', '<i4')]", "(1,)")), "npy/unsupported"],
  ["float128", npy(header("'<f16'", "(1,)")), "npy/unsupported"],
  ["a call in place of a literal", npy("__import__('os').system('true')\n"), "npy/malformed"],
  ["a call inside the dict", npy(header("__import__('os')", "(1,)")), "npy/malformed"],
  ["a shape of 2⁸⁰ elements", npy(header("'<f4'", "(1099511627776, 1099511627776)")), "npy/malformed"],
  ["a dim beyond 2⁵³", npy(header("'<f4'", "(0, 99999999999999999999)")), "npy/malformed"],
  ["an infinite dim times nothing", npy(header("'<f4'", `(0, ${"9".repeat(24)})`)), "npy/malformed"],
  ["a negative dim", npy(header("'<f4'", "(-1,)")), "npy/malformed"],
  ["a rank of 70", npy(header("'<f4'", `(${"1, ".repeat(70)})`)), "npy/malformed"],
  ["fewer elements than promised", npy(header("'<f4'", "(17,)")), "npy/malformed"],
  ["9,900 spaces", npy(" ".repeat(9_900)), "npy/malformed"],
  ["9,900 opening brackets", npy(`{'descr': ${"(".repeat(9_900)}`), "npy/malformed"],
  ["a key twice", npy("{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n"), "npy/malformed"],
  ["a key too many", npy("{'a': 1, 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n"), "npy/malformed"],
  ["no shape", npy("{'descr': '<f4', 'fortran_order': False, }\n"), "npy/malformed"],
  ["text behind the header's end", npy(`${header("'<f4'", "(1,)")} x`), "npy/malformed"],
  ["an escape in a string", npy(header("'<f4\\x00'", "(1,)")), "npy/malformed"],
];

describe("npy files from strangers", () => {
  test.each(hostile)("%s", async (_, file, code) => {
    const started = performance.now();
    for (const read of [readNpy, readNpyRows]) {
      await expect(read(bytesSource(file, "x.npy"), defaultLimits)).rejects.toMatchObject({
        code,
        at: { file: "x.npy" },
      });
    }
    expect(performance.now() - started).toBeLessThan(250);
  });

  test("an array over the memory limit is refused before it is read, unless rows can be read one by one", async () => {
    const limits = { ...defaultLimits, tensorBytes: 32 };
    const source = bytesSource(npy(header("'<f4'", "(4, 4)")), "x.npy");
    await expect(readNpy(source, limits)).rejects.toMatchObject({ code: "limit/memory" });
    expect((await readNpyRows(source, limits)).length).toBe(4);
    const fortran = bytesSource(npy(header("'<f4'", "(4, 4)", "True")), "x.npy");
    await expect(readNpyRows(fortran, limits)).rejects.toMatchObject({ code: "limit/memory" });
  });

  test("a header cut anywhere is refused, never read half", async () => {
    const whole = npy(header("'<f4'", "(16,)"));
    for (let end = 0; end < whole.length; end++)
      await expect(readNpy(bytesSource(whole.subarray(0, end)), defaultLimits)).rejects.toMatchObject({
        code: "npy/malformed",
      });
    expect((await readNpy(bytesSource(whole), defaultLimits)).dims).toEqual([16]);
  });
});

describe("Python literals", () => {
  test("are read as NumPy 1, 2 and Python 2 write them", () => {
    expect(parsePythonLiteral("(3L, 4L)")).toEqual([3, 4]);
    expect(parsePythonLiteral("(3,)")).toEqual([3]);
    expect(parsePythonLiteral("()")).toEqual([]);
    expect(parsePythonLiteral("{\"a\": True, 'b': [False]}  \n")).toEqual(
      new Map<string, unknown>([
        ["a", true],
        ["b", [false]],
      ]),
    );
  });

  test("a key called __proto__ is only a key", () => {
    expect(parsePythonLiteral("{'__proto__': 1}")).toEqual(new Map([["__proto__", 1]]));
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });
});
