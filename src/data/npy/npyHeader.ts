/**
 * The header of a NumPy file: "\x93NUMPY", version (2 bytes), header length (2 bytes in version 1, 4 in 2 and 3), and a Python
 * dict such as {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, padded with spaces. Nothing is evaluated, and the
 * header's length is checked before it is read. Format: numpy.lib.format.
 */
import type { ByteSource } from "#base/bytes";
import { LowbitError, type Place } from "#base/errors";
import type { Limits } from "#base/limits";
import { parsePythonLiteral } from "#data/npy/pythonLiteral";
import { type ElementType, packedBytes } from "#model/tensor";

export interface NpyHeader {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly fortran: boolean;
  readonly bigEndian: boolean;
  /** Byte where the elements start. */
  readonly offset: number;
}

export const npyMagic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);

/** NumPy's type codes, without the byte order. */
export const npyTypes: Readonly<Record<string, ElementType>> = {
  b1: "bool",
  i1: "int8",
  u1: "uint8",
  i2: "int16",
  u2: "uint16",
  i4: "int32",
  u4: "uint32",
  i8: "int64",
  u8: "uint64",
  f2: "float16",
  f4: "float32",
  f8: "float64",
  c8: "complex64",
  c16: "complex128",
};

/** Whether these are the first bytes of an npy file. */
export function isNpy(head: Uint8Array): boolean {
  return head.length > npyMagic.length && npyMagic.every((byte, i) => head[i] === byte);
}

/** Reads and checks the header: the elements it promises must be in the file. Throws `npy/malformed` or `npy/unsupported`. */
export async function readNpyHeader(source: ByteSource, limits: Limits): Promise<NpyHeader> {
  const at: Place = { file: source.name };
  const malformed = (what: string, byte = 0): LowbitError =>
    new LowbitError("npy/malformed", `${source.name}: ${what}`, {
      at: { ...at, byte },
      hint: "write it again with numpy.save",
    });
  const start = await source.read(0, Math.min(12, source.size));
  if (!isNpy(start) || start.length < 10) throw malformed("this is no npy file: it does not start with \\x93NUMPY");
  const version = start[6];
  if (version < 1 || version > 3) throw malformed(`npy version ${version}.${start[7]} is unknown`, 6);
  const wide = version > 1;
  const lead = wide ? 12 : 10;
  if (start.length < lead) throw malformed("the file ends inside its header", start.length);
  const view = new DataView(start.buffer, start.byteOffset, start.length);
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  if (length > limits.npyHeaderBytes)
    throw malformed(`the header has ${length} bytes, over the limit of ${limits.npyHeaderBytes}`, 8);
  if (lead + length > source.size) throw malformed(`the header has ${length} bytes; ${source.size - lead} are left`, 8);
  const text = new TextDecoder(version === 3 ? "utf-8" : "latin1").decode(await source.read(lead, length));

  const header = parsePythonLiteral(text);
  if (!(header instanceof Map)) throw malformed("the header is no Python dict of plain literals", lead);
  const descr: unknown = header.get("descr");
  const fortran: unknown = header.get("fortran_order");
  const dims: unknown = header.get("shape");
  if (header.size !== 3 || descr === undefined || typeof fortran !== "boolean" || !isShape(dims))
    throw malformed(
      `the header must give descr, fortran_order and shape; it gives ${[...header.keys()].join(", ")}`,
      lead,
    );
  if (typeof descr !== "string")
    throw unsupported(source.name, "records with named fields", "save each field on its own");
  const { type, bigEndian } = elementOf(descr, source.name);
  const offset = lead + length;
  if (dims.length > limits.tensorRank) throw malformed(`rank ${dims.length} is over ${limits.tensorRank}`, lead);
  // inexact when huge, but never small then
  const needed = packedBytes(
    type,
    dims.reduce((product, dim) => product * dim, 1),
  );
  if (!(needed <= source.size - offset))
    throw malformed(`${descr} [${dims.join(", ")}] needs ${needed} bytes; ${source.size - offset} are left`, offset);
  return { type, dims, fortran, bigEndian, offset };
}

function elementOf(descr: string, file: string): { type: ElementType; bigEndian: boolean } {
  const type = /^[<>|=]/.test(descr) ? npyTypes[descr.slice(1)] : undefined;
  if (type !== undefined) return { type, bigEndian: descr[0] === ">" };
  const kind = descr.replace(/^[<>|=]/, "")[0];
  if (kind === "O") throw unsupported(file, "pickled Python objects, which can run any code", "save plain numbers");
  if (kind === "S" || kind === "U" || kind === "a") throw unsupported(file, `text (${descr})`, "save numbers");
  if (kind === "V")
    throw unsupported(file, `raw records (${descr})`, "bfloat16 and float8 have no npy form: save float32");
  throw unsupported(file, `elements of type ${JSON.stringify(descr)}`, `it reads ${Object.keys(npyTypes).join(", ")}`);
}

function unsupported(file: string, what: string, hint: string): LowbitError {
  return new LowbitError("npy/unsupported", `${file} holds ${what}; lowbit reads numbers and bools`, {
    at: { file },
    hint,
  });
}

function isShape(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((dim) => Number.isSafeInteger(dim));
}
