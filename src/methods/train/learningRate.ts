/**
 * How the learning rate goes over a training: linear warm-up, then a shape.
 *
 *   constant   η
 *   cosine     η·(1 + cos πt)/2, t from 0 to 1                     (Loshchilov & Hutter 2017, without restarts)
 *   step       η·factor^⌊epochs done / every⌋
 *   linear     η·(1 − t)
 */
export type Schedule = { readonly warmupEpochs?: number } & (
  | { readonly kind: "constant" | "cosine" | "linear" }
  | { readonly kind: "step"; readonly everyEpochs: number; readonly factor: number }
);

/** The rate of a step, counted from 0, of `steps` in all. Warm-up takes its steps from the same count; its last one has the full rate. */
export function learningRateAt(
  schedule: Schedule,
  highest: number,
  step: number,
  { steps, stepsPerEpoch }: { readonly steps: number; readonly stepsPerEpoch: number },
): number {
  const warmup = Math.min(steps, Math.ceil((schedule.warmupEpochs ?? 0) * stepsPerEpoch));
  if (step < warmup) return (highest * (step + 1)) / warmup;
  const t = (step - warmup) / Math.max(1, steps - warmup);
  switch (schedule.kind) {
    case "constant":
      return highest;
    case "cosine":
      return (highest * (1 + Math.cos(Math.PI * t))) / 2;
    case "linear":
      return highest * (1 - t);
    case "step":
      return highest * schedule.factor ** Math.floor(step / stepsPerEpoch / schedule.everyEpochs);
  }
}
