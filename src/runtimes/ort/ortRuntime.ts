/** What the two adapters of ONNX Runtime share: hosts that are kept, limits, sessions. */
import { interruption, throwIfAborted } from "#base/interrupt";
import type { Session, SessionOptions } from "#model/session";
import type { Host } from "#runtimes/ort/host";
import { HostPool } from "#runtimes/ort/hostPool";
import { defaultMemoryBytes, ortOptions } from "#runtimes/ort/ortOptions";
import { type Opening, openSession, type OrtSession, type OrtSessionClass } from "#runtimes/ort/ortSession";
import type { RunnableModel, Runtime } from "#runtimes/types";

/** Milliseconds one load or one run may take when the caller does not say. */
const defaultTimeoutMs = 60_000;

/** Where an ONNX Runtime lives. `Settings` are what must be fixed before it is loaded. */
export interface Adapter<Settings, H extends Host, S extends OrtSession> {
  readonly name: string;
  readonly provider: "cpu" | "wasm";
  readonly Session: OrtSessionClass<S>;
  settings(options: SessionOptions, memoryBytes: number): Settings;
  start(settings: Settings): Promise<H>;
  /** The model as this host opens it: a path or the bytes. */
  model(file: RunnableModel, host: H): Promise<string | Uint8Array>;
  /** Removes what `model` left behind. */
  forget(host: H): Promise<void>;
}

export interface OrtRuntime<S extends Session> extends Runtime {
  open(file: RunnableModel, options?: SessionOptions): Promise<S>;
  /** Ends the processes or workers that wait for the next session; open sessions go on. They also end with the program. */
  shutdown(): Promise<void>;
}

export function ortRuntime<Settings, H extends Host, S extends OrtSession>(
  adapter: Adapter<Settings, H, S>,
): OrtRuntime<S> {
  const { name } = adapter;
  const pool = new HostPool<Settings, H>((settings) => adapter.start(settings));
  const availability = () => pool.availability(adapter.settings({}, defaultMemoryBytes()));

  return {
    name,
    async version() {
      const found = await availability();
      return "version" in found ? found.version : undefined;
    },
    async why() {
      const found = await availability();
      return "why" in found ? found.why : undefined;
    },
    async open(file, options = {}) {
      const { signal } = options;
      throwIfAborted(signal);
      const memoryBytes = options.memoryBytes ?? defaultMemoryBytes(file.model);
      const settings = adapter.settings(options, memoryBytes);
      const host = await pool.take(settings);
      const stop = (): void => void (signal && host.kill(interruption(signal)));
      signal?.addEventListener("abort", stop);
      if (signal?.aborted === true) stop(); // while the host was starting
      const opening: Opening = {
        name,
        host,
        file: file.model.origin?.name ?? "the model",
        timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
        release: async (bytes) => {
          signal?.removeEventListener("abort", stop);
          await adapter.forget(host);
          await pool.give(settings, host, bytes);
        },
      };
      return openSession(adapter.Session, opening, async () => ({
        op: "open",
        model: await adapter.model(file, host),
        options: ortOptions(options, adapter.provider),
        memoryBytes,
      }));
    },
    shutdown: () => pool.clear(),
  };
}
