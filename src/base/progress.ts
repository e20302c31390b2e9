/**
 * What a long job tells while it works. The library emits these; a terminal, a test or a web page draws them.
 */
export interface ProgressEvent {
  /** What is being done: "calibrate", "quantize conv1", … */
  readonly stage: string;
  readonly done: number;
  /** Steps of this stage; 0 when unknown. */
  readonly total: number;
  /** How it goes, in a few words: "loss 0.41". */
  readonly note?: string;
}

/** How a job is watched and stopped. Every verb takes it. */
export interface JobOptions {
  readonly onProgress?: (event: ProgressEvent) => void;
  readonly signal?: AbortSignal;
}
