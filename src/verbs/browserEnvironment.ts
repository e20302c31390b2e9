import { onnxBytes } from "#formats/onnx/index";
import type { Model } from "#model/model";
import { runtimes } from "#runtimes/index";
import type { CostStore, HostCosts } from "#targets/hostCosts";
import type { Environment } from "#verbs/environment";
import { tool } from "#verbs/version";

/** What every JavaScript platform has: models are bytes, measured costs last as long as the page. */
export const browserEnvironment: Environment = {
  runtimes,
  runnable: (model) => ({ model, bytes: () => onnxBytes(model) }),
  async materialize(model: Model) {
    const bytes = await onnxBytes(model);
    return {
      runnable: { model, bytes: async () => bytes },
      bytes: bytes.byteLength,
      sha256: await sha256(bytes),
      async dispose() {},
    };
  },
  costs: memoryStore(),
  processor: "this browser",
  tool,
  now: () => performance.now(),
};

/** Keeps tables for as long as the program runs. */
export function memoryStore(): CostStore {
  const tables = new Map<string, HostCosts>();
  return {
    load: async (host) => tables.get(host),
    async save(costs) {
      tables.set(costs.host, costs);
    },
  };
}

export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
