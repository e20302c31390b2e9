/** What models are made for: runtimes, with what each can run. Every figure here comes from a table that was measured. */
import type { ElementType } from "#model/tensor";
import { acceptance, accepts, type TargetName } from "#targets/acceptance/index";
import type { Acceptance } from "#targets/acceptance/types";
import { int8Kernel } from "#targets/int8Kernels";
import { type MatMulNBitsSupport, matMulNBitsSupport } from "#targets/matMulNBitsSupport";
import { type Ceiling, opsetCeiling } from "#targets/opsetCeiling";

export interface Target {
  /** The registry's key and the command line's word. */
  readonly name: TargetName;
  /** The runtime that runs it, by its registry name. */
  readonly runtime: string;
  readonly about: string;
  /** Provenance of all the rest: which version answered, where, when, and what. */
  readonly acceptance: Acceptance;
  /** Whether the case of that id runs and answers right. */
  readonly accepts: (caseId: string) => boolean;
  /** The int8 kernel for a node between Q and DQ, if there is one. */
  readonly int8Kernel: typeof int8Kernel;
  /**
   * Codes of activations and weights that int8 kernels take directly. int8 activations are turned into uint8 on x64, where a
   * QuantizeLinear gives them and nowhere else ("fusion/Conv-int8" against "fusion/Conv-int8-floatEdges"), and uint8 by uint8
   * runs at a fifth of the speed of uint8 by int8 (peers.md §2.4).
   */
  readonly activations: ElementType;
  readonly weights: ElementType;
  readonly matMulNBits: MatMulNBitsSupport;
  readonly ceiling: Ceiling;
  /** Whether the runtime tells where the time goes, so that costs can be measured per layer. */
  readonly profiles: boolean;
}

function target(name: TargetName, about: string, profiles: boolean): Target {
  const table = acceptance(name);
  return {
    name,
    runtime: name,
    about,
    acceptance: table,
    accepts: (caseId) => accepts(name, caseId),
    int8Kernel,
    activations: "uint8",
    weights: "int8",
    matMulNBits: matMulNBitsSupport(table),
    ceiling: opsetCeiling(table),
    profiles,
  };
}

/**
 * The registry of targets. ort-web does not tell its kernels: its optimizer is ort-node's, and that it fuses is taken from
 * there; that it answers right was measured.
 */
export const targets = {
  "ort-node": target("ort-node", "ONNX Runtime in Node and on servers, x64 and ARM processors", true),
  "ort-web": target("ort-web", "ONNX Runtime as WebAssembly, in browsers and wherever JavaScript runs", false),
} as const satisfies Record<TargetName, Target>;
