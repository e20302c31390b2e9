/** What the conversions between protobuf messages and the graph IR share. */
import type { ByteSource } from "#base/bytes";
import { type ErrorCode, LowbitError, type Place } from "#base/errors";
import type { Limits } from "#base/limits";
import type { Message } from "#formats/onnx/schema";

export interface Context {
  /** What errors call the file. */
  readonly file: string;
  readonly irVersion: number;
  readonly limits: Limits;
  /** Opened external data, by location. */
  readonly external: ReadonlyMap<string, ByteSource>;
}

/** An error about a message, with its place in the file. */
export function refuse(
  context: Pick<Context, "file">,
  message: { readonly at?: number },
  code: ErrorCode,
  what: string,
  more: { readonly at?: Place; readonly hint?: string } = {},
): LowbitError {
  const at: Place = {
    file: context.file,
    ...(message.at === undefined ? {} : { byte: message.at }),
    ...more.at,
  };
  return new LowbitError(code, `${context.file}: ${what}`, { ...more, at });
}

/** An integer that JavaScript counts exactly; sizes, versions and dims are. */
export function exactInteger(
  value: number | bigint | undefined,
  what: string,
  message: { readonly at?: number },
  context: Pick<Context, "file">,
): number {
  if (typeof value === "bigint") throw refuse(context, message, "onnx/invalid", `${what} is ${value}`);
  return value ?? 0;
}

/** Shared by everything that has no metadata. */
const none: ReadonlyMap<string, string> = new Map();

/** StringStringEntryProto[] → Map; of two entries with one key the last counts. */
export function entries(protos: readonly Message<"StringStringEntry">[] | undefined): ReadonlyMap<string, string> {
  return protos === undefined ? none : new Map(protos.map(({ key, value }) => [key ?? "", value ?? ""]));
}

export function toEntries(map: ReadonlyMap<string, string>): Message<"StringStringEntry">[] {
  return Array.from(map, ([key, value]) => ({ key, value }));
}

/** Empty texts are not written. */
export function optional(text: string): string | undefined {
  return text === "" ? undefined : text;
}

/** For spreading: keeps a property absent rather than undefined. */
export function keepUnknown(message: { readonly unknown?: Uint8Array | undefined }): { unknown?: Uint8Array } {
  return message.unknown === undefined ? {} : { unknown: message.unknown };
}

/** Both spellings of ONNX's own domain. */
export function domainOf(text: string | undefined): string {
  return text === undefined || text === "ai.onnx" ? "" : text;
}
