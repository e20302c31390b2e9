import { LowbitError } from "#base/errors";
import { type TensorScheme, tensorScheme } from "#quant/quantizers/index";
import { dtype } from "#quant/dtype";
import { parseScheme, type Scheme } from "#quant/scheme";

/** What is wished for a weight, by what can hold it in a model. */
export type WeightScheme =
  | { readonly kind: "float" }
  /** Half precision: float16 in the file. */
  | { readonly kind: "half" }
  /** Integers that ONNX has as types, on a linear scale per tensor, channel or group: for integer kernels and plain operators. */
  | { readonly kind: "integers"; readonly scheme: Scheme }
  /** All others: codes that a function decodes. */
  | { readonly kind: "function"; readonly scheme: TensorScheme };

/** Reads a scheme for weights: any that a quantizer of the registry reads, `float16` and `float`. Throws usage/scheme. */
export function weightScheme(text: string): WeightScheme {
  const name = text.trim();
  if (name === "float") return { kind: "float" };
  if (name === "float16") return { kind: "half" };
  const scheme = tensorScheme(name);
  const linear = scheme.quantizer.name === "linear" && !scheme.hadamard ? parseScheme(name) : null;
  return linear !== null && isPlain(linear) ? { kind: "integers", scheme: linear } : { kind: "function", scheme };
}

/** What weights become that are stored: throws usage/scheme for `float`, which leaves them. */
export function integerScheme(text: string): Scheme {
  const wish = weightScheme(text);
  if (wish.kind === "integers") return wish.scheme;
  throw new LowbitError("usage/scheme", `${text} is no scheme of integers that operators of ONNX decode`, {
    hint: "for example int8/channel or uint4/group:32",
  });
}

function isPlain({ dtype: name, granularity, stochastic }: Scheme): boolean {
  const { bits } = dtype(name);
  return 16 % bits === 0 && !stochastic && granularity.per !== "block" && granularity.per !== "token";
}
