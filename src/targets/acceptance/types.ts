/** What is asked of a runtime, what it answered, and tables of answers. */
import type { Model } from "#model/model";
import type { Tensors } from "#model/session";

/** One question: does this runtime run this small model, rightly, and on codes? */
export interface AcceptanceCase {
  /** Group and what: "fusion/Conv", "matMulNBits/4-bit". Tables refer to it, so it never changes its meaning. */
  readonly id: string;
  /** A line that says what is asked. */
  readonly about: string;
  readonly model: Model;
  readonly feeds: Tensors;
  /** The same function in operators that the reference interpreter knows, where it does not know those of `model`. */
  readonly twin?: Model;
  /**
   * Greatest error of a right answer: for codes in steps of the code, for floats relative to the greatest value. It covers
   * another order of summation and ties of rounding, and what the question itself allows (accuracy_level 4: int8 sums).
   */
  readonly tolerance: number;
  /**
   * Asks for int8 kernels too. "everywhere": no kernel may give floats. "product": the answer is float, a product of codes
   * must be behind it. Undefined: nothing could be fused.
   */
  readonly codes?: "everywhere" | "product";
  /**
   * The answer depends on the processor, among those of one architecture: tables may differ. All other verdicts were found the same
   * with AVX-512 and VNNI and, emulated (qemu-user, Haswell), with AVX2 alone.
   */
  readonly varies?: true;
}

export type Verdict =
  /** The answer is right. Of a case that asks for int8 kernels, and a runtime that does not tell: they are not known. */
  | "runs"
  /** Right, and computed by int8 kernels. */
  | "fuses"
  /** Right, but computed on floats between DequantizeLinear and QuantizeLinear. */
  | "float"
  /** It runs, and the answer is further from the specification's than `tolerance`. */
  | "changes"
  /** Refused, at load or at the first run. */
  | "rejects"
  | "crashes"
  | "hangs";

export interface AcceptanceRow {
  readonly verdict: Verdict;
  /** Distance of the answer from the specification's, in the words of `tolerance`. Absent: none, or there is no answer. */
  readonly error?: number;
  /** Kernels in order of execution, where the runtime tells: "DQ Relu Q". */
  readonly kernels?: string;
  /** What the runtime said when it refused. */
  readonly says?: string;
}

/** Answers of one runtime on one machine. */
export interface Acceptance {
  /** "ort-node 1.30.0". */
  readonly runtime: string;
  /** "linux x64". */
  readonly platform: string;
  readonly processor: string;
  /** Day of the measurement: "2026-11-21". */
  readonly date: string;
  /** By case id. */
  readonly rows: Readonly<Record<string, AcceptanceRow>>;
}
