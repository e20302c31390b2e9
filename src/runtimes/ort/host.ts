/**
 * A process or thread that holds ONNX Runtime and can be killed at any moment. It answers one request at a time; further
 * calls wait their turn. Whatever happens to it, every pending call is rejected with a typed error and this program lives on.
 */
import { LowbitError } from "#base/errors";
import { refusal } from "#runtimes/ort/refusal";
import type { Answers, Message, Reply, Request, Start } from "#runtimes/ort/protocol";

/** The connection to one such process or thread. */
export interface Wire {
  post(message: Message): void;
  /** Ends it at once, whatever it is doing. */
  kill(): void;
  /** A busy host keeps this program alive until it answers; an idle one does not. */
  hold(busy: boolean): void;
}

interface WireEvents {
  reply(reply: Reply): void;
  /** It is gone, with what is known of why. Called once, also after `kill`. */
  end(death: Death): void;
}

export type Connect = (events: WireEvents) => Wire;

export interface Death {
  readonly code: "runtime/crash" | "runtime/memory" | "runtime/unavailable";
  /** A clause: "ended with SIGSEGV". */
  readonly how: string;
  /** Its last words, if it had any. */
  readonly lastLines: string;
}

/**
 * The timer may fire late, after this thread was busy itself, with the answer already waiting to be read: this long it may
 * take to read it before the host counts as hanging.
 */
const graceMs = 100;
/** Milliseconds in which the process or thread must be up with its runtime loaded. */
const startMs = 30_000;

interface Pending {
  readonly id: number;
  readonly what: string;
  readonly timeoutMs: number;
  readonly resolve: (value: never) => void;
  readonly reject: (error: LowbitError) => void;
  timer?: ReturnType<typeof setTimeout>;
}

export class Host {
  readonly #wire: Wire;
  #pending: Pending | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #lastId = 0;
  #death: LowbitError | undefined;
  readonly #ended: Promise<void>;
  #version = "";

  /** `cleanUp` runs when it is gone. */
  constructor(connect: Connect, cleanUp: () => Promise<void> = async () => {}) {
    let ended = () => {};
    this.#ended = new Promise<void>((resolve) => {
      ended = resolve;
    }).then(cleanUp);
    this.#wire = connect({
      reply: (reply) => this.#settle(reply),
      end: (death) => {
        this.#die(deathError(death, this.#pending?.what));
        ended();
      },
    });
    this.#wire.hold(false);
  }

  /** Loads the runtime. Rejects with `runtime/unavailable` when that cannot be done here; `hint` says what to do then. */
  async start(request: Omit<Start, "op">, hint: string): Promise<this> {
    try {
      this.#version = (await this.call({ op: "start", ...request }, "starting", startMs)).version;
      return this;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const error = new LowbitError("runtime/unavailable", `ONNX Runtime cannot run here: ${why}`, { hint, cause });
      await this.kill(error);
      throw error;
    }
  }

  /** Of the runtime it holds, once started. */
  get version(): string {
    return this.#version;
  }

  /** Why it no longer answers, once it does not. */
  get death(): LowbitError | undefined {
    return this.#death;
  }

  /** Whether a call is running or waiting. */
  get busy(): boolean {
    return this.#waiting > 0;
  }

  /** Sends a request when those before it are answered. `what` is a clause for errors: "loading model.onnx". */
  async call<Op extends Request["op"]>(
    request: Extract<Request, { op: Op }>,
    what: string,
    timeoutMs: number,
  ): Promise<Answers[Op]> {
    const turn = this.#queue.then(() => this.#send<Answers[Op]>(request, what, timeoutMs));
    this.#queue = turn.catch(() => {});
    this.#waiting++;
    try {
      return await turn;
    } finally {
      this.#waiting--;
    }
  }

  /** Ends it; pending and waiting calls reject with `reason`. Resolves when it is gone and cleaned up after. */
  async kill(reason: LowbitError): Promise<void> {
    this.#die(reason);
    await this.#ended;
  }

  /** Resolves when it is gone and cleaned up after. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  #send<Answer>(request: Request, what: string, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#death !== undefined) return reject(this.#death);
      const id = ++this.#lastId;
      this.#pending = { id, what, timeoutMs, resolve, reject };
      this.#wire.hold(true);
      this.#wire.post({ id, request });
      this.#startTimer(this.#pending);
    });
  }

  #startTimer(pending: Pending): void {
    const expired = () =>
      this.#die(
        new LowbitError("runtime/timeout", `${pending.what} took longer than ${pending.timeoutMs / 1000} s`, {
          hint: "raise timeoutMs, or give smaller batches; if the model is not trusted, it may never end",
        }),
      );
    clearTimeout(pending.timer);
    pending.timer = setTimeout(() => {
      pending.timer = setTimeout(expired, graceMs);
    }, pending.timeoutMs);
  }

  #settle(reply: Reply): void {
    const pending = this.#pending;
    if (pending === undefined || pending.id !== reply.id) return; // an answer to a call that was given up
    if ("tick" in reply) return this.#startTimer(pending);
    if ("error" in reply) {
      const error = refusal(reply.error, pending.what);
      if (error.code === "runtime/crash") this.#die(error);
      else this.#finish()?.reject(error);
    } else {
      this.#finish()?.resolve(reply.value as never);
    }
  }

  #finish(): Pending | undefined {
    const pending = this.#pending;
    clearTimeout(pending?.timer);
    this.#pending = undefined;
    this.#wire.hold(false);
    return pending;
  }

  #die(error: LowbitError): void {
    if (this.#death !== undefined) return;
    this.#death = error;
    this.#finish()?.reject(error);
    this.#wire.hold(true); // until it is gone: whoever awaits that must not find the program ended
    this.#wire.kill();
  }
}

function deathError({ code, how, lastLines }: Death, what = "waiting"): LowbitError {
  const said = lastLines === "" ? "" : `; its last words: ${lastLines}`;
  const hints: Record<Death["code"], string> = {
    "runtime/crash": "try another runtime, and report the model to the runtime's maintainers",
    "runtime/memory": "raise memoryBytes, or give smaller batches",
    "runtime/unavailable": "try another runtime",
  };
  return new LowbitError(code, `ONNX Runtime ${how} while ${what}${said}`, { hint: hints[code] });
}
