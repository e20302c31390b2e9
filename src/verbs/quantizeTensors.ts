/**
 * Quantizes the matrices of a file of weights, one tile of rows after another: memory holds a tile, whatever the file's size. What
 * comes out goes to a store, so that its size is known before a file begins.
 */
import type { ByteStore } from "#base/byteStore";
import { type Diagnostic, LowbitError, withPlace } from "#base/errors";
import { throwIfAborted } from "#base/interrupt";
import { defaultLimits, type Limits } from "#base/limits";
import type { JobOptions } from "#base/progress";
import { createRng, type Rng, seedFor } from "#base/rng";
import { storageOfBlocks } from "#formats/gguf/ggmlTypes";
import { codeTensors, description, descriptionKey, parameterTensors } from "#formats/safetensors/quantizedLayout";
import { globMatcher } from "#methods/plan/nodePattern";
import { castTensor, type CastType, isCastType } from "#model/castTensor";
import { type MetadataValue, textValue } from "#model/metadata";
import { isDecodable, isPlainFloat, readFloats } from "#model/readFloats";
import { sizeOf } from "#model/tensor";
import { bytesOf, rangeOf, type StoredTensor, type TensorFile, type TensorFormat } from "#model/tensorFile";
import { dequantize } from "#quant/dequantize";
import { ggmlTypes } from "#quant/ggml/index";
import type { GgmlType } from "#quant/ggml/types";
import type { QTensor } from "#quant/qtensor";
import { quantizeMatrix, tensorScheme, type TensorScheme, unfit } from "#quant/quantizers/index";
import { joinDecodings, rowsAreIndependent } from "#quant/rowTiles";
import type { QuantizedRow } from "#report/tensorReport";

export interface QuantizeTensorsOptions extends JobOptions {
  /** Scheme of the matrices: "int4/group:32", "gguf:q4_k", "float16", … */
  readonly weights: string;
  /** Other schemes for some, by name with `*` for anything; "float" leaves them. The last that matches wins. */
  readonly rules?: readonly { readonly match: string; readonly weights: string }[];
  readonly seed?: number;
  readonly limits?: Limits;
  /** Elements that are quantized at a time, where rows do not depend on one another. Default 128 Ki: half a megabyte stays in a cache. */
  readonly tileElements?: number;
}

export interface QuantizedTensors {
  /** Tensors that were not quantized are those of the input. */
  readonly file: TensorFile;
  readonly rows: readonly QuantizedRow[];
  readonly diagnostics: readonly Diagnostic[];
}

const usualTile = 128 * 1024;
/** A tile has a multiple of so many rows, so that its codes end on a byte at any width. */
const tileRows = 8;

/**
 * Quantizes tensors of two or more dimensions that are floats: as GGUF's blocks for "gguf", as codes beside what decodes them for
 * "safetensors" (docs/files.md). Vectors stay; so does, with a diagnostic, a matrix that the scheme does not fit.
 *
 * Throws `usage/scheme`, `quant/non-finite` with the tensor's name, `plan/already-quantized`, `plan/nothing-to-quantize`, `limit/memory`.
 */
export async function quantizeTensors(
  file: TensorFile,
  format: Exclude<TensorFormat, "onnx">,
  store: ByteStore,
  options: QuantizeTensorsOptions,
): Promise<QuantizedTensors> {
  const wishes = readWishes(options, format);
  refuseQuantized(file);
  const metadata = new Map<string, MetadataValue>(file.metadata);
  const tensors: StoredTensor[] = [];
  const rows: QuantizedRow[] = [];
  const diagnostics: Diagnostic[] = [];
  const total = file.tensors.reduce((sum, { data }) => sum + data.size, 0);
  let done = 0;
  for (const tensor of file.tensors) {
    throwIfAborted(options.signal);
    const wish = wishes(tensor.name);
    const outcome = await quantizeOne(tensor, wish, { ...options, format, store }).catch((error: unknown) => {
      throw withPlace(error, { tensor: tensor.name });
    });
    tensors.push(...outcome.tensors);
    if (outcome.described !== undefined) metadata.set(descriptionKey(tensor.name), textValue(outcome.described));
    if (outcome.row !== undefined) rows.push(outcome.row);
    if (outcome.diagnostic !== undefined) diagnostics.push(outcome.diagnostic);
    done += tensor.data.size;
    options.onProgress?.({ stage: "quantize", done, total });
  }
  if (rows.length === 0) {
    throw new LowbitError("plan/nothing-to-quantize", `no tensor of ${file.tensors.length} was quantized`, {
      hint: diagnostics[0]?.message ?? "matrices of floats are: lowbit inspect shows what the file holds",
    });
  }
  return { file: { format, metadata, tensors }, rows, diagnostics };
}

