/**
 * The block types of ggml: what llama.cpp runs and GGUF files hold. Codes are the blocks' bytes, row by row, equal to those that
 * ggml's own encoder writes; scales are inside of them.
 */
import { LowbitError } from "#base/errors";
import { refuseNonFinite } from "#quant/affine";
import { decodeGgml, encodeGgml } from "#quant/ggml/codec";
import { type GgmlTypeName, ggmlTypes } from "#quant/ggml/index";
import type { GgmlType } from "#quant/ggml/types";
import { elementImportance } from "#quant/importance";
import { type Matrix, quantizer } from "#quant/types";

const names = Object.keys(ggmlTypes) as GgmlTypeName[];

export const ggml = quantizer<GgmlTypeName>({
  name: "ggml",
  title:
    "The blocks of llama.cpp and GGUF files: 32 or 256 neighbours with scales of their own, 1.7 to 9 bits a weight.",
  sources: [
    "ggml-quants.c and ggml-common.h of ggml 0.25.1, github.com/ggml-org/ggml",
    "k-quants: llama.cpp pull request 1684",
    "IQ4: llama.cpp pull requests 5590 and 5747",
    "TQ1_0 and TQ2_0: llama.cpp pull request 8151",
  ],
  examples: names.map((name) => `gguf:${name}`),
  parse({ name, argument, flags, text }) {
    if (name !== "gguf") return undefined;
    const known = names.find((type) => type === argument.toLowerCase());
    if (known !== undefined && flags.length === 0) return known;
    const message =
      known === undefined ? `"${text}": "${argument}" is no block type` : `"${text}": gguf schemes have no flags`;
    throw new LowbitError("usage/scheme", message, {
      hint: `there are ${names.map((type) => `gguf:${type}`).join(", ")}`,
    });
  },
  text: (type) => `gguf:${type}`,
  nominalBits(type) {
    const { bytes, scaleBytes, elements } = ggmlTypes[type];
    return ((bytes - scaleBytes) * 8) / elements;
  },
  unfit: (_, columns, type) => unfit(columns, type),
  quantize(x, type, options) {
    const { values, rows, columns } = x;
    const why = unfit(columns, type);
    if (why !== undefined) throw new LowbitError("quant/scheme", why);
    refuseNonFinite(values);
    const codes = encodeGgml(type, values, columns, elementImportance(x, options.importance));
    refuseOverflow(type, x, codes);
    return { scheme: `gguf:${type}`, rows, columns, codes, decoding: { kind: "ggml", type } };
  },
});

/** A block lies within a row. */
function unfit(columns: number, type: GgmlTypeName): string | undefined {
  const { elements }: GgmlType = ggmlTypes[type];
  if (columns % elements === 0) return undefined;
  const fitting = names.filter((name) => columns % ggmlTypes[name].elements === 0);
  const others = fitting.map((name) => `gguf:${name}`).join(", ");
  return `${columns} columns are no multiple of ${elements}, the block of gguf:${type}; ${others} would fit`;
}

/**
 * Most scales are float16, which ends at 65,504: of larger numbers the reference makes infinite scales. Only large numbers have to
 * be decoded to see.
 */
function refuseOverflow(type: GgmlTypeName, { values, columns }: Matrix, blocks: Uint8Array): void {
  let largest = 0;
  for (let i = 0; i < values.length; i++) if (Math.abs(values[i]) > largest) largest = Math.abs(values[i]);
  if (largest < 4096) return;
  const first = decodeGgml(type, blocks).findIndex((v) => !Number.isFinite(v));
  if (first < 0) return;
  throw new LowbitError(
    "quant/scheme",
    `a scale of gguf:${type} cannot hold the block of ${values[first]}, in row ${Math.floor(first / columns)}, column ${first % columns}`,
    {
      hint: "gguf:f32 and gguf:q8_k hold any numbers, gguf:mxfp4 with powers of two as scales; or scale the layer down",
    },
  );
}
