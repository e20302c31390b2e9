import { Worker } from "node:worker_threads";
import type { Connect, Death } from "#runtimes/ort/host";
import type { Reply } from "#runtimes/ort/protocol";

/** Starts ort/worker.js as a worker thread of Node. Unlike with the native package, ending it in mid-run harms nobody. */
export const nodeWorker: Connect = (events) => {
  // its output, errors that we are also told, stays unread: whoever reads it keeps the program alive
  const worker = new Worker(new URL("../ort/worker.js", import.meta.url), { stdout: true, stderr: true, execArgv: [] });
  let death: Death = { code: "runtime/crash", how: "ended", lastLines: "" };
  worker.on("message", (reply: Reply) => events.reply(reply));
  worker.on("error", (error: NodeJS.ErrnoException) => {
    const memory = error.code === "ERR_WORKER_OUT_OF_MEMORY" || /allocation failed/i.test(error.message);
    death = { code: memory ? "runtime/memory" : "runtime/crash", how: `ended with "${error.message}"`, lastLines: "" };
  });
  worker.on("exit", () => events.end(death));
  return {
    post: (message) => worker.postMessage(message, []),
    kill: () => void worker.terminate(),
    hold: (busy) => (busy ? worker.ref() : worker.unref()),
  };
};
