/** Linear quantization and integer arithmetic against numbers of other programs. Adding a case is adding to a file. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { erf } from "#math/erf";
import { fixedPoint, multiplyByFixedPoint } from "#math/fixedPoint";
import { type Affine, decodeAffine, encodeAffine } from "#quant/affine";
import { dtypes, type IntegerDType } from "#quant/dtype";
import { dequantize } from "#quant/dequantize";
import type { Granularity } from "#quant/granularity";
import { type ActivationCodes, integerLayer, integerSums, runIntegerLayer } from "#quant/integerMatMul";
import { observers } from "#quant/observers/index";
import { octavClip } from "#quant/observers/octav";
import type { QTensor } from "#quant/qtensor";
import { quantizeMatrix } from "#quant/quantizers/index";
import { rotate } from "#quant/rotation";
import type { Histogram, Summary } from "#quant/summary";
import { createRng } from "#base/rng";
import type { OperatorFile } from "../operatorCase";

function golden(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`./${name}.json`, import.meta.url), "utf8"));
}

function affine(
  dtype: Affine["dtype"],
  granularity: Granularity,
  scale: readonly number[],
  zeroPoint: readonly number[] | undefined,
): Affine {
  const zeros = zeroPoint === undefined ? null : Int32Array.from(zeroPoint);
  return { kind: "affine", dtype, granularity, scale: Float32Array.from(scale), zeroPoint: zeros };
}

interface Clips {
  readonly shape: readonly [number, number];
  readonly x: number[];
  readonly cases: readonly {
    readonly dtype: string;
    readonly clip: number;
    readonly mse: number;
    readonly mseOfExtremes: number;
  }[];
}

const clips = golden("linear/mse-clip") as Clips;

test.each(clips.cases)("the range of least error for $dtype is that of the lecture's matrix", (given) => {
  const { dtype, clip, mse, mseOfExtremes } = given;
  const x = { values: Float32Array.from(clips.x), rows: clips.shape[0], columns: clips.shape[1] };
  const meanError = (q: QTensor): number =>
    dequantize(q).reduce((sum, v, i) => sum + (v - clips.x[i]) ** 2, 0) / clips.x.length;
  const q = quantizeMatrix(x, `${dtype}/mse`, { rng: createRng(1) });
  const codes = 2 ** ((dtypes.get(dtype as IntegerDType)?.bits ?? 0) - 1) - 1;
  expect(q.decoding.kind === "affine" && q.decoding.scale[0] * codes).toBeCloseTo(clip, 5);
  expect(meanError(q) / mse).toBeCloseTo(1, 4);
  expect(meanError(quantizeMatrix(x, dtype, { rng: createRng(1) })) / mseOfExtremes).toBeCloseTo(1, 3);
});

interface Constants {
  readonly cases: readonly {
    readonly bits: number;
    readonly aciqLaplace: number;
    readonly aciqGauss: number;
    readonly octavGauss: number;
    readonly octavGaussError: number;
    readonly octavLaplace: number;
  }[];
}

/** What calibration would have seen of 2³⁰ values of a symmetric density, were they spread as it says. */
function densitySummary(cumulative: (x: number) => number, reach: number): Summary {
  const width = 1 / 512;
  const bins = reach / width;
  const counts = Float64Array.from({ length: 2 * bins }, (_, i) => {
    const x = (i - bins) * width;
    return 2 ** 30 * (cumulative(x + width) - cumulative(x));
  });
  const histogram: Histogram = { width, first: -bins, counts };
  const count = counts.reduce((sum, n) => sum + n, 0);
  return { count, min: -reach, max: reach, samples: 1, sumOfMin: -reach, sumOfMax: reach, histogram };
}

describe("clips of known densities", () => {
  const gauss = densitySummary((x) => (1 + erf(x / Math.SQRT2)) / 2, 7);
  const laplace = densitySummary((x) => (x < 0 ? Math.exp(x) / 2 : 1 - Math.exp(-x) / 2), 30);

  test.each((golden("linear/clip-constants") as Constants).cases)("are the published ones for $bits bits", (given) => {
    const use = { dtype: `int${given.bits}` as IntegerDType, symmetric: true };
    const clip = (by: "aciq" | "octav", of: Summary) => observers[by].range(of, { by }, use).high;
    // bins of 1/512 stand for their middles, which widens the densities a little
    expect(clip("aciq", gauss)).toBeCloseTo(given.aciqGauss, 3);
    expect(clip("aciq", laplace)).toBeCloseTo(given.aciqLaplace, 3);
    expect(clip("octav", gauss)).toBeCloseTo(given.octavGauss, 3);
    expect(clip("octav", laplace)).toBeCloseTo(given.octavLaplace, 2);
  });

  test.each((golden("linear/clip-constants") as Constants).cases)("leave the published error at $bits bits", (given) => {
    const { counts, width, first } = gauss.histogram!; // made above
    const magnitudes = Float64Array.from(counts, (_, i) => Math.abs((first + i + 0.5) * width));
    const share = 4 ** -given.bits / 3;
    const s = octavClip(magnitudes, counts, share);
    const error = magnitudes.reduce((sum, x, i) => sum + counts[i] * (x > s ? (x - s) ** 2 : share * s * s), 0);
    expect(error / gauss.count / given.octavGaussError).toBeCloseTo(1, 3);
  });
});

interface FixedPoints {
  readonly multipliers: readonly { readonly multiplier: number; readonly mantissa: number; readonly shift: number }[];
  readonly products: readonly {
    readonly mantissa: number;
    readonly shift: number;
    readonly x: number[];
    readonly double: number[];
    readonly single: number[];
  }[];
}

