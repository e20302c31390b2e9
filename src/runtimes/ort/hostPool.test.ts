import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LowbitError } from "#base/errors";
import { Host, type Wire } from "#runtimes/ort/host";
import { HostPool } from "#runtimes/ort/hostPool";

/** A host that answers everything with its number, in no process at all. */
class Fake extends Host {
  gone = false;

  constructor(readonly number: number) {
    super((events) => {
      const wire: Wire = {
        post: ({ id }) => queueMicrotask(() => events.reply({ id, value: { version: String(number) } })),
        kill: () => {
          this.gone = true;
          events.end({ code: "runtime/crash", how: "ended", lastLines: "" });
        },
        hold() {},
      };
      return wire;
    });
  }
}

describe("hosts are kept for the next session", () => {
  let started: Fake[] = [];
  const pool = () => {
    started = [];
    return new HostPool<{ threads: number }, Fake>(async () => {
      const host = await new Fake(started.length).start({}, "");
      started.push(host);
      return host;
    });
  };
  const one = { threads: 1 };
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("with the same settings only", async () => {
    const hosts = pool();
    const first = await hosts.take(one);
    expect(await hosts.take(one)).not.toBe(first);
    await hosts.give(one, first, 0);
    expect(await hosts.take({ threads: 2 })).not.toBe(first);
    expect(await hosts.take({ threads: 1 })).toBe(first);
  });

  test("unless they occupy too much", async () => {
    const hosts = pool();
    const first = await hosts.take(one);
    await hosts.give(one, first, 2 ** 30);
    expect(first.gone).toBe(true);
    expect(await hosts.take(one)).not.toBe(first);
  });

  test("or have died meanwhile", async () => {
    const hosts = pool();
    const first = await hosts.take(one);
    await hosts.give(one, first, 0);
    await first.kill(new LowbitError("runtime/closed", "ended by the test"));
    expect(await hosts.take(one)).not.toBe(first);
  });

  test("two at most, the newest", async () => {
    const hosts = pool();
    const taken = [await hosts.take(one), await hosts.take(one), await hosts.take(one)];
    for (const host of taken) await hosts.give(one, host, 0);
    expect(taken.map(({ gone }) => gone)).toEqual([true, false, false]);
  });

  test("for half a minute", async () => {
    const hosts = pool();
    const first = await hosts.take(one);
    await hosts.give(one, first, 0);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(first.gone).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(first.gone).toBe(true);
  });

  test("and the one that told the version serves the first session", async () => {
    const hosts = pool();
    expect(await hosts.availability(one)).toEqual({ version: "0" });
    expect((await hosts.take(one)).number).toBe(0);
    expect(started).toHaveLength(1);
  });
});
