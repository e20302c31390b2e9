/**
 * The state of a training as bytes: "lowbit training\n", the length of a JSON text as uint32, the text, the tensors' packed elements, and
 * the CRC-32 of all before. Little-endian.
 */
import { LowbitError } from "#base/errors";
import { crc32 } from "#math/crc32";
import type { EpochPoint, Judgement } from "#methods/train/types";
import type { Tensors } from "#model/session";
import {
  type ElementType,
  elementTypes,
  packedBytes,
  packTensor,
  sizeOf,
  type Tensor,
  unpackTensor,
} from "#model/tensor";

/** Where a training is. All of it is JSON. */
export interface TrainingPosition {
  /** Batches since the start. */
  readonly batches: number;
  readonly curve: readonly EpochPoint[];
  readonly before: Judgement | null;
  /** The epoch whose weights are kept as the best; 0: none yet. */
  readonly bestEpoch: number;
  /** Sums over the batches of the epoch that is not done. */
  readonly sums: EpochSums;
  readonly skippedBatches: number;
  /** Bad batches in a row until now. */
  readonly badInARow: number;
  /** Loss of the first good batch. */
  readonly firstLoss: number | null;
}

export interface EpochSums {
  readonly loss: number;
  readonly batches: number;
  readonly right: number;
  readonly judged: number;
}

export interface Checkpoint {
  /** What must be the same in the training that continues. */
  readonly identity: Readonly<Record<string, string | number>>;
  readonly position: TrainingPosition;
  /** Weights, states of the optimizer, running statistics. */
  readonly states: Tensors;
  /** The best weights. */
  readonly best: Tensors;
}

const magic = new TextEncoder().encode("lowbit training\n");
const version = 1;

interface Row {
  readonly part: "states" | "best";
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
}

export function encodeCheckpoint({ identity, position, states, best }: Checkpoint): Uint8Array {
  const rows: Row[] = [];
  const pieces: Uint8Array[] = [];
  for (const [part, tensors] of [["states", states] as const, ["best", best] as const]) {
    for (const [name, value] of Object.entries(tensors)) {
      rows.push({ part, name, type: value.type, dims: value.dims });
      pieces.push(packTensor(value));
    }
  }
  const text = new TextEncoder().encode(JSON.stringify({ version, identity, position, tensors: rows }));
  const body = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const bytes = new Uint8Array(magic.length + 4 + text.length + body + 4);
  const view = new DataView(bytes.buffer);
  bytes.set(magic);
  view.setUint32(magic.length, text.length, true);
  let at = magic.length + 4;
  for (const piece of [text, ...pieces]) {
    bytes.set(piece, at);
    at += piece.byteLength;
  }
  view.setUint32(at, crc32(bytes.subarray(0, at)), true);
  return bytes;
}

/** Throws train/checkpoint for what is none, or damaged. The checksum comes first: what passes it is what was written. */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const refuse = (what: string, cause?: unknown): LowbitError =>
    new LowbitError("train/checkpoint", `the checkpoint cannot be read: ${what}`, { cause });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.byteLength - 4;
  if (end < magic.length + 4 || magic.some((byte, i) => bytes[i] !== byte))
    throw refuse("it is no checkpoint of lowbit");
  if (view.getUint32(end, true) !== crc32(bytes.subarray(0, end))) throw refuse("its checksum is wrong");
  const start = magic.length + 4;
  const length = view.getUint32(magic.length, true);
  if (start + length > end) throw refuse("its text ends beyond the file");
  const parsed = JSON.parse(new TextDecoder().decode(bytes.subarray(start, start + length))) as Omit<
    Checkpoint,
    "states" | "best"
  > & { readonly version: number; readonly tensors: readonly Row[] };
  if (parsed.version !== version) throw refuse(`it is of version ${parsed.version}, and this lowbit reads ${version}`);
  const parts: { readonly [K in Row["part"]]: Record<string, Tensor> } = { states: {}, best: {} };
  let at = start + length;
  for (const { part, name, type, dims } of parsed.tensors) {
    const size = elementTypes[type] === undefined ? Number.NaN : packedBytes(type, sizeOf(dims));
    if (!(at + size <= end)) throw refuse(`${name} ends beyond the file`);
    parts[part][name] = unpackTensor(type, dims, bytes.subarray(at, at + size));
    at += size;
  }
  return { identity: parsed.identity, position: parsed.position, ...parts };
}
