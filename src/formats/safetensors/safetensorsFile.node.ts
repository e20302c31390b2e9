/** Tensors as safetensors files: one, or several beside the index that names them. */
import { basename, dirname, join } from "node:path";
import { atomicWrite } from "#base/atomicWrite";
import { modelFolders, openCompanionFile } from "#base/companionFile.node";
import type { Diagnostic } from "#base/errors";
import { type FileSource, openFileSource } from "#base/fileSource.node";
import type { FsPort } from "#base/fileSystem";
import { nodeFileSystem } from "#base/fileSystem.node";
import type { Limits } from "#base/limits";
import type { JobOptions } from "#base/progress";
import { readSafetensors } from "#formats/safetensors/readSafetensors";
import { divideIntoShards, readShards } from "#formats/safetensors/shardIndex";
import { prepareSafetensors, writePrepared } from "#formats/safetensors/writeSafetensors";
import type { TensorFile } from "#model/tensorFile";

export interface OpenedTensorFile {
  readonly file: TensorFile;
  /** All files it is made of, the one that was named first. */
  readonly paths: readonly string[];
  /** Of all of them. */
  readonly bytes: number;
  readonly diagnostics: readonly Diagnostic[];
  /** Tensors cannot be read after this. */
  readonly close: () => Promise<void>;
}

/** Opens a safetensors file, or a sharded model by its index (`*.json`). Throws as `readHeader` and `readShards` do, and `io/*`. */
export async function openSafetensorsFile(path: string, limits?: Limits): Promise<OpenedTensorFile> {
  const opened: FileSource[] = [];
  const close = async (): Promise<void> => {
    for (const source of opened.splice(0)) await source.close();
  };
  try {
    const source = await openFileSource(path);
    opened.push(source);
    const sharded = /\.json$/i.test(path);
    const folders = sharded ? await modelFolders(path, source) : [];
    const open = async (location: string): Promise<FileSource> => {
      const shard = await openCompanionFile(location, folders, "safetensors/shard");
      opened.push(shard);
      return shard;
    };
    const { file, diagnostics } = sharded
      ? await readShards(source, open, limits)
      : { file: await readSafetensors(source, limits), diagnostics: [] };
    const paths = opened.map(({ name }) => name);
    const bytes = opened.reduce((sum, { size }) => sum + size, 0);
    return { file, paths, bytes, diagnostics, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export interface SaveSafetensorsOptions extends JobOptions {
  /** Divides the tensors among files of at most so many bytes of data, with an index beside them. Default: one file. */
  readonly shardBytes?: number;
  /** Default: the real one. */
  readonly fileSystem?: FsPort;
}

/** Saves tensors so that either all files are there or nothing has changed (`atomicWrite`). Returns their paths, the index last. */
export async function saveSafetensorsFile(
  file: Pick<TensorFile, "metadata" | "tensors">,
  path: string,
  { shardBytes = Number.POSITIVE_INFINITY, fileSystem = nodeFileSystem, ...job }: SaveSafetensorsOptions = {},
): Promise<readonly string[]> {
  const directory = dirname(path);
  const { shards, index } = divideIntoShards(file.tensors, basename(path), shardBytes);
  const prepared = shards.map(({ tensors }) => prepareSafetensors({ metadata: file.metadata, tensors }));
  const names = [...shards.map(({ name }) => name), ...(index === undefined ? [] : [index.name])];
  await atomicWrite(fileSystem, directory, names, async (sinks) => {
    for (const [i, each] of prepared.entries()) await writePrepared(each, sinks[i], job);
    if (index !== undefined) await sinks[shards.length].write(new TextEncoder().encode(index.text));
  });
  return names.map((name) => join(directory, name));
}
