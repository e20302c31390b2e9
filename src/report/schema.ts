/**
 * The shape of `Report`, to check what comes from a file. Unknown fields are kept: a newer version may have added
 * them.
 */
import type { Report } from "#report/types";
import * as v from "valibot";

/** null stands for NaN, which JSON cannot say. */
const number = v.pipe(
  v.nullable(v.number()),
  v.transform((value) => value ?? Number.NaN),
);
const orNull = v.nullable(v.number());
const numbers = v.array(v.number());
const label = v.picklist(["measured", "modelled", "published"]);

const file = v.looseObject({ path: v.string(), sha256: v.string(), format: v.string() });

const ledgerRow = v.looseObject({
  tensor: v.string(),
  shape: numbers,
  scheme: v.string(),
  bytes: v.number(),
  floatBytes: v.number(),
  entropyCodedBytes: v.number(),
  bitsPerWeight: v.optional(v.looseObject({ nominal: v.number(), stored: v.number(), entropyCoded: v.number() })),
});

const size = v.looseObject({
  inputBytes: v.number(),
  outputBytes: v.number(),
  ratio: number,
  entropyCodedBytes: v.number(),
  ledger: v.array(ledgerRow),
});

const quality = v.looseObject({
  metric: v.string(),
  samples: v.number(),
  data: v.string(),
  float: orNull,
  quantized: orNull,
  drop: orNull,
  agreement: orNull,
  logitSqnrDb: number,
  perplexity: v.optional(v.looseObject({ float: number, quantized: number })),
});

const speed = v.looseObject({
  label: v.literal("measured"),
  runtime: v.string(),
  threads: v.number(),
  floatMs: number,
  quantizedMs: number,
  speedup: number,
  rounds: v.number(),
});

const energy = v.looseObject({
  label: v.literal("modelled"),
  model: v.string(),
  floatMilliJoule: number,
  quantizedMilliJoule: number,
  saving: number,
});

const memory = v.looseObject({ label, what: v.string(), floatBytes: v.number(), quantizedBytes: v.number() });

const layer = v.looseObject({
  name: v.string(),
  op: v.string(),
  weights: v.string(),
  activations: v.string(),
  sqnrDb: orNull,
  dropIfFloat: v.optional(number),
  cause: v.optional(v.string()),
  fix: v.optional(v.string()),
  why: v.string(),
  macs: v.optional(v.number()),
  ms: v.optional(v.looseObject({ float: number, quantized: number })),
});

const histogram = v.looseObject({
  tensor: v.string(),
  low: number,
  width: number,
  counts: numbers,
  levels: numbers,
  scheme: v.string(),
});

const quantizerComparison = v.looseObject({
  model: v.string(),
  layers: v.array(v.string()),
  weights: v.number(),
  rows: v.array(
    v.looseObject({
      scheme: v.string(),
      quantizer: v.string(),
      decoding: v.string(),
      nominalBits: v.number(),
      bitsPerWeight: v.nullable(v.number()),
      sqnrDb: orNull,
      weights: v.number(),
      skipped: v.number(),
      why: v.optional(v.string()),
      seconds: v.number(),
    }),
  ),
  tensor: v.optional(
    v.looseObject({
      histogram,
      quantizers: v.array(
        v.looseObject({ scheme: v.string(), sqnrDb: number, bitsPerWeight: v.number(), levels: numbers }),
      ),
    }),
  ),
});

const diagnostic = v.looseObject({
  code: v.string(),
  level: v.picklist(["info", "warning"]),
  message: v.string(),
  at: v.optional(
    v.looseObject({
      file: v.optional(v.string()),
      tensor: v.optional(v.string()),
      node: v.optional(v.string()),
      op: v.optional(v.string()),
      byte: v.optional(v.number()),
      line: v.optional(v.number()),
    }),
  ),
  hint: v.optional(v.string()),
});

export const reportSchema = v.looseObject({
  version: v.literal(1),
  tool: v.string(),
  input: file,
  output: file,
  recipe: v.unknown(),
  seed: v.number(),
  target: v.optional(v.string()),
  calibration: v.optional(v.looseObject({ samples: v.number(), data: v.string() })),
  size,
  quality: v.nullable(quality),
  speed: v.nullable(speed),
  energy: v.nullable(energy),
  memory: v.nullable(memory),
  layers: v.array(layer),
  histograms: v.optional(v.array(histogram)),
  quantizers: v.optional(quantizerComparison),
  diagnostics: v.array(diagnostic),
  durationMs: number,
}) satisfies v.GenericSchema<unknown, Report>;
