import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, stat } from "node:fs/promises";
import { cpus, homedir } from "node:os";
import { join } from "node:path";
import { atomicWrite } from "#base/atomicWrite";
import type { FsPort } from "#base/fileSystem";
import { nodeFileSystem } from "#base/fileSystem.node";
import { onnxBytes } from "#formats/onnx/index";
import { saveOnnxFile } from "#formats/onnx/onnxFile.node";
import type { Model } from "#model/model";
import type { RunnableModel } from "#runtimes/types";
import { nodeRuntimes } from "#runtimes/runtimes.node";
import { createScratch } from "#runtimes/scratch.node";
import { type CostStore, costsFromJson, costsToJson } from "#targets/hostCosts";
import type { Candidate, Environment } from "#verbs/environment";
import { tool } from "#verbs/version";

/** A candidate that lies in files. */
export interface FileCandidate extends Candidate {
  /** The model file, and its weights file where there is one. */
  readonly files: readonly string[];
}

export interface NodeEnvironment extends Environment<FileCandidate> {
  /** Where outputs are published. */
  readonly fileSystem: FsPort;
}

/** Scratch files need not survive a power cut, and forcing them to disk costs more than writing them. */
const scratchFileSystem: FsPort = {
  ...nodeFileSystem,
  async create(path) {
    return { ...(await nodeFileSystem.create(path)), sync: async () => {} };
  },
  async syncDirectory() {},
};

const modelName = "model.onnx";

/** What Node has: files, the native runtime where it is installed, and a cost table in the user's cache folder. */
export function createNodeEnvironment(cacheFolder = defaultCacheFolder()): NodeEnvironment {
  return {
    runtimes: nodeRuntimes,
    runnable: (model) => inScratch(model),
    async materialize(model, { fileName = modelName, externalData = "auto" } = {}) {
      const scratch = await createScratch();
      try {
        const options = { fileSystem: scratchFileSystem, externalData };
        const { files } = await saveOnnxFile(model, join(scratch.path, fileName), options);
        const path = files[files.length - 1];
        const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
        return {
          files,
          bytes: sizes.reduce((sum, size) => sum + size, 0),
          sha256: await sha256File(path),
          runnable: { model, bytes: () => onnxBytes(model), path: async () => path },
          dispose: () => scratch.remove(),
        };
      } catch (error) {
        await scratch.remove();
        throw error;
      }
    },
    fileSystem: nodeFileSystem,
    costs: fileStore(cacheFolder),
    processor: cpus()[0]?.model ?? "unknown",
    tool,
    now: () => performance.now(),
  };
}

function inScratch(model: Model): RunnableModel {
  return {
    model,
    bytes: () => onnxBytes(model),
    async path(directory) {
      const { files } = await saveOnnxFile(model, join(directory, modelName), { fileSystem: scratchFileSystem });
      return files[files.length - 1];
    },
  };
}

/** SHA-256 of a file, in hex, read as a stream. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** $XDG_CACHE_HOME/lowbit, or ~/.cache/lowbit; LOWBIT_CACHE overrides both. */
function defaultCacheFolder(): string {
  const { LOWBIT_CACHE: own, XDG_CACHE_HOME: shared } = process.env;
  return own || join(shared || join(homedir(), ".cache"), "lowbit");
}

/** One JSON file a host. A cache that cannot be written is no reason to stop: what it would hold is measured again. */
export function fileStore(folder: string): CostStore {
  const fileOf = (host: string): string => `costs-${host.toLowerCase().replace(/[^a-z0-9.]+/g, "-")}.json`;
  return {
    async load(host) {
      const text = await readFile(join(folder, fileOf(host)), "utf8").catch(() => undefined);
      const costs = text === undefined ? undefined : costsFromJson(text);
      return costs?.host === host ? costs : undefined;
    },
    async save(costs) {
      try {
        await mkdir(folder, { recursive: true });
        await atomicWrite(nodeFileSystem, folder, [fileOf(costs.host)], ([sink]) =>
          sink.write(new TextEncoder().encode(costsToJson(costs))),
        );
      } catch {
        // read-only home, full disk: the table is only a memory of measurements
      }
    },
  };
}
