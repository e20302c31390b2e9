import type { SessionOptions } from "#model/session";
import type { Model } from "#model/model";
import { packedBytes, sizeOf } from "#model/tensor";

/**
 * Our session options in ONNX Runtime's words (InferenceSession.SessionOptions; `extra` holds config keys by their dots).
 *
 * "basic" means the file's own arithmetic. ONNX Runtime at its basic level already quantizes the float bias of a
 * convolution between Q and DQ nodes, and at higher levels turns DQ + MatMul into int8 compute (stack.md P5).
 * `disable_quant_qdq` stops both: DQ of a constant is folded to the floats it stands for and the rest runs as written. What
 * is left is the folding of BatchNormalization and the like into a neighbour, 1e-7 relative.
 */
export function ortOptions(options: SessionOptions, provider: "cpu" | "wasm"): Record<string, unknown> {
  const { threads = 1, optimize = "all" } = options;
  return {
    executionProviders: [provider],
    executionMode: "sequential",
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: { all: "all", basic: "basic", none: "disabled" }[optimize],
    logSeverityLevel: 3,
    extra: {
      session: {
        // idle threads that spin cost more than they save (stack.md P7)
        intra_op: { allow_spinning: "0" },
        inter_op: { allow_spinning: "0" },
        ...(optimize === "all" ? {} : { disable_quant_qdq: "1" }),
      },
    },
  };
}

/**
 * What a model may occupy when the caller does not say: three times its weights plus 1.5 GB, for the file, the runtime's copy
 * and the activations. Weights count as float32, because that is what a runtime may fold them to.
 */
export function defaultMemoryBytes(model?: Model): number {
  let bytes = 0;
  for (const { element, dims } of model?.graph.initializers.values() ?? []) {
    const count = sizeOf(dims);
    bytes += Math.max(4 * count, packedBytes(element, count));
  }
  return 3 * bytes + 1.5e9;
}
