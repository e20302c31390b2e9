/**
 * Writes small GGUF files for tests: a second, independent writer, so that what is tested is never tested with itself. No checks: a
 * hostile file is as easy to write as a good one. Layout: ggml/docs/gguf.md.
 */
type Piece = Uint8Array;

const little = (value: number | bigint, bytes: number): Piece => {
  const out = new Uint8Array(bytes);
  let rest = BigInt.asUintN(64, BigInt(value));
  for (let i = 0; i < bytes; i++, rest >>= 8n) out[i] = Number(rest & 255n);
  return out;
};

export const u8 = (value: number): Piece => little(value, 1);
export const u32 = (value: number): Piece => little(value, 4);
export const u64 = (value: number | bigint): Piece => little(value, 8);

export function joined(...pieces: readonly (Piece | readonly number[])[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

/** A text with its length, which may be a lie. */
export const text = (value: string | readonly number[], length?: bigint): Piece => {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : Uint8Array.from(value);
  return joined(u64(length ?? bytes.length), bytes);
};

/** A key and its value, the latter as its type's id and bytes. */
export const pair = (key: string | Piece, type: number, value: Piece): Piece =>
  joined(typeof key === "string" ? text(key) : key, u32(type), value);

export interface TensorSpec {
  readonly name?: string;
  /** As GGUF lists them: the fastest first. */
  readonly extents?: readonly (number | bigint)[];
  /** Default 0, F32. */
  readonly type?: number;
  readonly offset?: number | bigint;
  readonly dimensions?: number;
}

export const tensorInfo = ({ name = "w", extents = [4], type = 0, offset = 0, dimensions }: TensorSpec): Piece =>
  joined(text(name), u32(dimensions ?? extents.length), ...extents.map(u64), u32(type), u64(offset));

export interface GgufSpec {
  readonly version?: number;
  readonly pairs?: readonly Piece[];
  readonly tensors?: readonly (TensorSpec | Piece)[];
  readonly tensorCount?: bigint;
  readonly pairCount?: bigint;
  /** Bytes of data after the padded header; default 64. */
  readonly data?: number | Piece;
  readonly alignment?: number;
}

export function ggufFile(spec: GgufSpec = {}): Uint8Array {
  const { version = 3, pairs = [], tensors = [], data = 64, alignment = 32 } = spec;
  const header = joined(
    [0x47, 0x47, 0x55, 0x46],
    u32(version),
    u64(spec.tensorCount ?? tensors.length),
    u64(spec.pairCount ?? pairs.length),
    ...pairs,
    ...tensors.map((each) => (each instanceof Uint8Array ? each : tensorInfo(each))),
  );
  const padding = (alignment - (header.length % alignment)) % alignment;
  return joined(header, new Uint8Array(padding), typeof data === "number" ? new Uint8Array(data) : data);
}
