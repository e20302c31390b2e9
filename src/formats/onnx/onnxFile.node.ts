/** ONNX models as files: one, or a model beside the file that holds its weights. */
import { basename, dirname, join } from "node:path";
import { atomicWrite } from "#base/atomicWrite";
import { isHardLinked, modelFolders, openCompanionFile } from "#base/companionFile.node";
import { type Diagnostic, LowbitError } from "#base/errors";
import { type FileSource, openFileSource } from "#base/fileSource.node";
import type { FsPort } from "#base/fileSystem";
import { nodeFileSystem } from "#base/fileSystem.node";
import type { JobOptions } from "#base/progress";
import { type ReadOnnxOptions, readOnnx } from "#formats/onnx/readOnnx";
import { prepareOnnx, type WrittenOnnx, writePrepared } from "#formats/onnx/writeOnnx";
import type { Model } from "#model/model";

export interface OpenOnnxFileOptions extends Omit<ReadOnnxOptions, "external"> {
  /**
   * What to do with a weights file that has a second name in the file system, which no path can tell. "warn" (default) for a user's
   * own command, "refuse" where models come from strangers.
   */
  readonly hardLinks?: "warn" | "refuse";
}

export interface OpenedOnnxFile {
  readonly model: Model;
  readonly diagnostics: readonly Diagnostic[];
  /** Weights cannot be read after this. */
  readonly close: () => Promise<void>;
}

/** Opens a model and the files that hold its weights; they stay open until `close`. Throws as `readOnnx` does, and `io/*`. */
export async function openOnnxFile(path: string, options: OpenOnnxFileOptions = {}): Promise<OpenedOnnxFile> {
  const diagnostics: Diagnostic[] = [];
  const opened: FileSource[] = [];
  const close = async (): Promise<void> => {
    for (const source of opened.splice(0)) await source.close();
  };
  try {
    const source = await openFileSource(path);
    opened.push(source);
    const folders = await modelFolders(path, source);
    const external = async (location: string): Promise<FileSource> => {
      const file = await openCompanionFile(location, folders, "onnx/external-data");
      opened.push(file);
      if (await isHardLinked(file)) {
        const message = `${file.name} has another name elsewhere in the file system`;
        if (options.hardLinks === "refuse")
          throw new LowbitError("onnx/external-data", message, { at: { file: file.name } });
        diagnostics.push({ code: "onnx/hard-link", level: "warning", message, at: { file: file.name } });
      }
      return file;
    };
    return { model: await readOnnx(source, { ...options, external }), diagnostics, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export interface SaveOnnxFileOptions extends JobOptions {
  /** Whether weights go into a second file, `<name>_data`. "auto" (default): when the model would exceed 1.5 GB. */
  readonly externalData?: boolean | "auto";
  /** Default: the real one. */
  readonly fileSystem?: FsPort;
}

/** Above this a protobuf nears the 2 GiB that its parsers can count. */
const autoExternalBytes = 1.5e9;

/**
 * Saves a model, and its weights file if there is one, so that either all is saved or nothing has changed (`atomicWrite`). The path may
 * be that of a file the model was read from. Throws `io/write`, `io/no-space`, `onnx/limit`.
 */
export async function saveOnnxFile(
  model: Model,
  path: string,
  options: SaveOnnxFileOptions = {},
): Promise<WrittenOnnx & { readonly files: readonly string[] }> {
  const { externalData = "auto", fileSystem = nodeFileSystem } = options;
  const directory = dirname(path);
  const name = basename(path);
  const external = { location: `${name}_data` };
  let prepared = prepareOnnx(model, externalData === true ? external : undefined);
  if (externalData === "auto" && prepared.protobuf.length > autoExternalBytes) prepared = prepareOnnx(model, external);
  const names = prepared.external.length > 0 ? [external.location, name] : [name];
  const written = await atomicWrite(fileSystem, directory, names, (sinks) =>
    writePrepared(prepared, sinks[names.length - 1], sinks[0], options),
  );
  return { ...written, files: names.map((file) => join(directory, file)) };
}