describe("fixed-point multipliers", () => {
  const { multipliers, products } = golden("linear/fixed-point") as FixedPoints;

  test.each(multipliers)("$multiplier is $mantissa · 2^($shift − 31)", ({ multiplier, mantissa, shift }) => {
    expect(fixedPoint(multiplier)).toEqual({ mantissa, shift });
  });

  test.each(products)("times $mantissa · 2^($shift − 31), rounded twice and once", (given) => {
    for (const rounding of ["double", "single"] as const)
      expect(given.x.map((x) => multiplyByFixedPoint(x, given, rounding))).toEqual(given[rounding]);
  });
});

interface FullyConnected {
  readonly samples: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly x: number[];
  readonly weights: number[];
  readonly bias: number[];
  readonly input: ActivationCodes;
  readonly output: ActivationCodes;
  readonly xCodes: number[];
  readonly weightCodes: number[];
  readonly foldedBias: number[];
  readonly yCodes: number[];
}

describe("a quantized fully connected layer", () => {
  const given = golden("linear/quantized-fc") as FullyConnected;
  const { samples, inputs, outputs, input, output } = given;
  const weights = quantizeMatrix(
    { values: Float32Array.from(given.weights), rows: outputs, columns: inputs },
    "int2/channel",
    { rng: createRng(1) },
  );
  const layer = integerLayer(weights, given.bias, input, output);

  test("has the codes of the lab's weights and inputs", () => {
    expect([...weights.codes].map((q) => q + 0)).toEqual(given.weightCodes);
    const codes = affine(input.dtype, { per: "tensor" }, [input.scale], [input.zeroPoint]);
    const x = encodeAffine(Float32Array.from(given.x), [samples, inputs], codes, { symmetric: false });
    expect([...x]).toEqual(given.xCodes);
  });

  test("folds the inputs' zero point into its bias", () => {
    expect([...layer.bias]).toEqual(given.foldedBias);
  });

  test("gives the lab's codes, in integers only", () => {
    expect([...runIntegerLayer(layer, given.xCodes)]).toEqual(given.yCodes);
  });

  test("is off by one in places when products are rounded twice", () => {
    const twice = runIntegerLayer(layer, given.xCodes, "double");
    const off = [...twice].map((q, i) => Math.abs(q - given.yCodes[i]));
    expect(Math.max(...off)).toBe(1);
  });
});

interface Codes extends ActivationCodes {
  readonly codes: number[];
}

interface Products {
  readonly cases: readonly {
    readonly name: string;
    readonly rows: number;
    readonly inner: number;
    readonly columns: number;
    readonly a: Codes;
    readonly b: Codes;
    readonly y?: Codes;
    readonly sums: number[];
  }[];
}

test.each((golden("linear/integer-matmul") as Products).cases)("ONNX's integer product: $name", (given) => {
  const { inner, columns, a, b, y, sums } = given;
  const transposed = Int32Array.from(b.codes, (_, at) => b.codes[(at % inner) * columns + Math.floor(at / inner)]);
  const decoding = affine(b.dtype, { per: "tensor" }, [b.scale], [b.zeroPoint]);
  const weights = { scheme: b.dtype, rows: columns, columns: inner, codes: transposed, decoding };
  const layer = integerLayer(weights, undefined, a, y ?? { dtype: "int32", scale: 1, zeroPoint: 0 });
  expect([...integerSums(layer, a.codes)]).toEqual(sums);
  for (const rounding of ["double", "single"] as const)
    expect([...runIntegerLayer(layer, a.codes, rounding)]).toEqual(y?.codes ?? sums);
});

interface Rotations {
  readonly cases: readonly { readonly order: number; readonly x: number[]; readonly rotated: number[] }[];
}

test.each((golden("linear/hadamard") as Rotations).cases)("a rotation of order $order", ({ order, x, rotated }) => {
  const signs = new Int8Array(x.length).fill(1);
  const turned = rotate({ values: Float32Array.from(x), rows: 1, columns: x.length }, { order, signs });
  expect([...turned.values]).toEqual(rotated);
});

/** The operators' cases are cases of the codes they speak of, too. */
describe.each(["QuantizeLinear", "DequantizeLinear"])("affine codes are ONNX's: %s", (op) => {
  const { cases } = golden(`onnx-quantize/${op}`) as OperatorFile;
  const ofIntegers = cases.filter(({ inputs, outputs }) =>
    [inputs[0], outputs[0]].some((tensor) => tensor !== null && /int/.test(tensor.type)),
  );
  test.each(ofIntegers)("$name", ({ attributes = {}, inputs: [x, s, z], outputs: [y] }) => {
    if (x === null || s === null || y === null) throw new Error("an operand is missing");
    const { axis = 1, block_size: size = 0 } = attributes as { axis?: number; block_size?: number };
    const granularity: Granularity =
      s.dims.length === 0 ? { per: "tensor" } : size > 0 ? { per: "group", axis, size } : { per: "channel", axis };
    const type = (op === "QuantizeLinear" ? y : x).type as IntegerDType;
    const decoding = affine(type, granularity, s.data.map(Number), z?.data.map(Number));
    const values = x.data.map(Number);
    const got =
      op === "QuantizeLinear"
        ? encodeAffine(Float32Array.from(values), x.dims, decoding, { symmetric: false })
        : decodeAffine(values, x.dims, decoding);
    expect([...got].map((v) => v + 0)).toEqual(y.data.map(Number));
  });
});
