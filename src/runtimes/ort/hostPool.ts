/**
 * Starting a process or a WebAssembly module takes 100 to 400 ms, loading a small model 2 ms: hosts are kept for the next
 * session. One session has one host at a time, so limits and crashes stay its own.
 */
import { LowbitError } from "#base/errors";
import type { Host } from "#runtimes/ort/host";

/** Sessions one host serves; memory grows over many loads and releases (stack.md P10). */
const sessionsPerHost = 16;
/** A host that still occupies this much after its session is not kept. */
const keptBytes = 512 * 2 ** 20;
const keptHosts = 2;
const keptMs = 30_000;

interface Kept<H> {
  readonly host: H;
  readonly key: string;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** `Settings` are what a host cannot change once it has started; hosts with equal settings replace one another. */
export class HostPool<Settings, H extends Host = Host> {
  readonly #start: (settings: Settings) => Promise<H>;
  readonly #served = new WeakMap<H, number>();
  #kept: Kept<H>[] = [];
  #version: string | undefined;

  constructor(start: (settings: Settings) => Promise<H>) {
    this.#start = start;
  }

  /** Whether hosts can be started at all: the runtime's version, or why not. */
  async availability(settings: Settings): Promise<{ version: string } | { why: string }> {
    try {
      if (this.#version === undefined) {
        const host = await this.take(settings);
        this.#version = host.version;
        await this.give(settings, host, 0);
      }
      return { version: this.#version };
    } catch (error) {
      if (error instanceof LowbitError) return { why: `${error.message} (${error.hint})` };
      throw error;
    }
  }

  async take(settings: Settings): Promise<H> {
    const key = JSON.stringify(settings);
    const found = this.#kept.find((kept) => kept.key === key && kept.host.death === undefined);
    if (found === undefined) return this.#start(settings);
    this.#drop(found);
    return found.host;
  }

  /** Takes a host back that occupies `bytes`, to keep it or to end it. Resolves when there is nothing left to clean up. */
  async give(settings: Settings, host: H, bytes: number): Promise<void> {
    if (host.death !== undefined) return host.ended;
    const served = (this.#served.get(host) ?? 0) + 1;
    this.#served.set(host, served);
    if (served >= sessionsPerHost || bytes > keptBytes) return host.kill(retired);
    const kept: Kept<H> = {
      host,
      key: JSON.stringify(settings),
      timer: setTimeout(() => void this.#end(kept), keptMs),
    };
    // in Node, not a reason to stay alive
    (kept.timer as { unref?: () => void }).unref?.();
    this.#kept.push(kept);
    while (this.#kept.length > keptHosts) await this.#end(this.#kept[0]);
  }

  /** Ends all hosts that wait for work. */
  async clear(): Promise<void> {
    await Promise.all(this.#kept.map((kept) => this.#end(kept)));
  }

  async #end(kept: Kept<H>): Promise<void> {
    this.#drop(kept);
    await kept.host.kill(retired);
  }

  #drop(kept: Kept<H>): void {
    clearTimeout(kept.timer);
    this.#kept = this.#kept.filter((other) => other !== kept);
  }
}

const retired = new LowbitError("runtime/closed", "this host of ONNX Runtime has done its work");
