/** The registry of gradients, by operator of ai.onnx or `domain:name`. Families stand together, as in the operators' own files. */
import type { GradientRule } from "#model/ops/gradient";
import { binaryGradients, preluGradient } from "#model/ops/gradients/binary";
import { gemmGradient, matMulGradient } from "#model/ops/gradients/products";
import { reduceGradients } from "#model/ops/gradients/reduce";
import { unaryGradients } from "#model/ops/gradients/unary";

export const gradients: Readonly<Record<string, GradientRule>> = {
  ...unaryGradients,
  ...binaryGradients,
  ...reduceGradients,
  PRelu: preluGradient,
  MatMul: matMulGradient,
  Gemm: gemmGradient,
};
