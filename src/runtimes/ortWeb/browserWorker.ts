import { LowbitError } from "#base/errors";
import type { Connect } from "#runtimes/ort/host";
import type { Reply } from "#runtimes/ort/protocol";

/** Starts ort/worker.js as a module worker of the browser; bundlers know this form and take the worker along. */
export const browserWorker: Connect = (events) => {
  if (typeof Worker === "undefined") {
    throw new LowbitError("runtime/unavailable", "there are no web workers here", {
      hint: "in a browser, run it in a page or a worker; in Node, import lowbit and not lowbit/browser",
    });
  }
  const worker = new Worker(new URL("../ort/worker.js", import.meta.url), { type: "module" });
  let ended = false;
  const end = (how: string) => {
    if (!ended) events.end({ code: "runtime/crash", how, lastLines: "" });
    ended = true;
  };
  worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => events.reply(data));
  worker.addEventListener("error", ({ message }) => end(`ended (${message || "the worker script did not load"})`));
  return {
    post: (message) => worker.postMessage(message, []),
    kill() {
      worker.terminate();
      end("was ended");
    },
    hold() {}, // a page lives as long as it is open
  };
};
