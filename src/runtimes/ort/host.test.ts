import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Connect, type Death, Host, type Wire } from "#runtimes/ort/host";
import type { Message, Reply } from "#runtimes/ort/protocol";

/** A wire whose other end is this test. */
function wired() {
  const sent: Message[] = [];
  const held: boolean[] = [];
  let events: Parameters<Connect>[0] | undefined;
  const kill = vi.fn<() => void>(() => events?.end({ code: "runtime/crash", how: "ended", lastLines: "" }));
  const host = new Host((given) => {
    events = given;
    const wire: Wire = { post: (message) => void sent.push(message), kill, hold: (busy) => void held.push(busy) };
    return wire;
  });
  const run = (what = "running m.onnx") => host.call({ op: "run", feeds: {}, fetches: [] }, what, 1_000);
  const reply = (message: Reply) => events?.reply(message);
  const end = (death: Death) => events?.end(death);
  return { host, sent, held, kill, run, reply, end };
}

const settled = () => vi.advanceTimersByTimeAsync(0);

describe("a host", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("is asked one thing at a time, in order", async () => {
    const { sent, run, reply } = wired();
    const answers = [run(), run()];
    await settled();
    expect(sent.map(({ id }) => id)).toEqual([1]);
    reply({ id: 1, value: {} });
    await answers[0];
    await settled();
    expect(sent.map(({ id }) => id)).toEqual([1, 2]);
    reply({ id: 2, value: {} });
    await answers[1];
  });

  test("keeps the program alive while it is asked, and not otherwise", async () => {
    const { held, run, reply } = wired();
    const answer = run();
    await settled();
    reply({ id: 1, value: {} });
    await answer;
    expect(held).toEqual([false, true, false]);
  });

  test("that refuses one thing goes on with the next", async () => {
    const { run, reply, kill } = wired();
    const [first, second] = [run(), run()];
    await settled();
    reply({ id: 1, error: { name: "Error", message: "no" } });
    await expect(first).rejects.toMatchObject({ code: "runtime/run" });
    await settled();
    reply({ id: 2, value: {} });
    await second;
    expect(kill).not.toHaveBeenCalled();
  });

  test("whose WebAssembly trapped is ended, for nobody knows its state", async () => {
    const { run, reply, kill } = wired();
    const [first, second] = [run(), run()];
    await settled();
    reply({ id: 1, error: { name: "RuntimeError", message: "unreachable" } });
    await expect(first).rejects.toMatchObject({ code: "runtime/crash" });
    await expect(second).rejects.toMatchObject({ code: "runtime/crash" });
    expect(kill).toHaveBeenCalled();
  });

  test("that is silent is ended; one that gives signs of life is not", async () => {
    const { run, reply, kill } = wired();
    const answer = run();
    const failed = expect(answer).rejects.toMatchObject({ code: "runtime/timeout" });
    await vi.advanceTimersByTimeAsync(900);
    reply({ id: 1, tick: true });
    await vi.advanceTimersByTimeAsync(900);
    expect(kill).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(300);
    expect(kill).toHaveBeenCalled();
    await failed;
  });

  test("that answers what nobody asked, or asked before, is not listened to", async () => {
    const { run, reply } = wired();
    reply({ id: 7, value: {} });
    const answer = run();
    await settled();
    reply({ id: 0, error: { name: "Error", message: "late" } });
    reply({ id: 1, value: {} });
    expect(await answer).toEqual({});
  });

  test("that dies fails all calls with its last words, and cleans up", async () => {
    const { host, run, end } = wired();
    const answers = [run("loading m.onnx"), run()].map((answer) => answer.catch((error: unknown) => error));
    await settled();
    end({ code: "runtime/memory", how: "grew to 3 GB, over its limit,", lastLines: "goodbye" });
    for (const answer of answers) {
      expect(await answer).toMatchObject({
        code: "runtime/memory",
        message: "ONNX Runtime grew to 3 GB, over its limit, while loading m.onnx; its last words: goodbye",
        hint: expect.stringContaining("memoryBytes"),
      });
    }
    await host.ended;
    await expect(run()).rejects.toMatchObject({ code: "runtime/memory" });
  });
});
