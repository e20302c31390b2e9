/**
 * Why a layer loses, from what was measured of it, and what would mend it. Noise powers add up: the noise of a layer's result is what
 * arrives with its inputs, what its own weights add, and what the quantizer of its result adds; the largest part names the cause.
 */
import type { Summary } from "#quant/summary";
import { observers } from "#quant/observers/index";
import { quantizationError } from "#quant/observers/mse";
import { dtypes, type DTypeName } from "#quant/dtype";
import type { LayerQuality, WeightedLayer } from "#report/layerQuality";
import { nominalBits } from "#report/nominalBits";
import { audibleDb } from "#report/worstLayers";

/**
 * `outlier-range`: a few values far from the rest stretch the range, and the codes left for the rest are too few. For activations when
 * rounding, not clipping, is the loss and the range is many times the usual size of the values; for weights when the largest lies
 * many standard deviations out.
 *
 * `per-tensor-spread`: one scale for the whole weight, set by its largest channel, and channels that are much smaller: these have
 * only a few codes each.
 *
 * `saturation`: values outside of the range are clipped to its ends, and that loses more than rounding does. The range was cut too
 * far, or what the model sees now was not in the calibration data.
 *
 * `narrow-bits`: nothing sticks out; a grid of so few bits is simply too coarse for this layer.
 *
 * `unquantizable`: no range serves: with outliers inside the rest is lost, without them they are, and they matter.
 *
 * `hard-output`: the layer's result is the model's answer (scores, coordinates), where every step of the grid is seen.
 *
 * `amplified`: weights and quantizer of the layer do little, but the error that arrives comes out larger: the result is a small
 * difference of large values. Typical for projections after ReLU6 in MobileNets.
 *
 * `inherited`: the layer only hands on what is already wrong in its inputs.
 *
 * `non-finite`: the quantized model puts out NaN or infinities here and the float one does not.
 */
export type Cause =
  | "outlier-range"
  | "per-tensor-spread"
  | "saturation"
  | "narrow-bits"
  | "unquantizable"
  | "hard-output"
  | "amplified"
  | "inherited"
  | "non-finite";

export interface Explanation {
  readonly cause: Cause;
  /** One sentence that names a flag. */
  readonly fix: string;
}

/** What is known of a layer besides its noise. All of it is optional: what is not known is not blamed. */
export interface LayerFacts {
  /** The name that `--keep` finds it by. Default: its node. */
  readonly name?: string;
  readonly weights?: {
    /** → "int8/channel" */
    readonly scheme: string;
    /** Of `weightStatistics`. */
    readonly channelSpread: number;
    readonly outlierSigmas: number;
  };
  /** Scheme of its result, with the range rule. → "uint8/asymmetric/percentile:99.9" */
  readonly activations?: string;
  /** What calibration saw of its result. */
  readonly summary?: Summary;
}

/** A part of the noise is to blame from this share on. */
const decisive = 0.4;
/** Gaussian weights of any size stay below 7 standard deviations. */
const manySigmas = 12;
/** From here on a channel of middle size loses more than two bits to the largest one. */
const wideSpread = 4;
/** A range of so many root mean squares is set by few values; a Gaussian's is about 8. */
const stretched = 24;
/** The least improvement by clipping that is worth a word: 1.5 dB. */
const worthClipping = 0.7;

/**
 * The causes of all layers whose SQNR is below `belowDb` (default: what deserves a look), by output. Inherited noise is followed up
 * to where it was made.
 */
export function explainLayers(
  { values, layers }: Pick<LayerQuality, "values" | "layers">,
  factsOf: (layer: WeightedLayer) => LayerFacts,
  belowDb = audibleDb,
): Map<string, Explanation> {
  const origins = noiseOrigins(values);
  const named = new Map<string, string>();
  for (const layer of layers.values()) named.set(layer.at.value, factsOf(layer).name ?? layer.node);
  const explained = new Map<string, Explanation>();
  for (const layer of layers.values()) {
    const found = layer.at.sqnrDb >= belowDb ? undefined : causeOf(layer, factsOf(layer));
    if (found === undefined) continue;
    const origin = found.cause === "inherited" ? origins.get(layer.at.value) : undefined;
    const from = origin === undefined ? undefined : (named.get(origin) ?? values.get(origin)?.node);
    const name = factsOf(layer).name ?? layer.node;
    const fix =
      origin === undefined
        ? found.fix
        : from === undefined
          ? `the rounding of the model's input ${origin} is what it hands on; to spare it, --keep ${name}`
          : `mend ${from} first: the error comes from there`;
    explained.set(layer.output, { ...found, fix });
  }
  return explained;
}

/** Of each value, the one where most of its noise was made: itself, or what it reads, or what that reads … */
function noiseOrigins(values: LayerQuality["values"]): Map<string, string> {
  const origins = new Map<string, string>();
  for (const { value, sqnrDb, arrivingDb, arrivingFrom: from } of values.values()) {
    const inherits = from !== undefined && !(power(arrivingDb) < decisive * power(sqnrDb));
    origins.set(value, inherits ? (origins.get(from) ?? from) : value);
  }
  return origins;
}

