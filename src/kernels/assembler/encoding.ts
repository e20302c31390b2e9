/** How WebAssembly's binary format writes numbers and lists (core specification §5.2). */

/** LEB128 of a whole number from 0 to 2³² − 1: seven bits a byte, lowest first. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

/** LEB128 of a signed whole number of up to 64 bits. */
export function signed(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (;;) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    // what is left repeats the sign bit of this byte: it need not be written
    if (rest === (byte & 0x40 ? -1n : 0n)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

/** The eight or four bytes of a number, lowest first. */
export function float(value: number, bits: 32 | 64): number[] {
  const view = new DataView(new ArrayBuffer(bits / 8));
  if (bits === 32) view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  return [...new Uint8Array(view.buffer)];
}

/** A list: how many, then each. */
export function list(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

/** Bytes behind their length. */
export function sized(bytes: readonly number[]): number[] {
  return [...unsigned(bytes.length), ...bytes];
}

/** A name: its UTF-8 bytes behind their length. */
export function text(name: string): number[] {
  return sized([...new TextEncoder().encode(name)]);
}
