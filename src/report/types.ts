/**
 * The report, version 1 (DESIGN §7): what was done to a model, and the evidence. Fields may be added, never renamed.
 * Accuracies and agreement are fractions 0–1; sizes are bytes; every number's kind is in its label.
 */
import type { Diagnostic } from "#base/errors";

export type Label = "measured" | "modelled" | "published";

export interface FileFacts {
  readonly path: string;
  readonly sha256: string;
  readonly format: string;
}

/** One row of the size ledger: a stored tensor, or what is left (graph structure). */
export interface LedgerRow {
  readonly tensor: string;
  readonly shape: readonly number[];
  /** "int8/channel", "float32", "structure", … */
  readonly scheme: string;
  /** As stored, with scales, zero points and padding. */
  readonly bytes: number;
  readonly floatBytes: number;
  /** Bytes an ideal entropy coder would need for the codes, plus the rest as stored. */
  readonly entropyCodedBytes: number;
  /** Of weights: `nominal` is the width of a code alone, the others are counted in the file, with all that decoding needs. */
  readonly bitsPerWeight?: { readonly nominal: number; readonly stored: number; readonly entropyCoded: number };
}

export interface SizeReport {
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly ratio: number;
  readonly entropyCodedBytes: number;
  readonly ledger: readonly LedgerRow[];
}

export interface QualityReport {
  /** "top1", "top5", "nll", "sqnr" or "agreement". */
  readonly metric: string;
  readonly samples: number;
  /** Name of the data, and "random" when it was made up. */
  readonly data: string;
  readonly float: number | null;
  readonly quantized: number | null;
  /** float − quantized, in the metric's own unit (nll: quantized − float). */
  readonly drop: number | null;
  /** Share of samples where both models give the same answer. */
  readonly agreement: number | null;
  /** Signal-to-noise ratio of the outputs, 10·log₁₀(Σx² / Σ(x−x̂)²). */
  readonly logitSqnrDb: number;
  readonly perplexity?: { readonly float: number; readonly quantized: number };
}

/** What the ranges and statistics were learned from. */
export interface CalibrationReport {
  readonly samples: number;
  /** Name of the data, and "random" when it was made up. */
  readonly data: string;
}

export interface SpeedReport {
  readonly label: "measured";
  readonly runtime: string;
  readonly threads: number;
  /** Median of interleaved runs. */
  readonly floatMs: number;
  readonly quantizedMs: number;
  readonly speedup: number;
  readonly rounds: number;
}

export interface EnergyReport {
  readonly label: "modelled";
  /** e.g. "Horowitz 45 nm, DRAM 640 pJ / 32 bit". */
  readonly model: string;
  readonly floatMilliJoule: number;
  readonly quantizedMilliJoule: number;
  readonly saving: number;
}

export interface MemoryReport {
  readonly label: Label;
  /** What was counted: "weights + peak activations, batch 1". */
  readonly what: string;
  readonly floatBytes: number;
  readonly quantizedBytes: number;
}

export interface LayerReport {
  readonly name: string;
  readonly op: string;
  /** Scheme of the weights, "float32" where untouched; "" for a layer without weights. */
  readonly weights: string;
  readonly activations: string;
  /** Of the layer's output against the float model's, both fed the same sample. */
  readonly sqnrDb: number | null;
  /** The model's drop (`quality.drop`) if this layer alone were float again; below that drop, the layer is to blame. */
  readonly dropIfFloat?: number;
  /** Why accuracy is lost here: "outlier-range", "per-tensor-spread", "saturation", "unquantizable", … */
  readonly cause?: string;
  /** What would mend the cause. */
  readonly fix?: string;
  /** Why this layer got its scheme. */
  readonly why: string;
  readonly macs?: number;
  readonly ms?: { readonly float: number; readonly quantized: number };
}

/** A histogram for the pictures: `counts[i]` values fall in [low + i·width, low + (i+1)·width). */
export interface HistogramReport {
  readonly tensor: string;
  readonly low: number;
  readonly width: number;
  readonly counts: readonly number[];
  /** Representable values, where they are few enough to draw (≤ 256). */
  readonly levels: readonly number[];
  readonly scheme: string;
}

/** What one scheme makes of some weights. */
export interface QuantizerRow {
  readonly scheme: string;
  readonly quantizer: string;
  /** affine, lookup, codebook or ggml; "" where nothing fitted. */
  readonly decoding: string;
  readonly nominalBits: number;
  /** Stored, with all that decoding needs. Null: the scheme fits none of the weights. */
  readonly bitsPerWeight: number | null;
  /** All weights' energy over all errors' energy. */
  readonly sqnrDb: number | null;
  /** Weights that it was judged on. */
  readonly weights: number;
  /** Tensors that it does not fit, and why the first. */
  readonly skipped: number;
  readonly why?: string;
  readonly seconds: number;
}

export interface QuantizerComparison {
  readonly model: string;
  readonly layers: readonly string[];
  readonly weights: number;
  readonly rows: readonly QuantizerRow[];
  /** Of a single tensor also the values, and what each scheme can make of them. */
  readonly tensor?: {
    readonly histogram: HistogramReport;
    readonly quantizers: readonly {
      readonly scheme: string;
      readonly sqnrDb: number;
      readonly bitsPerWeight: number;
      /** Values that occur after decoding; 512 of them where there are more. */
      readonly levels: readonly number[];
    }[];
  };
}

export interface Report {
  readonly version: 1;
  readonly tool: string;
  readonly input: FileFacts;
  readonly output: FileFacts;
  readonly recipe: unknown;
  readonly seed: number;
  readonly target?: string;
  /** Absent when the recipe needs no data. */
  readonly calibration?: CalibrationReport;
  readonly size: SizeReport;
  readonly quality: QualityReport | null;
  readonly speed: SpeedReport | null;
  readonly energy: EnergyReport | null;
  readonly memory: MemoryReport | null;
  readonly layers: readonly LayerReport[];
  readonly histograms?: readonly HistogramReport[];
  /** What all quantizers would make of the weights, where that was asked for. */
  readonly quantizers?: QuantizerComparison;
  readonly diagnostics: readonly Diagnostic[];
  readonly durationMs: number;
}
