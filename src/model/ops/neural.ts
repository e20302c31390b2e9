import { AffineGrid } from "#model/ops/AffineGrid";
import { Attention } from "#model/ops/Attention";
import { AveragePool } from "#model/ops/AveragePool";
import { BatchNormalization } from "#model/ops/BatchNormalization";
import { Col2Im } from "#model/ops/Col2Im";
import { Conv } from "#model/ops/Conv";
import { ConvInteger } from "#model/ops/ConvInteger";
import { ConvTranspose } from "#model/ops/ConvTranspose";
import { DFT } from "#model/ops/DFT";
import { DeformConv } from "#model/ops/DeformConv";
import { DequantizeLinear, MicrosoftDequantizeLinear } from "#model/ops/DequantizeLinear";
import { DynamicQuantizeLinear } from "#model/ops/DynamicQuantizeLinear";
import { Einsum } from "#model/ops/Einsum";
import { GRU } from "#model/ops/GRU";
import { Gemm } from "#model/ops/Gemm";
import { GlobalAveragePool, GlobalLpPool, GlobalMaxPool } from "#model/ops/GlobalPool";
import { GridSample } from "#model/ops/GridSample";
import { GroupNormalization, InstanceNormalization } from "#model/ops/GroupNormalization";
import { LRN } from "#model/ops/LRN";
import { LSTM } from "#model/ops/LSTM";
import { LayerNormalization, RMSNormalization } from "#model/ops/LayerNormalization";
import { LpNormalization } from "#model/ops/LpNormalization";
import { LpPool } from "#model/ops/LpPool";
import { MatMul } from "#model/ops/MatMul";
import { MatMulInteger } from "#model/ops/MatMulInteger";
import { MaxPool } from "#model/ops/MaxPool";
import { MaxRoiPool } from "#model/ops/MaxRoiPool";
import { MaxUnpool } from "#model/ops/MaxUnpool";
import { MeanVarianceNormalization } from "#model/ops/MeanVarianceNormalization";
import { MelWeightMatrix } from "#model/ops/MelWeightMatrix";
import { NegativeLogLikelihoodLoss } from "#model/ops/NegativeLogLikelihoodLoss";
import { NonMaxSuppression } from "#model/ops/NonMaxSuppression";
import { QLinearConv } from "#model/ops/QLinearConv";
import { QLinearMatMul } from "#model/ops/QLinearMatMul";
import { MicrosoftQuantizeLinear, QuantizeLinear } from "#model/ops/QuantizeLinear";
import { RNN } from "#model/ops/RNN";
import { Resize } from "#model/ops/Resize";
import { RoiAlign } from "#model/ops/RoiAlign";
import { RotaryEmbedding } from "#model/ops/RotaryEmbedding";
import { STFT } from "#model/ops/STFT";
import { Hardmax, LogSoftmax, Softmax } from "#model/ops/Softmax";
import { SoftmaxCrossEntropyLoss } from "#model/ops/SoftmaxCrossEntropyLoss";
import { Upsample } from "#model/ops/Upsample";
import { classicalLearningOps } from "#model/ops/classicalLearning";
import { DynamicQuantizeLSTM } from "#model/ops/microsoft/DynamicQuantizeLSTM";
import { DynamicQuantizeMatMul, MatMulIntegerToFloat } from "#model/ops/microsoft/DynamicQuantizeMatMul";
import { FusedMatMul } from "#model/ops/microsoft/FusedMatMul";
import { GatherBlockQuantized } from "#model/ops/microsoft/GatherBlockQuantized";
import { MatMulNBits } from "#model/ops/microsoft/MatMulNBits";
import { QGemm } from "#model/ops/microsoft/QGemm";
import { QLinearAveragePool, QLinearGlobalAveragePool } from "#model/ops/microsoft/QLinearAveragePool";
import { QLinearConcat } from "#model/ops/microsoft/QLinearConcat";
import { QLinearSoftmax } from "#model/ops/microsoft/QLinearSoftmax";
import { SkipLayerNormalization, SkipSimplifiedLayerNormalization } from "#model/ops/microsoft/SkipLayerNormalization";
import { BiasGelu, FastGelu, MicrosoftGelu, QuickGelu } from "#model/ops/microsoft/gelu";
import { QLinearAdd, QLinearLeakyRelu, QLinearMul, QLinearSigmoid } from "#model/ops/microsoft/qlinearElementwise";
import { randomOps } from "#model/ops/random";
import { BlackmanWindow, HammingWindow, HannWindow } from "#model/ops/windowFunctions";
import type { Op } from "#model/ops/types";

/** Operators that networks are made of: products, convolutions, pooling, normalization, recurrence, quantization. */
export const neuralOps: readonly Op[] = [
  // products
  Conv,
  ConvTranspose,
  DeformConv,
  Col2Im,
  MatMul,
  Gemm,
  Einsum,
  // pooling
  MaxPool,
  AveragePool,
  LpPool,
  GlobalAveragePool,
  GlobalMaxPool,
  GlobalLpPool,
  MaxUnpool,
  // resampling
  Resize,
  Upsample,
  GridSample,
  AffineGrid,
  RoiAlign,
  MaxRoiPool,
  NonMaxSuppression,
  // recurrence and attention
  LSTM,
  GRU,
  RNN,
  Attention,
  RotaryEmbedding,
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
  // signals
  DFT,
  STFT,
  HannWindow,
  HammingWindow,
  BlackmanWindow,
  MelWeightMatrix,
  // losses
  NegativeLogLikelihoodLoss,
  SoftmaxCrossEntropyLoss,
  // ONNX Runtime's own
  MatMulNBits,
  GatherBlockQuantized,
  QLinearAdd,
  QLinearMul,
  QLinearSigmoid,
  QLinearLeakyRelu,
  QLinearSoftmax,
  QLinearAveragePool,
  QLinearGlobalAveragePool,
  QLinearConcat,
  QGemm,
  DynamicQuantizeMatMul,
  MatMulIntegerToFloat,
  FusedMatMul,
  MicrosoftGelu,
  BiasGelu,
  FastGelu,
  QuickGelu,
  SkipLayerNormalization,
  SkipSimplifiedLayerNormalization,
  DynamicQuantizeLSTM,
  // without forward
  ...randomOps,
  ...classicalLearningOps,
];
