/**
 * The native ONNX Runtime (npm: onnxruntime-node), each session in a child process with limits on time and memory: its
 * `run` blocks the thread, a crash takes the process, and an 89-byte model can ask for gigabytes (reliability.md §1.6).
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Host } from "#runtimes/ort/host";
import { type OrtRuntime, ortRuntime } from "#runtimes/ort/ortRuntime";
import { OrtProfilingSession } from "#runtimes/ort/ortSession";
import { childWire } from "#runtimes/ortNode/childWire.node";
import { createScratch, type Scratch } from "#runtimes/scratch.node";
import type { ProfilingSession } from "#model/session";
import type { RunnableModel } from "#runtimes/types";

/** Its postinstall script downloads GPU libraries and fails offline; without scripts the CPU library is complete. */
const install = "npm install --ignore-scripts onnxruntime-node@1.30.0";

/** A child process and the directory it works in. */
class Child extends Host {
  readonly folder: string;

  constructor(program: URL, scratch: Scratch) {
    super(childWire(program, scratch.path), () => scratch.remove());
    this.folder = join(scratch.path, "model");
  }
}

/** `program` is what the children run; tests put misbehaving ones here. */
export function createOrtNode(program = new URL("./child.js", import.meta.url)): OrtRuntime<ProfilingSession> {
  return ortRuntime<null, Child, OrtProfilingSession>({
    name: "ort-node",
    provider: "cpu",
    Session: OrtProfilingSession,
    settings: () => null,
    start: async () => new Child(program, await createScratch()).start({}, install),
    async model(file, { folder }) {
      await mkdir(folder);
      return modelFile(file, folder);
    },
    forget: ({ folder }) => rm(folder, { recursive: true, force: true }),
  });
}

/** Always a file: whatever its size, nothing goes through the pipe, and external data is found beside it and nowhere else. */
async function modelFile(file: RunnableModel, folder: string): Promise<string> {
  if (file.path !== undefined) return file.path(folder);
  const path = join(folder, "model.onnx");
  await writeFile(path, await file.bytes());
  return path;
}

export const ortNode: OrtRuntime<ProfilingSession> = createOrtNode();
