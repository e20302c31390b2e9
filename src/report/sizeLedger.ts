/** Where a file's bytes are: a row for each weight with all that belongs to it, and one for the structure around them. */
import type { Model } from "#model/model";
import { inferShapes } from "#model/shapes";
import { sizeOf } from "#model/tensor";
import { type ConstantGroup, type ConstantGroupOptions, constantGroups } from "#report/constantGroups";
import { entropyBits, SymbolCounts } from "#report/entropy";
import type { StoredTensor } from "#report/graph/constants";
import { nominalBits } from "#report/nominalBits";
import type { LedgerRow, SizeReport } from "#report/types";
import { weightPieces } from "#report/weightPieces";

export interface SizeLedger {
  /** Largest first; the last is "structure", so that the rows add up to the file's bytes. */
  readonly rows: readonly LedgerRow[];
  /** The file, if its codes went through an ideal entropy coder. */
  readonly entropyCodedBytes: number;
}

/** The name of the row for all that is no tensor: nodes, names, metadata. */
export const structureRow = "structure";

/**
 * The ledger of a model whose file (with its weights file) has `fileBytes`. Codes are read once, a few megabytes at a time; float
 * tensors are not read.
 */
export async function sizeLedger(
  model: Model,
  fileBytes: number,
  options: ConstantGroupOptions = {},
): Promise<SizeLedger> {
  return ledgerOfGroups(constantGroups(model, await inferShapes(model), options), fileBytes);
}

/** `sizeLedger` where the groups are at hand. */
export async function ledgerOfGroups(groups: readonly ConstantGroup[], fileBytes: number): Promise<SizeLedger> {
  const places = new Set<string>();
  const rows: LedgerRow[] = [];
  for (const group of groups) {
    // two tensors that are one place in a file are stored once
    const members = group.members.filter((tensor) => isFirst(tensor, places));
    const bytes = members.reduce((sum, tensor) => sum + tensor.bytes, 0);
    if (bytes === 0) continue;
    const saved = members.includes(group.codes) ? await savedByCoding(group) : 0;
    rows.push({
      tensor: group.name,
      shape: group.stored.shape,
      scheme: group.stored.text,
      bytes,
      floatBytes: floatBytesOf(group, bytes),
      entropyCodedBytes: bytes - saved,
      ...bitsPerWeight(group, bytes, saved),
    });
  }
  rows.sort((a, b) => b.bytes - a.bytes);
  const structure = settle(rows, fileBytes);
  const size = { bytes: structure, floatBytes: structure, entropyCodedBytes: structure };
  rows.push({ tensor: structureRow, shape: [], scheme: structureRow, ...size });
  return { rows, entropyCodedBytes: rows.reduce((sum, row) => sum + row.entropyCodedBytes, 0) };
}

/**
 * The report's figures of size: what the float model's file had, what the quantized one's has, and where it is. The structure's row
 * has the float model's structure as its `floatBytes`, so that these add up to the float file.
 */
export async function ledgerOf(
  input: { readonly model: Model; readonly bytes: number },
  output: { readonly model: Model; readonly bytes: number },
): Promise<SizeReport> {
  const names = new Set(input.model.graph.initializers.keys());
  const { rows, entropyCodedBytes } = await sizeLedger(output.model, output.bytes, { names });
  const tensors = rows.slice(0, -1);
  const left = input.bytes - tensors.reduce((sum, row) => sum + row.floatBytes, 0);
  const structure = { ...rows[rows.length - 1], floatBytes: Math.max(0, left) };
  return {
    inputBytes: input.bytes,
    outputBytes: output.bytes,
    ratio: input.bytes / output.bytes,
    entropyCodedBytes,
    ledger: [...tensors, structure],
  };
}

/** What the weight takes in a float model: 32 bits a number, no scales; parameters of activations do not exist there. */
function floatBytesOf({ role, stored, codes }: ConstantGroup, bytes: number): number {
  if (stored.decoder !== undefined) return 4 * sizeOf(stored.shape);
  if (role === "parameters") return 0;
  if (role === "integers" || stored.text === "sparse") return bytes;
  const beside = stored.per === undefined && !stored.text.startsWith("codebook") ? bytes - codes.bytes : 0;
  return 4 * sizeOf(stored.shape) + Math.max(0, beside);
}

/** Whole bytes that an ideal entropy coder takes off the codes; numbers of more than 8 bits are left as they are. */
async function savedByCoding({ codes, role, stored }: ConstantGroup): Promise<number> {
  const { bits, decoder } = stored;
  if (decoder !== undefined) {
    let saved = 0;
    for (const part of decoder.tensors) saved += await savedBits(part.tensor, part.bits);
    return saved;
  }
  if (role !== "weight" || (bits !== 1 && bits !== 2 && bits !== 4 && bits !== 8)) return 0;
  return savedBits(codes, bits);
}

async function savedBits({ ref, bytes }: StoredTensor, bits: number): Promise<number> {
  if (ref === undefined) return 0;
  const symbols = new SymbolCounts(bits);
  for await (const piece of weightPieces(ref)) symbols.add(piece);
  return bytes - Math.min(bytes, Math.ceil(entropyBits(symbols.counts) / 8));
}

/** Bits that a weight takes, of its scheme alone, and as counted. */
function bitsPerWeight(
  { role, stored }: ConstantGroup,
  bytes: number,
  saved: number,
): Pick<LedgerRow, "bitsPerWeight"> {
  const count = sizeOf(stored.shape);
  if (role !== "weight" || count === 0) return {};
  const { bits, decoder } = stored;
  const nominal = (decoder && nominalBits(decoder.scheme)) ?? bits;
  const each = (total: number): number => (8 * total) / count;
  return { bitsPerWeight: { nominal, stored: each(bytes), entropyCoded: each(bytes - saved) } };
}

function isFirst({ ref, bytes }: StoredTensor, places: Set<string>): boolean {
  if (ref?.data.kind !== "range" || bytes === 0) return true;
  const place = `${ref.data.source.name}\0${ref.data.offset}`;
  if (places.has(place)) return false;
  places.add(place);
  return true;
}

/**
 * Bytes left for the structure. A file may hold its integers as varints, shorter than packed: then more than the file has was counted,
 * and it is taken back from the rows of integers.
 */
function settle(rows: LedgerRow[], fileBytes: number): number {
  let left = fileBytes - rows.reduce((sum, row) => sum + row.bytes, 0);
  for (const [i, row] of rows.entries()) {
    if (left >= 0) break;
    if (!/^u?int(32|64)$/.test(row.scheme)) continue;
    const less = Math.min(row.bytes, -left);
    const entropyCodedBytes = Math.max(0, row.entropyCodedBytes - less);
    rows[i] = { ...row, bytes: row.bytes - less, floatBytes: Math.max(0, row.floatBytes - less), entropyCodedBytes };
    left += less;
  }
  return left;
}
