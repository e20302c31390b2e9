/**
 * What kernels run on: one memory, the modules compiled so far, and room in that memory through which arrays stream.
 *
 * A kernel works in place on an array that lies in the engine's memory (see `allocate`). Any other array passes through the scratch
 * room tile by tile, so memory is bounded whatever the size of a tensor. Nothing grows: views of the memory stay valid.
 *
 * Modules are assembled and compiled when first used, synchronously: each is smaller than the 4 KB that browsers compile at once on
 * a page's main thread, and takes well under a millisecond.
 */
import { LowbitError } from "#base/errors";
import { assemble, type Func } from "#kernels/assembler/assemble";

/** Numbers that a kernel reads or writes. */
export type Numbers =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

export interface NumbersType<A extends Numbers> {
  new (buffer: ArrayBuffer, offset: number, length: number): A;
  readonly BYTES_PER_ELEMENT: number;
}

/** Functions of a module: numbers in, a number or nothing out. */
export type Exports<N extends string> = Readonly<Record<N, (...numbers: number[]) => number>>;

/** Bytes that pass through scratch at once. As much as stays in a core's second cache with its results. */
const tileBytes = 256 * 1024;

/** Scratch: two tiles and their parameters, and the panels of a matrix product. */
const scratchBytes = 6 * 1024 * 1024;

const page = 65536;
const alignment = 64;

export interface EngineOptions {
  /** Whether modules may hold relaxed instructions. */
  readonly relaxed: boolean;
  /** Room for `allocate`. */
  readonly bytes: number;
}

export class Engine {
  readonly relaxed: boolean;
  /** What arrays lie in. (Not named as WebAssembly.Memory: Node's own types do not know that name.) */
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly #memory: WebAssembly.Memory;
  readonly #modules = new Map<string, { readonly bytes: number; readonly exports: WebAssembly.Exports }>();
  readonly #everything: Uint8Array;
  /** Where scratch ends and what was allocated begins. */
  #allocated = scratchBytes;
  #used = 0;

  constructor({ relaxed, bytes }: EngineOptions) {
    this.relaxed = relaxed;
    const pages = Math.ceil((scratchBytes + bytes) / page);
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.memory = this.#memory;
    this.#everything = new Uint8Array(this.memory.buffer);
  }

  /** Sizes of the modules compiled so far, in bytes, by name. */
  get modules(): ReadonlyMap<string, number> {
    return new Map([...this.#modules].map(([name, { bytes }]) => [name, bytes]));
  }

  /** The functions of a module, which is compiled when its name is first asked for. */
  load<N extends string>(name: string, functions: () => Readonly<Record<N, Func>>): Exports<N> {
    let module = this.#modules.get(name);
    if (module === undefined) {
      const bytes = assemble({}, functions());
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: this.#memory } });
      module = { bytes: bytes.length, exports };
      this.#modules.set(name, module);
    }
    // the assembler exports a function for each name, and functions take and give numbers only
    return module.exports as Exports<N>;
  }

  /** An array inside the memory, zero-filled, for as long as the engine lives: kernels work on it without copies. */
  allocate<A extends Numbers>(type: NumbersType<A>, length: number): A {
    const start = this.#allocated;
    const end = start + length * type.BYTES_PER_ELEMENT;
    if (end > this.#everything.length)
      throw new LowbitError(
        "limit/memory",
        `kernels have ${this.#everything.length - start} bytes left of their memory`,
        {
          hint: "create them with more bytes",
        },
      );
    this.#allocated = Math.ceil(end / alignment) * alignment;
    return new type(this.memory.buffer, start, length);
  }

  /** Elements to work on at once: all of them where every array lies in memory, else as many as a tile holds. */
  tile(...arrays: readonly Numbers[]): number {
    if (arrays.every((array) => array.buffer === this.memory.buffer)) return Number.MAX_SAFE_INTEGER;
    return tileBytes / arrays.reduce((most, array) => Math.max(most, array.BYTES_PER_ELEMENT), 1);
  }

  /** Forgets what lies in scratch; from a mark on, where one is given. */
  clear(mark = 0): void {
    this.#used = mark;
  }

  /** Where scratch is used up to, for `clear`. */
  mark(): number {
    return this.#used;
  }

  /** Address of `bytes` bytes of scratch, of any content. */
  room(bytes: number): number {
    const at = this.#used;
    this.#used = Math.ceil((at + bytes) / alignment) * alignment;
    if (this.#used > scratchBytes)
      throw new RangeError(`${this.#used} bytes do not fit into ${scratchBytes} of scratch`);
    return at;
  }

  /** An array in scratch, of any content. */
  roomFor<A extends Numbers>(type: NumbersType<A>, length: number): A {
    return new type(this.memory.buffer, this.room(length * type.BYTES_PER_ELEMENT), length);
  }

  /** Address of an array's numbers: its own where it lies in memory, else that of a copy in scratch. */
  enter(array: Numbers): number {
    if (array.buffer === this.memory.buffer) return array.byteOffset;
    const at = this.room(array.byteLength);
    this.#everything.set(bytesOf(array), at);
    return at;
  }

  /** Address where an array's numbers are to be written: its own where it lies in memory, else one in scratch. */
  target(array: Numbers): number {
    return array.buffer === this.memory.buffer ? array.byteOffset : this.room(array.byteLength);
  }

  /** Brings what was written at `target`'s address into the array. */
  leave(array: Numbers, at: number): void {
    if (array.buffer !== this.memory.buffer) bytesOf(array).set(this.#everything.subarray(at, at + array.byteLength));
  }
}

function bytesOf(array: Numbers): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
