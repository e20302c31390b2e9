import { type ChildProcess, fork } from "node:child_process";
import type { Socket } from "node:net";
import type { Connect, Death } from "#runtimes/ort/host";
import type { Reply } from "#runtimes/ort/protocol";

/** Characters of the child's output that are kept for error messages. */
const tailLength = 2_000;

/** Starts `program` in a child process whose working directory, and only place to write, is `scratch`. */
export function childWire(program: URL, scratch: string): Connect {
  return (events) => {
    const child = fork(program, [], {
      cwd: scratch,
      serialization: "advanced",
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      execArgv: [],
      env: {
        ...process.env,
        NODE_OPTIONS: undefined,
        // ONNX Runtime ≥ 1.29 reports its use to its maker, and leaves logs in the temporary directory
        ORT_DISABLE_TELEMETRY: "1",
        TMPDIR: scratch,
        TMP: scratch,
        TEMP: scratch,
      },
    });
    const tail = collectTail(child);
    let killed = false;
    child.on("message", (reply) => events.reply(reply as Reply));
    child.once("error", (error) =>
      events.end({ code: "runtime/unavailable", how: `did not start (${error.message})`, lastLines: "" }),
    );
    // "close" comes after "exit", when the last output has been read
    child.once("close", (code, signal) => events.end(death(code, signal, tail())));
    const sockets = [child.stdout, child.stderr] as Socket[];
    return {
      post: (message) => void child.send(message, () => {}), // a failure is followed by "close"
      kill() {
        if (!killed) child.kill("SIGKILL");
        killed = true;
      },
      hold(busy) {
        for (const part of [child, child.channel, ...sockets]) {
          if (busy) part?.ref?.();
          else part?.unref?.();
        }
      },
    };
  };
}

function collectTail(child: ChildProcess): () => string {
  let tail = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      tail = (tail + text).slice(-tailLength);
    });
  }
  return () => tail;
}

function death(code: number | null, signal: string | null, tail: string): Death {
  const over = /^lowbit: over memory (\d+)$/m.exec(tail);
  const lastLines = tail.trim().split("\n").slice(-5).join("\n");
  if (over !== null) {
    return {
      code: "runtime/memory",
      how: `grew to ${(Number(over[1]) / 1e9).toFixed(1)} GB, over its limit,`,
      lastLines: "",
    };
  }
  const outOfMemory = /out of memory|bad_alloc|allocation failed/i.test(tail);
  const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
  return { code: outOfMemory ? "runtime/memory" : "runtime/crash", how, lastLines };
}
