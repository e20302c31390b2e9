/** The runtimes that a browser has. Node's are in runtimes.node.ts. */
import { browserWorker } from "#runtimes/ortWeb/browserWorker";
import { createOrtWeb } from "#runtimes/ortWeb/ortWeb";
import { reference } from "#runtimes/reference/reference";
import type { Runtime } from "#runtimes/types";

export const runtimes = {
  reference,
  "ort-web": createOrtWeb(browserWorker),
} satisfies Record<string, Runtime>;
