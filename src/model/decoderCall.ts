import { functionOf } from "#model/functions";
import type { FunctionDef, Node } from "#model/model";

/** Domain of the functions that decode weights in files of lowbit: docs/exported-decodings.md. */
export const decoderDomain = "lowbit";

/** What the call of such a function says of the weight that it decodes. */
export interface DecoderCall {
  /** As it was asked for: `kmeans:16/channel`. */
  readonly scheme: string;
  /** Inputs that hold packed codes, with the width of one. */
  readonly codes: readonly { readonly input: number; readonly bits: number }[];
}

/** Undefined for a node that calls no function of the model, or one that is not as lowbit writes them. */
export function decoderCall(node: Node, functions: readonly FunctionDef[]): DecoderCall | undefined {
  if (node.domain !== decoderDomain) return undefined;
  const fn = functionOf({ functions }, node);
  const scheme = node.attributes.get("scheme");
  const bits = node.attributes.get("bits");
  if (fn === undefined || scheme?.kind !== "string" || typeof scheme.value !== "string") return undefined;
  const widths = bits?.kind === "ints" ? bits.value.map(Number) : [];
  const inputs = fn.inputs.flatMap((name, input) => (/^(codes|blocks)/.test(name) ? [input] : []));
  if (inputs.length === 0 || inputs.length !== widths.length || !widths.every(isWidth)) return undefined;
  return { scheme: scheme.value, codes: inputs.map((input, i) => ({ input, bits: widths[i] })) };
}

function isWidth(bits: number): boolean {
  return Number.isInteger(bits) && bits >= 1 && bits <= 16;
}
