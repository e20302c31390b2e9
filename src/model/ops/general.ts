import { argOps } from "#model/ops/arg";
import { binaryOps } from "#model/ops/binary";
import { CenterCropPad } from "#model/ops/CenterCropPad";
import { Clip } from "#model/ops/Clip";
import { Compress } from "#model/ops/Compress";
import { Concat } from "#model/ops/Concat";
import { Constant } from "#model/ops/Constant";
import { ConstantOfShape } from "#model/ops/ConstantOfShape";
import { BitCast, Cast, CastLike } from "#model/ops/cast";
import { compareOps } from "#model/ops/compare";
import { cumulativeOps } from "#model/ops/cumulative";
import { Det } from "#model/ops/Det";
import { Dropout } from "#model/ops/Dropout";
import { DepthToSpace, SpaceToDepth } from "#model/ops/depthSpace";
import { Expand } from "#model/ops/Expand";
import { EyeLike } from "#model/ops/EyeLike";
import { Flatten } from "#model/ops/Flatten";
import { Gather } from "#model/ops/Gather";
import { GatherElements } from "#model/ops/GatherElements";
import { GatherND } from "#model/ops/GatherND";
import { Identity } from "#model/ops/Identity";
import { If } from "#model/ops/If";
import { Loop } from "#model/ops/Loop";
import { NonZero } from "#model/ops/NonZero";
import { OneHot } from "#model/ops/OneHot";
import { Pad } from "#model/ops/Pad";
import { parametricOps } from "#model/ops/parametric";
import { Pow } from "#model/ops/Pow";
import { PRelu } from "#model/ops/PRelu";
import { Range } from "#model/ops/Range";
import { Reshape } from "#model/ops/Reshape";
import { ReverseSequence } from "#model/ops/ReverseSequence";
import { reduceOps } from "#model/ops/reduce";
import { Scan } from "#model/ops/Scan";
import { Shape } from "#model/ops/Shape";
import { Size } from "#model/ops/Size";
import { Slice } from "#model/ops/Slice";
import { Split } from "#model/ops/Split";
import { Squeeze } from "#model/ops/Squeeze";
import { scatterOps } from "#model/ops/scatter";
import { Tile } from "#model/ops/Tile";
import { TopK } from "#model/ops/TopK";
import { Transpose } from "#model/ops/Transpose";
import { Trilu } from "#model/ops/Trilu";
import type { Op } from "#model/ops/types";
import { Unique } from "#model/ops/Unique";
import { Unsqueeze } from "#model/ops/Unsqueeze";
import { unaryOps } from "#model/ops/unary";
import { variadicOps } from "#model/ops/variadic";
import { Where } from "#model/ops/Where";

/** Operators that move, compare, and compute element by element, and control flow. */
export const generalOps: readonly Op[] = [
  // one element at a time
  ...unaryOps,
  ...parametricOps,
  ...binaryOps,
  ...compareOps,
  ...variadicOps,
  Pow,
  Clip,
  PRelu,
  Where,
  Dropout,
  Cast,
  CastLike,
  BitCast,
  // along axes
  ...reduceOps,
  ...argOps,
  ...cumulativeOps,
  TopK,
  Unique,
  Det,
  // moving elements
  Identity,
  Reshape,
  Flatten,
  Squeeze,
  Unsqueeze,
  Transpose,
  Concat,
  Split,
  Slice,
  Pad,
  Tile,
  Expand,
  Trilu,
  CenterCropPad,
  DepthToSpace,
  SpaceToDepth,
  ReverseSequence,
  Gather,
  GatherElements,
  GatherND,
  ...scatterOps,
  Compress,
  // shapes and constants
  Shape,
  Size,
  Constant,
  ConstantOfShape,
  Range,
  EyeLike,
  OneHot,
  NonZero,
  // control flow
  If,
  Loop,
  Scan,
];
