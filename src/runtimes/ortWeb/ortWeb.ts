/**
 * ONNX Runtime as WebAssembly (npm: onnxruntime-web): in a worker of the browser or of Node, one thread unless told
 * otherwise, inside the 4 GiB that WebAssembly can address.
 */
import { type Connect, Host } from "#runtimes/ort/host";
import { type OrtRuntime, ortRuntime } from "#runtimes/ort/ortRuntime";
import { OrtSession } from "#runtimes/ort/ortSession";
import type { Start } from "#runtimes/ort/protocol";
import type { Session } from "#model/session";

export interface OrtWebOptions {
  /** Folder or URL of `ort-wasm-simd-threaded.wasm`; default: where the bundler or the package put it. */
  readonly wasmPaths?: string;
}

const hint = "npm install onnxruntime-web@1.30.0, and see that its .wasm file is served";
const pageBytes = 65_536;

/** `connect` starts ort/worker.js in a worker of this platform. */
export function createOrtWeb(connect: Connect, options: OrtWebOptions = {}): OrtRuntime<Session> {
  return ortRuntime<Omit<Start, "op">, Host, OrtSession>({
    name: "ort-web",
    provider: "wasm",
    Session: OrtSession,
    settings: ({ threads = 1 }, memoryBytes) => ({ ...options, threads, pages: pagesFor(memoryBytes) }),
    start: (settings) => new Host(connect).start(settings, hint),
    model: (file) => file.bytes(),
    forget: async () => {},
  });
}

/** In whole GiB, so that models of similar size can follow one another in one worker. */
function pagesFor(memoryBytes: number): number {
  return (Math.min(4, Math.ceil(memoryBytes / 2 ** 30)) * 2 ** 30) / pageBytes;
}
