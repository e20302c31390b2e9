/**
 * The block types of ggml, the format of llama.cpp and of GGUF files. Encoders give the bytes that ggml's reference gives
 * (`quantize_row_*_ref`, and `ggml_quantize_chunk` with an importance matrix); decoders its float32 numbers, bit for bit.
 * Sources: ggml-quants.c, ggml-common.h and ggml.h of github.com/ggml-org/ggml (checked against 0.25.1). docs/quantizers/ggml.md
 * tells when to use which.
 */
import { bf16, f16, f32 } from "#quant/ggml/floats";
import { iq4_nl, iq4_xs } from "#quant/ggml/iq4";
import { mxfp4 } from "#quant/ggml/mxfp4";
import { q2_k } from "#quant/ggml/q2_k";
import { q3_k } from "#quant/ggml/q3_k";
import { q4_0, q4_1 } from "#quant/ggml/q4";
import { q4_k, q5_k } from "#quant/ggml/q4_k";
import { q5_0, q5_1 } from "#quant/ggml/q5";
import { q6_k } from "#quant/ggml/q6_k";
import { q8_0, q8_1, q8_k } from "#quant/ggml/q8";
import { tq1_0, tq2_0 } from "#quant/ggml/ternary";
import type { GgmlType } from "#quant/ggml/types";

/** By name, in lower case. → ggmlTypes.q4_k.bytes is 144 */
export const ggmlTypes = {
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q8_0,
  q8_1,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  q8_k,
  iq4_nl,
  iq4_xs,
  tq1_0,
  tq2_0,
  mxfp4,
  f16,
  bf16,
  f32,
} as const satisfies Readonly<Record<string, GgmlType>>;

export type GgmlTypeName = keyof typeof ggmlTypes;
