/** The registry of gradients, by operator of ai.onnx or `domain:name`. Families stand together, as in the operators' own files. */
import type { GradientRule } from "#model/ops/gradient";
import { binaryGradients, preluGradient } from "#model/ops/gradients/binary";
import { convolutionGradients } from "#model/ops/gradients/convolution";
import { einsumGradient } from "#model/ops/gradients/einsum";
import { gatherGradients } from "#model/ops/gradients/gather";
import { moveGradients } from "#model/ops/gradients/moves";
import { parametricGradients } from "#model/ops/gradients/parametric";
import { normalizationGradients } from "#model/ops/gradients/normalization";
import { poolingGradients } from "#model/ops/gradients/pooling";
import { fusedMatMulGradient, gemmGradient, matMulGradient } from "#model/ops/gradients/products";
import { reduceGradients } from "#model/ops/gradients/reduce";
import { resamplingGradients } from "#model/ops/gradients/resampling";
import { selectionGradients } from "#model/ops/gradients/selection";
import { softmaxGradients } from "#model/ops/gradients/softmax";
import { unaryGradients } from "#model/ops/gradients/unary";
import { variadicGradients } from "#model/ops/gradients/variadic";

export const gradients: Readonly<Record<string, GradientRule>> = {
  ...unaryGradients,
  ...binaryGradients,
  ...reduceGradients,
  ...parametricGradients,
  ...variadicGradients,
  ...selectionGradients,
  ...softmaxGradients,
  ...moveGradients,
  ...gatherGradients,
  ...convolutionGradients,
  ...poolingGradients,
  ...normalizationGradients,
  ...resamplingGradients,
  PRelu: preluGradient,
  MatMul: matMulGradient,
  Gemm: gemmGradient,
  "com.microsoft:FusedMatMul": fusedMatMulGradient,
  Einsum: einsumGradient,
};
