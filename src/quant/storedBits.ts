/** What a quantized matrix takes in a file, counted bit by bit: codes, and everything needed to decode them. */
import type { Scales } from "#quant/decoding";
import { dtype } from "#quant/dtype";
import { ggmlTypes } from "#quant/ggml/index";
import type { QTensor } from "#quant/qtensor";

export interface StoredBits {
  /** Codes packed without gaps, the last byte filled up. */
  readonly codes: number;
  /** Scales of all levels. */
  readonly scales: number;
  readonly zeroPoints: number;
  /** Lookup tables and codebooks, float32; none where codes are those of a standard format. */
  readonly tables: number;
  /** Of a rotation of the columns. */
  readonly signs: number;
  readonly total: number;
}

export function storedBits(q: QTensor): StoredBits {
  const parts = decodingBits(q);
  const signs = bytes(q.rotation?.signs.length ?? 0);
  return { ...parts, signs, total: parts.total + signs };
}

function decodingBits({ codes, decoding, rows, columns }: QTensor): Omit<StoredBits, "signs"> {
  switch (decoding.kind) {
    case "affine": {
      const { bits } = dtype(decoding.dtype);
      const { scale, storedScale, zeroPoint } = decoding;
      return sum({
        codes: bytes(codes.length * bits),
        scales: storedScale === undefined ? scale.length * 32 : scaleBits(storedScale),
        zeroPoints: bytes((zeroPoint?.length ?? 0) * bits),
      });
    }
    case "lookup":
      return sum({
        codes: bytes(codes.length * decoding.bits),
        scales: scaleBits(decoding.scale),
        tables: decoding.dtype === undefined ? decoding.tables.length * 32 : 0,
      });
    case "codebook": {
      const perStage = rows * (columns / decoding.length);
      return sum({
        codes: decoding.stages.reduce((total, { bits }) => total + bytes(perStage * bits), 0),
        scales: scaleBits(decoding.scale),
        tables: decoding.stages.reduce((total, { values }) => total + values.length * 32, 0),
      });
    }
    case "ggml": {
      const { bytes: blockBytes, scaleBytes } = ggmlTypes[decoding.type];
      const scales = (codes.byteLength / blockBytes) * scaleBytes;
      return sum({ codes: (codes.byteLength - scales) * 8, scales: scales * 8 });
    }
  }
}

/** Bits per weight, all told. */
export function bitsPerWeight(q: QTensor): number {
  const count = q.rows * q.columns;
  return count === 0 ? 0 : storedBits(q).total / count;
}

function scaleBits(scale: Scales | null | undefined): number {
  if (scale === null || scale === undefined) return 0;
  return bytes(scale.values.length * dtype(scale.dtype ?? "float32").bits) + scaleBits(scale.outer);
}

function bytes(bits: number): number {
  return Math.ceil(bits / 8) * 8;
}

function sum(parts: Partial<Omit<StoredBits, "total" | "signs">>): Omit<StoredBits, "signs"> {
  const { codes = 0, scales = 0, zeroPoints = 0, tables = 0 } = parts;
  return { codes, scales, zeroPoints, tables, total: codes + scales + zeroPoints + tables };
}