/** The cause of one layer's noise; undefined where there is none, or none that was measured. */
export function causeOf(layer: WeightedLayer, facts: LayerFacts = {}): Explanation | undefined {
  const { sqnrDb, arrivingDb, quantizer } = layer.at;
  const keep = `--keep ${facts.name ?? layer.node}`;
  if (Number.isNaN(arrivingDb)) return { cause: "inherited", fix: "mend the layers before it first" };
  if (Number.isNaN(sqnrDb)) return { cause: "non-finite", fix: `keep it in float: ${keep}` };
  if (sqnrDb === Number.POSITIVE_INFINITY) return undefined;
  const total = power(sqnrDb);
  const [weights, rounding] = [power(layer.weightsDb), power(quantizer?.sqnrDb)];
  if (Math.max(weights, rounding) >= decisive * total)
    return weights >= rounding ? weightCause(facts, keep) : resultCause(layer, facts, keep, rounding);
  const arriving = power(arrivingDb);
  if (arriving >= decisive * total) return { cause: "inherited", fix: "mend the layers before it first" };
  // more than all parts together: what arrives has grown, if anything arrives
  return arriving > 0 ? { cause: "amplified", fix: `compute it, and so what it reads, in float: ${keep}` } : undefined;
}

/** Noise over signal. */
function power(db: number | undefined): number {
  return db === undefined ? 0 : 10 ** (-db / 10);
}

function weightCause({ weights }: LayerFacts, keep: string): Explanation {
  const scheme = weights?.scheme ?? "";
  const [dtype, granularity] = scheme.split("/");
  const bits = bitsOf(dtype);
  const finer =
    bits < 8 ? `give its weights more bits (--weights int8/channel) or ${keep}` : `keep it in float: ${keep}`;
  if (weights === undefined) return { cause: "narrow-bits", fix: finer };
  if (granularity === "tensor" && weights.channelSpread >= wideSpread)
    return { cause: "per-tensor-spread", fix: `give each channel its own scale: --weights ${dtype}/channel` };
  if (weights.outlierSigmas < manySigmas) return { cause: "narrow-bits", fix: finer };
  const size = Number(/^group:(\d+)$/.exec(granularity ?? "")?.[1] ?? 0);
  const smaller = size > 16 ? 16 : bits < 8 && size === 0 ? 32 : 0;
  const grouped = `${dtype}/group:${smaller}`;
  const fix =
    smaller > 0 && nominalBits(grouped) !== undefined
      ? `let fewer weights share a scale: --weights ${grouped}`
      : bits < 8
        ? finer
        : `keep it in float: ${keep}`;
  return { cause: "outlier-range", fix };
}

function resultCause(layer: WeightedLayer, facts: LayerFacts, keep: string, rounding: number): Explanation {
  const { activations = "uint8", summary } = facts;
  const [dtype, ...flags] = activations.split("/");
  const rule = flags.find((flag) => /^(average|percentile|mse|entropy|aciq|octav)/.test(flag));
  if (power(layer.at.quantizer?.clippedDb) >= rounding / 2) {
    const fix =
      rule === undefined
        ? "calibrate on more and more typical samples: --calibrate 200"
        : `let the range cover all values: --activations ${dtype}/minmax`;
    return { cause: "saturation", fix };
  }
  if (layer.answers) return { cause: "hard-output", fix: `keep it in float: ${keep}` };
  // rounding noise is step²/12, and the range has 2^bits − 1 steps
  const range = (2 ** bitsOf(dtype) - 1) * Math.sqrt(12 * rounding);
  const gain = summary && clippingGain(summary, dtype);
  if (gain === undefined ? range < stretched : gain > worthClipping)
    return { cause: range < stretched ? "narrow-bits" : "unquantizable", fix: `keep it in float: ${keep}` };
  const next = rule?.startsWith("percentile") === true ? "mse" : "percentile:99.99";
  return { cause: "outlier-range", fix: `cut the range: --activations ${dtype}/${next}, or ${keep}` };
}

/** The least error that any range allows over that of the full range; undefined without a histogram. */
function clippingGain(summary: Summary, name: string): number | undefined {
  const { histogram } = summary;
  if (histogram === undefined || !dtypes.has(name as DTypeName)) return undefined;
  const use = { dtype: name as DTypeName, symmetric: false };
  const full = quantizationError(histogram, { low: summary.min, high: summary.max }, use);
  const best = quantizationError(histogram, observers.mse.range(summary, { by: "mse" }, use), use);
  return full > 0 ? best / full : undefined;
}

/** 8 for what only others write. */
function bitsOf(scheme: string): number {
  return nominalBits(scheme) ?? 8;
}
