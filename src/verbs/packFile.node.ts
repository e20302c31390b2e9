/** `lowbit pack` and `unpack`: a model and its weights files as one small file, and back, byte for byte. */
import { mkdir } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { atomicWrite } from "#base/atomicWrite";
import type { ByteSource } from "#base/bytes";
import { LowbitError } from "#base/errors";
import { openFileSource } from "#base/fileSource.node";
import { nodeFileSystem } from "#base/fileSystem.node";
import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
import { type FileToPack, listPacked, pack, type Segment, unpack } from "#formats/lbz/container";
import type { Coder } from "#formats/lbz/symbols";
import { openOnnxFile } from "#formats/onnx/onnxFile.node";
import { subgraphs } from "#model/attributes";
import type { Graph, Model, TensorRef } from "#model/model";
import { checkOutputs } from "#verbs/outputPath.node";

export interface PackedFiles {
  readonly output: string;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly inputBytes: number;
  readonly outputBytes: number;
}

export interface PackFileOptions extends JobOptions {
  /** What may compress. Default: whatever is shortest. */
  readonly coders?: readonly Coder[];
}

/** Tensors of fewer bytes are packed with what stands around them: to name them costs more than it saves. */
const smallestSegment = 256;

/** Packs a model (with its weights files), or any other file. Throws io/* and, for a damaged model, onnx/*. */
export async function packFile(path: string, output: string, options: PackFileOptions = {}): Promise<PackedFiles> {
  await checkOutputs({ write: [[output, "--output"]], read: [path] });
  const opened: (() => Promise<void>)[] = [];
  try {
    const files = /\.onnx$/i.test(path) ? await modelFiles(path, opened) : [await wholeFile(path, opened)];
    const { signal, onProgress } = options;
    const packing = {
      ...(options.coders === undefined ? {} : { coders: options.coders }),
      onProgress: (done: number, total: number) => {
        throwIfAborted(signal);
        onProgress?.({ stage: "pack", ...inMegabytes(done, total) });
      },
    };
    const [folder, name] = split(output);
    const outputBytes = await atomicWrite(nodeFileSystem, folder, [name], ([sink]) => pack(files, sink, packing));
    const list = files.map(({ name: as, source }) => ({ name: as, bytes: source.size }));
    return { output, files: list, inputBytes: list.reduce((sum, { bytes }) => sum + bytes, 0), outputBytes };
  } finally {
    for (const close of opened) await close();
  }
}

/**
 * Unpacks into `output`: the path of the model, whose weights files keep their names beside it. Default: the packed names beside the
 * packed file. Throws lbz/malformed and io/*; nothing is written then.
 */
export async function unpackFile(
  path: string,
  { output, signal, onProgress }: JobOptions & { readonly output?: string } = {},
): Promise<PackedFiles> {
  const source = await openFileSource(path);
  try {
    const files = await listPacked(source);
    const [folder, name] = output === undefined ? [dirname(resolve(path)), files[0].name] : split(output);
    const names = [name, ...files.slice(1).map((file) => file.name)];
    for (const each of names) await mkdir(dirname(join(folder, each)), { recursive: true });
    await checkOutputs({ write: names.map((each) => [join(folder, each), "--output"] as const), read: [path] });
    // the model last: it refers to the others
    const order = [...names.slice(1), names[0]];
    await atomicWrite(nodeFileSystem, folder, order, (sinks) => {
      const sinkOf = new Map(files.map((file, i) => [file.name, sinks[order.indexOf(names[i])]]));
      return unpack(
        source,
        async (each) => {
          const sink = sinkOf.get(each);
          if (sink === undefined) throw new LowbitError("io/changed", `${path} has changed`, { at: { file: path } });
          return sink;
        },
        {
          onProgress: (done, total) => {
            throwIfAborted(signal);
            onProgress?.({ stage: "unpack", ...inMegabytes(done, total) });
          },
        },
      );
    });
    const list = files.map(({ bytes }, i) => ({ name: names[i], bytes }));
    const outputBytes = list.reduce((sum, { bytes }) => sum + bytes, 0);
    return { output: join(folder, name), files: list, inputBytes: source.size, outputBytes };
  } finally {
    await source.close();
  }
}

async function wholeFile(path: string, opened: (() => Promise<void>)[]): Promise<FileToPack> {
  const source = await openFileSource(path);
  opened.push(() => source.close());
  return { name: split(path)[1], source, segments: [] };
}

/** The model's file, and those its weights lie in, each with where tensors are. */
async function modelFiles(path: string, opened: (() => Promise<void>)[]): Promise<FileToPack[]> {
  const { model, close } = await openOnnxFile(path);
  opened.push(close);
  const file = await wholeFile(path, opened);
  const segments = new Map<ByteSource, Segment[]>();
  for (const { data } of tensorsOf(model)) {
    if (data.kind !== "range" || data.length < smallestSegment) continue;
    const list = segments.get(data.source) ?? [];
    list.push({ offset: data.offset, length: data.length });
    segments.set(data.source, list);
  }
  const own: Segment[] = [];
  const others = new Map<string, FileToPack>();
  for (const [source, list] of segments) {
    const name = relative(dirname(resolve(path)), resolve(source.name)).replaceAll("\\", "/");
    if (name === file.name) own.push(...list);
    else others.set(name, { name, source, segments: [...(others.get(name)?.segments ?? []), ...list] });
  }
  return [{ ...file, segments: own }, ...others.values()];
}

function tensorsOf({ graph, functions }: Model): TensorRef[] {
  const found: TensorRef[] = [];
  const visit = (part: Pick<Graph, "nodes"> & Partial<Pick<Graph, "initializers">>): void => {
    found.push(...(part.initializers?.values() ?? []));
    for (const node of part.nodes) {
      for (const attribute of node.attributes.values()) if (attribute.kind === "tensor") found.push(attribute.value);
      for (const inner of subgraphs(node)) visit(inner);
    }
  };
  visit(graph);
  for (const definition of functions) visit(definition);
  return found;
}

function split(path: string): [folder: string, name: string] {
  const whole = resolve(path);
  const folder = dirname(whole);
  return [folder, relative(folder, whole)];
}

function inMegabytes(done: number, total: number): { readonly done: number; readonly total: number } {
  return { done: Math.floor(done / 1e6), total: Math.max(1, Math.floor(total / 1e6)) };
}
