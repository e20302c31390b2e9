/** Training a model file into another, as the command line offers it. */
import { mkdir, readFile, rm } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { atomicWrite } from "#base/atomicWrite";
import { LowbitError } from "#base/errors";
import type { FsPort } from "#base/fileSystem";
import { openOnnxFile, saveOnnxFile } from "#formats/onnx/onnxFile.node";
import type { CheckpointStore } from "#methods/train/types";
import type { Model } from "#model/model";
import type { TrainingReport } from "#report/trainingReport";
import { checkOutputName, type DataChoice, fileFacts, filesRead, openChosenData, weightFiles } from "#verbs/files.node";
import { type FinetuneOptions, finetuneInMemory } from "#verbs/finetune";
import type { NodeEnvironment } from "#verbs/nodeEnvironment.node";
import { checkOutputs } from "#verbs/outputPath.node";

export interface FinetuneFileOptions
  extends Omit<FinetuneOptions, "data" | "heldOut" | "teacher" | "checkpoint">,
    Omit<DataChoice, "metric"> {
  /** A folder or file of samples. */
  readonly data: string;
  /** Samples that judge. Default: a tenth of `data`. */
  readonly heldOut?: string;
  /** Path of the float parent, whose answers are learned where there are no labels. */
  readonly teacher?: string;
  /** Where the state is kept after each epoch. Default: the output's path with ".checkpoint", removed when the training is done. */
  readonly checkpoint?: string;
}

/** Trains a model file. The output appears when the training is done; until then the checkpoint keeps what was learned. */
export async function finetuneFile(
  environment: NodeEnvironment,
  path: string,
  outputPath: string,
  options: FinetuneFileOptions,
): Promise<TrainingReport> {
  const { teacher, heldOut, resume = false } = options;
  const checkpoint = options.checkpoint ?? `${outputPath}.checkpoint`;
  const more = [teacher, heldOut].filter((each) => each !== undefined);
  await checkOutputs({
    write: [
      [outputPath, "-o"],
      [checkpoint, "--checkpoint"],
    ],
    read: [...filesRead(path, options), ...more],
  });
  const opened = [await openOnnxFile(path)];
  try {
    const [{ model }] = opened;
    await checkOutputs({ write: [[`${outputPath}_data`, "-o"]], read: weightFiles(model, path) });
    checkOutputName(model, options.output);
    if (teacher !== undefined) opened.push(await openOnnxFile(teacher));
    const data = await openChosenData(model, options.data, options);
    const judges =
      heldOut === undefined ? undefined : await openChosenData(model, heldOut, { ...options, samples: undefined });
    const store = fileStore(environment.fileSystem, checkpoint, resume);
    const { model: trained, report } = await finetuneInMemory(environment, model, {
      ...options,
      data,
      heldOut: judges,
      teacher: opened[1]?.model,
      checkpoint: store,
    }).catch((error: unknown) => {
      throw store.saved() ? resumable(error, checkpoint) : error;
    });
    const input = await fileFacts(path);
    await saveOnnxFile(stamped(trained, environment.tool, input.sha256, report), outputPath);
    if (options.checkpoint === undefined) await rm(checkpoint, { force: true });
    const diagnostics = [...opened.flatMap((file) => file.diagnostics), ...report.diagnostics];
    return { ...report, input, output: await fileFacts(outputPath), diagnostics };
  } finally {
    for (const file of opened) await file.close();
  }
}

/** A checkpoint in a file that is replaced whole. */
function fileStore(
  fileSystem: FsPort,
  path: string,
  resume: boolean,
): CheckpointStore & { readonly saved: () => boolean } {
  let saved = resume;
  return {
    saved: () => saved,
    async load() {
      return readFile(path).catch((cause: unknown) => {
        throw new LowbitError("io/not-found", `there is no checkpoint ${path} to resume from`, {
          at: { file: path },
          hint: "leave --resume out to start from the beginning",
          cause,
        });
      });
    },
    async save(bytes) {
      const folder = dirname(resolve(path));
      await mkdir(folder, { recursive: true });
      await atomicWrite(fileSystem, folder, [basename(path)], ([sink]) => sink.write(bytes));
      saved = true;
    },
  };
}

/** An interruption loses nothing, and says so. */
function resumable(error: unknown, checkpoint: string): unknown {
  if (!(error instanceof LowbitError) || error.code !== "run/interrupted") return error;
  return new LowbitError("run/interrupted", "stopped before the training was done; no model was written", {
    at: { file: checkpoint },
    hint: "the same command with --resume goes on from the checkpoint",
    cause: error,
  });
}

/** The model, saying in its metadata what it was made from and how. */
function stamped(model: Model, tool: string, inputSha256: string, { settings, epoch }: TrainingReport): Model {
  const own = { tool, "input-sha256": inputSha256, training: JSON.stringify({ ...settings, epoch }) };
  const entries = Object.entries(own).map(([key, value]): [string, string] => [`lowbit.${key}`, value]);
  return { ...model, metadata: new Map([...model.metadata, ...entries]) };
}
