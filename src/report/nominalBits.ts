import { tensorScheme } from "#quant/quantizers/index";

/** Bits of a code per weight that a scheme's text stands for; undefined for one that no quantizer of this version reads. */
export function nominalBits(text: string): number | undefined {
  try {
    const { quantizer, scheme } = tensorScheme(text);
    return quantizer.nominalBits(scheme);
  } catch {
    return undefined;
  }
}
