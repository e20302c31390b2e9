/**
 * The wire to a child process: a pipe of our own, on its file descriptor 3. A frame is 8 bytes of length, little-endian,
 * and so many bytes of v8.serialize. Node's own channel (`fork`) would do the same at half the speed for large tensors,
 * and takes the parent down when a broken child writes garbage into it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { deserialize, serialize } from "node:v8";
import type { Connect, Death } from "#runtimes/ort/host";

/** Characters of the child's output that are kept for error messages. */
const tailLength = 2_000;
const maxFrameBytes = 2 ** 32;

/** Starts `program` in a child process whose working directory, and only place to write, is `scratch`. */
export function childWire(program: URL, scratch: string): Connect {
  return (events) => {
    const child = spawn(process.execPath, [fileURLToPath(program), scratch], {
      cwd: scratch,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
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
    const pipe = child.stdio[3] as Socket;
    const tail = collectTail(child);
    let garbage = false;
    pipe.on("data", (chunk: Uint8Array) => {
      try {
        if (!garbage) frames(chunk);
      } catch {
        garbage = true;
        child.kill("SIGKILL");
      }
    });
    const frames = splitFrames((frame) => events.reply(deserialize(frame)));
    pipe.on("error", () => {}); // the child's end, which follows, tells more
    child.once("error", ({ message }) =>
      events.end({ code: "runtime/unavailable", how: `did not start (${message})`, lastLines: "" }),
    );
    // "close" comes after "exit", when the last output has been read
    child.once("close", (code, signal) => {
      const ending = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
      events.end(death(garbage ? "sent garbage" : ending, tail()));
    });
    return {
      post(message) {
        const body = serialize(message);
        const head = Buffer.alloc(8);
        head.writeBigUInt64LE(BigInt(body.byteLength));
        pipe.cork();
        pipe.write(head);
        pipe.write(body);
        pipe.uncork();
      },
      kill: () => void child.kill("SIGKILL"),
      hold(busy) {
        for (const part of [child, child.stdout, child.stderr, pipe] as Socket[]) {
          if (busy) part.ref();
          else part.unref();
        }
      },
    };
  };
}

/** Takes chunks of the stream, gives whole frames. Throws on an impossible length. child.js has the same in its language. */
function splitFrames(deliver: (frame: Uint8Array) => void): (chunk: Uint8Array) => void {
  const head = new DataView(new ArrayBuffer(8));
  let body: Uint8Array | undefined;
  let filled = 0;
  return (chunk) => {
    for (let at = 0; at < chunk.byteLength; ) {
      const target = body ?? new Uint8Array(head.buffer);
      const piece = chunk.subarray(at, at + target.byteLength - filled);
      target.set(piece, filled);
      at += piece.byteLength;
      filled += piece.byteLength;
      if (filled < target.byteLength) return;
      filled = 0;
      if (body === undefined) {
        const length = Number(head.getBigUint64(0, true));
        if (length > maxFrameBytes) throw new RangeError(`a frame of ${length} bytes`);
        body = new Uint8Array(length);
      } else {
        body = undefined;
        deliver(target);
      }
    }
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

function death(how: string, tail: string): Death {
  const over = /^lowbit: over memory (\d+)$/m.exec(tail);
  if (over !== null) {
    const gigabytes = (Number(over[1]) / 1e9).toFixed(2);
    return { code: "runtime/memory", how: `grew to ${gigabytes} GB, over its limit,`, lastLines: "" };
  }
  const memory = /out of memory|bad_alloc|allocation failed/i.test(tail);
  const stack = /^\s*(\d+: |at |-----|$)/;
  const lines = tail.split("\n").filter((line) => !stack.test(line));
  const lastLines = lines.slice(-5).join("\n");
  return { code: memory ? "runtime/memory" : "runtime/crash", how, lastLines };
}
