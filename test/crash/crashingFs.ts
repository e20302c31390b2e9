/**
 * A file system in memory that dies at a chosen operation, and tells what a disk could hold afterwards.
 *
 * It forgets as a real one may: content not synced is lost or kept, and any subset of the directory changes since the last sync of
 * the directory is undone. That is more than any one journal does, and what a portable program has to survive.
 */
import type { FsPort, WritableFile } from "#base/fileSystem";

export type Disk = ReadonlyMap<string, Uint8Array>;

/** How the machine dies: the process alone, the process inside a write, or the power. */
export type CrashMode = "kill" | "torn" | "power";
export const crashModes: readonly CrashMode[] = ["kill", "torn", "power"];

export class Crash extends Error {}

interface Inode {
  content: Uint8Array;
  synced: Uint8Array;
}

type Change = readonly (readonly [path: string, inode: Inode | undefined])[];

export class CrashingFs implements FsPort {
  readonly owner: string;
  operations = 0;
  readonly #crashAt: number;
  readonly #mode: CrashMode;
  readonly #now: Map<string, Inode>;
  readonly #durable: Map<string, Inode>;
  #pending: Change[] = [];
  /** Fails an operation with this error code instead of dying. */
  failure: { readonly at: number; readonly code: string } | undefined;

  constructor(disk: Disk, owner: string, crashAt = Number.POSITIVE_INFINITY, mode: CrashMode = "kill") {
    this.owner = owner;
    this.#crashAt = crashAt;
    this.#mode = mode;
    this.#now = new Map(Array.from(disk, ([path, content]) => [path, { content, synced: content }]));
    this.#durable = new Map(this.#now);
  }

  #step(): void {
    const step = this.operations++;
    if (step >= this.#crashAt) throw new Crash(`died at operation ${step}`);
    if (this.failure?.at === step) throw systemError(this.failure.code);
  }

  #change(...change: Change): void {
    for (const [path, inode] of change) {
      if (inode === undefined) this.#now.delete(path);
      else this.#now.set(path, inode);
    }
    this.#pending.push(change);
  }

  async create(path: string): Promise<WritableFile> {
    this.#step();
    if (this.#now.has(path)) throw systemError("EEXIST");
    const inode: Inode = { content: new Uint8Array(0), synced: new Uint8Array(0) };
    this.#change([path, inode]);
    return {
      write: async (bytes) => {
        const dying = this.operations === this.#crashAt && this.#mode === "torn";
        const half = bytes.subarray(0, Math.ceil(bytes.byteLength / 2));
        if (dying) inode.content = Buffer.concat([inode.content, half]);
        this.#step();
        // the system may take less than it was given
        inode.content = Buffer.concat([inode.content, half]);
        return half.byteLength;
      },
      sync: async () => {
        this.#step();
        inode.synced = inode.content;
      },
      close: async () => this.#step(),
    };
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step();
    const inode = this.#now.get(from);
    if (inode === undefined) throw systemError("ENOENT");
    this.#change([from, undefined], [to, inode]);
  }

  async remove(path: string): Promise<void> {
    this.#step();
    if (!this.#now.has(path)) throw systemError("ENOENT");
    this.#change([path, undefined]);
  }

  async exists(path: string): Promise<boolean> {
    this.#step();
    return this.#now.has(path);
  }

  async list(directory: string): Promise<readonly string[]> {
    this.#step();
    return [...this.#now.keys()]
      .filter((path) => path.startsWith(`${directory}/`))
      .map((path) => path.slice(directory.length + 1));
  }

  async syncDirectory(): Promise<void> {
    this.#step();
    for (const change of this.#pending) apply(this.#durable, change);
    this.#pending = [];
  }

  async isAlive(owner: string): Promise<boolean> {
    return owner === this.owner;
  }

  /** What the disk may hold after the crash: one answer for a killed process, many for a power cut. */
  *disks(): Iterable<Disk> {
    if (this.#mode !== "power") {
      yield new Map(Array.from(this.#now, ([path, inode]) => [path, inode.content]));
      return;
    }
    for (let kept = 0; kept < 2 ** this.#pending.length; kept++) {
      const names = new Map(this.#durable);
      this.#pending.forEach((change, i) => {
        if ((kept >> i) & 1) apply(names, change);
      });
      yield new Map(Array.from(names, ([path, inode]) => [path, inode.synced]));
      yield new Map(Array.from(names, ([path, inode]) => [path, inode.content]));
    }
  }
}

function apply(names: Map<string, Inode>, change: Change): void {
  for (const [path, inode] of change) {
    if (inode === undefined) names.delete(path);
    else names.set(path, inode);
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
