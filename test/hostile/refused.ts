/**
 * What every hostile file must meet: a typed error that names the file, soon, and without the memory that the file asks for. Time is
 * the processor's: how busy the machine is otherwise is not the subject.
 */
import { expect } from "vitest";
import { type ErrorCode, LowbitError } from "#base/errors";

export interface Bounds {
  readonly ms?: number;
  readonly bytes?: number;
}

export async function expectRefused(
  file: string,
  code: ErrorCode,
  read: () => Promise<unknown>,
  { ms = 1000, bytes = 300 * 2 ** 20 }: Bounds = {},
): Promise<LowbitError> {
  const before = process.memoryUsage.rss();
  const start = process.cpuUsage();
  const error: unknown = await read().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const { user, system } = process.cpuUsage(start);
  const took = (user + system) / 1000;
  expect(error, "it was read").toBeInstanceOf(LowbitError);
  const { code: found, at, message } = error as LowbitError;
  expect(found, message).toBe(code);
  expect(at.file).toBe(file);
  expect(took).toBeLessThan(ms);
  expect(process.memoryUsage.rss() - before).toBeLessThan(bytes);
  return error as LowbitError;
}