/** Codes and scales are numbers too, and must not be taken for weights. */
function refuseQuantized({ tensors, metadata }: TensorFile): void {
  const ours = [...metadata.keys()].find((key) => key.startsWith(descriptionKey("")));
  const theirs = tensors.find(({ name }) => /(weight_packed|qweight)$/.test(name))?.name;
  const name = ours?.slice(descriptionKey("").length) ?? theirs;
  if (name !== undefined)
    throw new LowbitError("plan/already-quantized", `${name} is quantized already`, { at: { tensor: name } });
}

type Wish =
  | { readonly kind: "float" }
  | { readonly kind: "cast"; readonly to: CastType }
  | { readonly kind: "scheme"; readonly scheme: TensorScheme };

/** Names of ggml for what any format has. */
const plainBlocks: Readonly<Record<string, CastType>> = {
  "gguf:f32": "float32",
  "gguf:f16": "float16",
  "gguf:bf16": "bfloat16",
};

function readWishes({ weights, rules = [] }: QuantizeTensorsOptions, format: TensorFormat): (name: string) => Wish {
  const base = readWish(weights, format);
  const read = rules.map((rule) => ({ matches: globMatcher(rule.match), wish: readWish(rule.weights, format) }));
  return (name) => read.findLast(({ matches }) => matches(name))?.wish ?? base;
}

function readWish(text: string, format: TensorFormat): Wish {
  const plain: string = plainBlocks[text.trim().toLowerCase()] ?? text.trim();
  if (plain === "float") return { kind: "float" };
  if (isCastType(plain)) return { kind: "cast", to: plain };
  const scheme = tensorScheme(text);
  if (format === "gguf") {
    const types = Object.entries<GgmlType>(ggmlTypes).filter(([, { internal }]) => internal !== true);
    const words = types.map(([name]) => `gguf:${name}`);
    if (!words.includes(scheme.text))
      throw new LowbitError("usage/scheme", `a GGUF file cannot hold ${scheme.text}`, {
        hint: `it can hold ${words.join(", ")}`,
      });
  }
  return { kind: "scheme", scheme };
}

interface Task extends QuantizeTensorsOptions {
  readonly format: TensorFormat;
  readonly store: ByteStore;
}

interface Outcome {
  readonly tensors: readonly StoredTensor[];
  readonly described?: string;
  readonly row?: QuantizedRow;
  readonly diagnostic?: Diagnostic;
}

async function quantizeOne(tensor: StoredTensor, wish: Wish, task: Task): Promise<Outcome> {
  const { name, shape, type } = tensor;
  if (wish.kind === "float" || shape.length < 2 || sizeOf(shape) === 0) return { tensors: [tensor] };
  if (!isPlainFloat(type)) {
    if (!isDecodable(type)) return { tensors: [tensor] };
    throw new LowbitError("plan/already-quantized", `${name} is ${type.name} already`, { at: { tensor: name } });
  }
  if (wish.kind === "cast") {
    if (type.element === wish.to) return { tensors: [tensor] };
    const cast = castTensor(tensor, wish.to);
    return { tensors: [cast], row: rowOf(tensor, wish.to, bytesOf(cast.type, shape), null) };
  }
  const matrix = matrixOf(shape, task.format);
  const why = unfit(wish.scheme, matrix.rows, matrix.columns);
  if (why !== undefined) return stays(tensor, why);
  try {
    return await (task.format === "gguf" ? toBlocks : toCodes)(tensor, matrix, wish.scheme, task);
  } catch (error) {
    // numbers that the scheme has no scale for, such as those of an attention mask
    if (error instanceof LowbitError && (error.code === "quant/scheme" || error.code === "quant/range"))
      return stays(tensor, error.message);
    throw error;
  }
}

function stays(tensor: StoredTensor, why: string): Outcome {
  const message = `${tensor.name} stays ${tensor.type.name}: ${why}`;
  const diagnostic = { code: "quant/unfit", level: "warning", message, at: { tensor: tensor.name } } as const;
  return { tensors: [tensor], diagnostic };
}

function rowOf(
  { name, shape, type }: StoredTensor,
  scheme: string,
  bytes: number,
  sqnrDb: number | null,
): QuantizedRow {
  return { name, shape, from: type.name, scheme, fromBytes: bytesOf(type, shape), bytes, sqnrDb };
}

interface MatrixSize {
  readonly rows: number;
  readonly columns: number;
}

/** Rows are the first dimension; of GGUF, whose blocks lie within the last one, all others together. */
function matrixOf(shape: readonly number[], format: TensorFormat): MatrixSize {
  const rows = format === "gguf" ? sizeOf(shape.slice(0, -1)) : shape[0];
  return { rows, columns: sizeOf(shape) / rows };
}

