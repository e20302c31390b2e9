import { type Parsed, picked } from "#cli/options";
import { watched } from "#cli/progress";
import { print, terminal } from "#cli/show";
import { defaultOutput, type FinetuneFileOptions, finetuneFile, LowbitError, trainingText } from "#node";

const same = [
  "heldOut",
  "teacher",
  "epochs",
  "batch",
  "accumulate",
  "clipNorm",
  "average",
  "normalization",
  "keep",
  "targetAccuracy",
  "checkpoint",
  "resume",
  "preprocess",
  "tokenizer",
  "samples",
  "classOffset",
  "seed",
  "target",
  "threads",
];

export async function finetune(model: string, parsed: Parsed): Promise<void> {
  const output = (parsed.output as string | undefined) ?? defaultOutput(model, "finetuned");
  const options = optionsOf(parsed);
  const report = await watched(parsed.quiet === true, (job) => finetuneFile(model, output, { ...options, ...job }));
  print(parsed.json === true ? JSON.stringify(report) : trainingText(report, terminal()));
}

function optionsOf(parsed: Parsed): FinetuneFileOptions {
  const { data, lr, optimizer, weightDecay, schedule, warmup, timeout, outputName } = parsed;
  const loss = lossOf(parsed);
  return {
    ...picked(parsed, same),
    data: data as string, // commander requires it
    optimizer: {
      name: optimizer as "sgd" | "adam", // one of commander's choices
      ...(typeof weightDecay === "number" ? { weightDecay } : {}),
    },
    schedule: { ...(schedule as object), warmupEpochs: warmup } as NonNullable<FinetuneFileOptions["schedule"]>, // as arguments.ts reads it
    ...(typeof lr === "number" ? { learningRate: lr } : {}),
    ...(typeof timeout === "number" ? { timeoutMs: timeout * 1000 } : {}),
    ...(typeof outputName === "string" ? { output: outputName } : {}),
    ...(loss === undefined ? {} : { loss }),
  };
}

function lossOf({ loss, outputName, teacher }: Parsed): FinetuneFileOptions["loss"] {
  const of = typeof outputName === "string" ? { of: outputName } : {};
  if (loss === undefined) return undefined;
  if (loss === "cross-entropy") return { kind: "cross-entropy", ...of, ignore: -1 };
  if (teacher === undefined)
    throw new LowbitError("train/no-target", `--loss ${loss as string} compares with a teacher, and none is given`, {
      hint: "give the float parent: --teacher model.onnx",
    });
  const distillation = { kind: "distillation", ...of } as const;
  if (loss === "distillation") return distillation;
  return {
    kind: "sum",
    terms: [
      { weight: 0.5, loss: { kind: "cross-entropy", ...of, ignore: -1 } },
      { weight: 0.5, loss: distillation },
    ],
  };
}
