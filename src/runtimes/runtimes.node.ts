/** The runtimes that Node has. */
import { runtimes } from "#runtimes/index";
import { ortNode } from "#runtimes/ortNode/ortNode.node";
import { nodeWorker } from "#runtimes/ortWeb/nodeWorker.node";
import { createOrtWeb } from "#runtimes/ortWeb/ortWeb";
import type { Runtime } from "#runtimes/types";

export const nodeRuntimes = {
  ...runtimes,
  "ort-web": createOrtWeb(nodeWorker),
  "ort-node": ortNode,
} satisfies Record<string, Runtime>;
