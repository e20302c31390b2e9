import { AveragePool } from "#model/ops/AveragePool";
import { BatchNormalization } from "#model/ops/BatchNormalization";
import { Conv } from "#model/ops/Conv";
import { ConvInteger } from "#model/ops/ConvInteger";
import { ConvTranspose } from "#model/ops/ConvTranspose";
import { DequantizeLinear, MicrosoftDequantizeLinear } from "#model/ops/DequantizeLinear";
import { DynamicQuantizeLinear } from "#model/ops/DynamicQuantizeLinear";
import { Gemm } from "#model/ops/Gemm";
import { GlobalAveragePool, GlobalLpPool, GlobalMaxPool } from "#model/ops/GlobalPool";
import { GroupNormalization, InstanceNormalization } from "#model/ops/GroupNormalization";
import { LRN } from "#model/ops/LRN";
import { LayerNormalization, RMSNormalization } from "#model/ops/LayerNormalization";
import { LpNormalization } from "#model/ops/LpNormalization";
import { LpPool } from "#model/ops/LpPool";
import { MatMul } from "#model/ops/MatMul";
import { MatMulInteger } from "#model/ops/MatMulInteger";
import { MaxPool } from "#model/ops/MaxPool";
import { MaxUnpool } from "#model/ops/MaxUnpool";
import { MeanVarianceNormalization } from "#model/ops/MeanVarianceNormalization";
import { QLinearConv } from "#model/ops/QLinearConv";
import { QLinearMatMul } from "#model/ops/QLinearMatMul";
import { MicrosoftQuantizeLinear, QuantizeLinear } from "#model/ops/QuantizeLinear";
import { Resize } from "#model/ops/Resize";
import { Hardmax, LogSoftmax, Softmax } from "#model/ops/Softmax";
import { Upsample } from "#model/ops/Upsample";
import type { Op } from "#model/ops/types";

/** Operators that networks are made of: products, convolutions, pooling, normalization, recurrence, quantization. */
export const neuralOps: readonly Op[] = [
  // products
  Conv,
  ConvTranspose,
  MatMul,
  Gemm,
  // resampling
  Resize,
  Upsample,
  // pooling
  MaxPool,
  AveragePool,
  LpPool,
  GlobalAveragePool,
  GlobalMaxPool,
  GlobalLpPool,
  MaxUnpool,
  // normalization
  BatchNormalization,
  InstanceNormalization,
  GroupNormalization,
  LayerNormalization,
  RMSNormalization,
  LRN,
  LpNormalization,
  MeanVarianceNormalization,
  Softmax,
  LogSoftmax,
  Hardmax,
  // quantization
  QuantizeLinear,
  MicrosoftQuantizeLinear,
  DequantizeLinear,
  MicrosoftDequantizeLinear,
  DynamicQuantizeLinear,
  ConvInteger,
  MatMulInteger,
  QLinearConv,
  QLinearMatMul,
];
