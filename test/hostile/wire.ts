/** Protobuf, byte by byte, for files that no writer would write. */

const text8 = new TextEncoder();

export function join(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function varintBytes(value: number | bigint): Uint8Array {
  const out: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 128n) return Uint8Array.from([...out, Number(rest)]);
    out.push(Number(rest & 127n) | 128);
  }
}

export const tag = (field: number, wire: number): Uint8Array => varintBytes(BigInt(field) * 8n + BigInt(wire));
export const int = (field: number, value: number | bigint): Uint8Array => join(tag(field, 0), varintBytes(value));
export const bytes = (field: number, content: Uint8Array | readonly number[]): Uint8Array =>
  join(tag(field, 2), varintBytes(content.length), content);
export const text = (field: number, content: string): Uint8Array => bytes(field, text8.encode(content));
export const message = (field: number, ...parts: readonly Uint8Array[]): Uint8Array => bytes(field, join(...parts));
export const float = (field: number, value: number): Uint8Array =>
  join(tag(field, 5), new Uint8Array(Float32Array.of(value).buffer));

/** `value` as a varint of exactly `length` bytes, padded with zero groups. */
export function paddedVarint(value: number, length: number): Uint8Array {
  const out = new Uint8Array(length).fill(0x80);
  let rest = value;
  for (let i = 0; i < length; i++, rest = Math.floor(rest / 128)) out[i] |= rest % 128;
  out[length - 1] &= 0x7f;
  return out;
}

/** A valid model around the given fields of its graph: y = Identity(x). */
export function modelAround(...graphFields: readonly Uint8Array[]): Uint8Array {
  const value = (field: number, name: string): Uint8Array => message(field, text(1, name));
  const node = message(1, text(1, "x"), text(2, "y"), text(4, "Identity"));
  return modelOf(join(node, value(11, "x"), value(12, "y"), ...graphFields));
}

export function modelOf(graph: Uint8Array, ...more: readonly Uint8Array[]): Uint8Array {
  return join(int(1, 8), bytes(7, graph), message(8, int(2, 17)), ...more);
}

/** A model with one tensor among its initializers, made of these fields; it is called w unless they say otherwise. */
export const withTensor = (...fields: readonly Uint8Array[]): Uint8Array =>
  modelAround(message(5, text(8, "w"), ...fields));

/** A model whose node has one attribute made of these fields; it is called a unless they say otherwise. */
export const withAttribute = (...fields: readonly Uint8Array[]): Uint8Array =>
  modelAround(message(1, text(1, "x"), text(2, "z"), text(4, "Op"), message(5, text(1, "a"), ...fields)));