async function toBlocks(tensor: StoredTensor, size: MatrixSize, scheme: TensorScheme, task: Task): Promise<Outcome> {
  const { store } = task;
  const start = store.size;
  const quality = new Quality();
  let decoding: QTensor["decoding"] | undefined;
  for await (const { q, x } of tiles(tensor, size, scheme, task)) {
    await store.write(new Uint8Array(q.codes.buffer, q.codes.byteOffset, q.codes.byteLength));
    quality.add(x, q);
    decoding = q.decoding;
  }
  if (decoding?.kind !== "ggml") throw new TypeError(`${scheme.text} gives no blocks`);
  const data = rangeOf(store, start, store.size - start);
  const blocks = { ...tensor, type: storageOfBlocks(decoding.type), data };
  return { tensors: [blocks], row: rowOf(tensor, scheme.text, data.size, quality.decibels()) };
}

async function toCodes(tensor: StoredTensor, size: MatrixSize, scheme: TensorScheme, task: Task): Promise<Outcome> {
  const { store } = task;
  const { name, shape } = tensor;
  const rest = shape.slice(1);
  const quality = new Quality();
  const parts: QTensor[] = [];
  const stored: StoredTensor[] = [];
  let start = store.size;
  for await (const { q, x } of tiles(tensor, size, scheme, task)) {
    const codes = codeTensors(q, rest);
    for (const [i, { suffix, type, shape: tile, bytes }] of codes.entries()) {
      // several code tensors come of one tile, several tiles make one
      if (i > 0) start = store.size;
      await store.write(bytes);
      const data = rangeOf(store, start, store.size - start);
      stored[i] = { name: name + suffix, type, shape: [size.rows, ...tile.slice(1)], data };
    }
    quality.add(x, q);
    parts.push({ ...q, codes: none });
  }
  const [first] = parts;
  const joined = { ...first, ...size, decoding: joinDecodings(parts.map(({ decoding }) => decoding)) };
  for (const { suffix, type, shape: dims, bytes } of parameterTensors(joined, shape)) {
    const at = store.size;
    await store.write(bytes);
    stored.push({ name: name + suffix, type, shape: dims, data: rangeOf(store, at, bytes.byteLength) });
  }
  const bytes = stored.reduce((sum, { data }) => sum + data.size, 0);
  return {
    tensors: stored,
    described: description(joined, shape),
    row: rowOf(tensor, scheme.text, bytes, quality.decibels()),
  };
}

const none = new Uint8Array(0);

interface Tile {
  readonly q: QTensor;
  readonly x: Float32Array;
}

/** The matrix in tiles of whole rows where its rows do not depend on one another, which the first tile shows; else whole. */
async function* tiles(tensor: StoredTensor, size: MatrixSize, scheme: TensorScheme, task: Task): AsyncIterable<Tile> {
  const { rows, columns } = size;
  const { seed = 0, limits = defaultLimits, tileElements = usualTile, signal } = task;
  const draw = (): Rng => createRng(seedFor(seed, tensor.name));
  const read = async (first: number, count: number, rng: Rng): Promise<Tile> => {
    throwIfAborted(signal);
    const bytes = count * columns * 4;
    if (bytes > limits.tensorBytes)
      throw new LowbitError("limit/memory", `${bytes} bytes of ${tensor.name} would have to be in memory at once`, {
        at: { tensor: tensor.name },
        hint: "use a scheme whose rows share nothing, with /channel or /group, or raise tensorBytes",
      });
    const x = await readFloats(tensor, first * columns, count * columns);
    return { q: quantizeMatrix({ values: x, rows: count, columns }, scheme, { rng }), x };
  };
  const step = Math.max(1, Math.floor(tileElements / columns / tileRows)) * tileRows;
  if (step >= rows) {
    yield await read(0, rows, draw());
    return;
  }
  const rng = draw();
  const first = await read(0, step, rng);
  if (!rowsAreIndependent(first.q)) {
    yield await read(0, rows, draw());
    return;
  }
  yield first;
  for (let at = step; at < rows; at += step) yield await read(at, Math.min(step, rows - at), rng);
}

/** Signal to noise of all tiles together. */
class Quality {
  #signal = 0;
  #noise = 0;

  add(x: Float32Array, q: QTensor): void {
    const decoded = dequantize(q);
    let signal = 0;
    let noise = 0;
    for (let i = 0; i < x.length; i++) {
      const v = x[i];
      const error = v - decoded[i];
      signal += v * v;
      noise += error * error;
    }
    this.#signal += signal;
    this.#noise += noise;
  }

  /** Null where nothing was lost, or there was nothing. */
  decibels(): number | null {
    return this.#noise === 0 ? null : 10 * Math.log10(this.#signal / this.#noise);
  }
}
