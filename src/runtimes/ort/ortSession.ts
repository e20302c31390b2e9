/** A `Session` whose model lives in a host. */
import { LowbitError, withPlace } from "#base/errors";
import type { IteratingSession, KernelTime, ProfilingSession, Tensors } from "#model/session";
import { elementTypes, type Tensor } from "#model/tensor";
import { checkExchange, checkFeeds, checkFetches, checkKept } from "#runtimes/ort/checkCall";
import type { Host } from "#runtimes/ort/host";
import type { Open, Request, ValueMeta } from "#runtimes/ort/protocol";

export interface Opening {
  /** The runtime's: "ort-node". */
  readonly name: string;
  /** For this session alone until it is released. */
  readonly host: Host;
  /** What errors call the model. */
  readonly file: string;
  readonly timeoutMs: number;
  /** Takes the host back when the session is over, dead or alive. Called once. */
  readonly release: (occupiedBytes: number) => Promise<void>;
}

export type OrtSessionClass<S extends OrtSession> = new (
  opening: Opening,
  inputs: readonly ValueMeta[],
  outputs: readonly ValueMeta[],
) => S;

/** Loads the model into the host. When that fails, the host is released and the error says why. */
export async function openSession<S extends OrtSession>(
  Session: OrtSessionClass<S>,
  opening: Opening,
  request: () => Promise<Open>,
): Promise<S> {
  const { host, file, timeoutMs, release } = opening;
  try {
    const { inputs, outputs } = await host.call(await request(), `loading ${file}`, timeoutMs);
    checkExchange(inputs, "input");
    checkExchange(outputs, "output");
    return new Session(opening, inputs, outputs);
  } catch (error) {
    await release(await closedBytes(host, file));
    throw withPlace(error, { file });
  }
}

/** Frees the model in the host and asks what it still occupies. */
async function closedBytes(host: Host, file: string): Promise<number> {
  if (host.death !== undefined) return 0;
  const { bytes } = await host.call({ op: "close" }, `closing ${file}`, 10_000).catch(() => ({ bytes: 0 }));
  return bytes;
}

export class OrtSession implements IteratingSession {
  readonly runtime: string;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly #opening: Opening;
  readonly #inputs: readonly ValueMeta[];
  #closing: Promise<void> | undefined;
  /** Inputs that the runtime keeps a value for. */
  #kept: ReadonlySet<string> = new Set();

  constructor(opening: Opening, inputs: readonly ValueMeta[], outputs: readonly ValueMeta[]) {
    this.#opening = opening;
    this.#inputs = inputs;
    this.runtime = `${opening.name} ${opening.host.version}`;
    this.inputNames = inputs.map(({ name }) => name);
    this.outputNames = outputs.map(({ name }) => name);
  }

  async run(feeds: Tensors, fetches: readonly string[] = this.outputNames): Promise<Record<string, Tensor>> {
    const checked = this.checked(feeds);
    checkFetches(this.outputNames, fetches);
    if (fetches.length === 0) return {}; // a function without results; ONNX Runtime would refuse
    const results = await this.call({ op: "run", feeds: checked, fetches });
    return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, compact(value)]));
  }

  async step(
    feeds: Tensors,
    carry: Readonly<Record<string, string>>,
    fetches: readonly string[] = this.outputNames.filter((name) => !Object.values(carry).includes(name)),
  ): Promise<Record<string, Tensor>> {
    checkFetches(this.outputNames, [...fetches, ...Object.values(carry)]);
    const results = await this.call({ op: "step", feeds: this.checked(feeds, this.#kept), carry, fetches });
    this.#kept = new Set(Object.keys(carry));
    return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, compact(value)]));
  }

  async carried(inputs: readonly string[]): Promise<Record<string, Tensor>> {
    checkKept(this.#kept, inputs);
    const results = await this.call({ op: "carried", inputs });
    return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, compact(value)]));
  }

  async time(feeds: Tensors, rounds: number): Promise<Float64Array> {
    return new Float64Array(await this.call({ op: "time", feeds: this.checked(feeds), rounds }));
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** `kept`: inputs that need not be fed. */
  protected checked(feeds: Tensors, kept: ReadonlySet<string> = new Set()): Tensors {
    if (this.#closing !== undefined) throw this.#closed();
    checkFeeds(
      this.#inputs.filter(({ name }) => !kept.has(name) || feeds[name] !== undefined),
      feeds,
    );
    return Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, compact(value)]));
  }

  protected async call<Op extends "run" | "step" | "carried" | "time" | "profile">(
    request: Extract<Request, { op: Op }>,
  ) {
    const { host, file, timeoutMs } = this.#opening;
    try {
      return await host.call<Op>(request, `running ${file}`, timeoutMs);
    } catch (error) {
      throw withPlace(error, { file });
    }
  }

  async #close(): Promise<void> {
    const { host, file, release } = this.#opening;
    // a run cannot be stopped in any other way
    if (host.busy) await host.kill(this.#closed());
    await release(await closedBytes(host, file));
  }

  #closed(): LowbitError {
    return new LowbitError("runtime/closed", `the session of ${this.#opening.file} was closed`, {
      hint: "open the model again",
    });
  }
}

/** A session of the native package, which has a profiler. */
export class OrtProfilingSession extends OrtSession implements ProfilingSession {
  async profile(feeds: Tensors, rounds: number): Promise<KernelTime[]> {
    return this.call({ op: "profile", feeds: this.checked(feeds), rounds });
  }
}

/**
 * A tensor that owns its memory. What arrives may be a window into a larger message, shared with other tensors, or of
 * another realm's array class; and what a worker is sent is copied with all of the memory behind it.
 */
function compact(value: Tensor): Tensor {
  const { data } = value;
  const { array } = elementTypes[value.type];
  if (array === undefined || !ArrayBuffer.isView(data)) return value;
  const owns =
    data instanceof array && data.buffer instanceof ArrayBuffer && data.buffer.byteLength === data.byteLength;
  return owns ? value : { ...value, data: new (array as Float32ArrayConstructor)(data as Float32Array) };
}
