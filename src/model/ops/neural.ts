import { Conv } from "#model/ops/Conv";
import { ConvInteger } from "#model/ops/ConvInteger";
import { ConvTranspose } from "#model/ops/ConvTranspose";
import { DequantizeLinear, MicrosoftDequantizeLinear } from "#model/ops/DequantizeLinear";
import { DynamicQuantizeLinear } from "#model/ops/DynamicQuantizeLinear";
import { Gemm } from "#model/ops/Gemm";
import { MatMul } from "#model/ops/MatMul";
import { MatMulInteger } from "#model/ops/MatMulInteger";
import { QLinearConv } from "#model/ops/QLinearConv";
import { QLinearMatMul } from "#model/ops/QLinearMatMul";
import { MicrosoftQuantizeLinear, QuantizeLinear } from "#model/ops/QuantizeLinear";
import type { Op } from "#model/ops/types";

/** Operators that networks are made of: products, convolutions, pooling, normalization, recurrence, quantization. */
export const neuralOps: readonly Op[] = [
  Conv,
  ConvTranspose,
  ConvInteger,
  QLinearConv,
  MatMul,
  Gemm,
  MatMulInteger,
  QLinearMatMul,
  QuantizeLinear,
  DequantizeLinear,
  DynamicQuantizeLinear,
  MicrosoftQuantizeLinear,
  MicrosoftDequantizeLinear,
];
