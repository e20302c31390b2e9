/** The verbs on files, as the command line offers them. */
import { createReadStream } from "node:fs";
import { access, constants, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { atomicWrite } from "#base/atomicWrite";
import type { ByteSink } from "#base/bytes";
import { type Diagnostic, LowbitError } from "#base/errors";
import { nodeFileSystem } from "#base/fileSystem.node";
import type { JobOptions } from "#base/progress";
import { modelInputs } from "#data/modelInputs";
import { openData } from "#data/openData.node";
import { randomData } from "#data/random/randomData";
import { spread, take } from "#data/spread";
import type { Dataset } from "#data/types";
import { openOnnxFile } from "#formats/onnx/onnxFile.node";
import { checkedRecipe, recipe as recipeOf } from "#methods/recipes";
import type { Recipe } from "#methods/types";
import type { Model } from "#model/model";
import type { SessionOptions } from "#model/session";
import { evaluate, type Metric } from "#report/evaluate";
import { type Inspection, inspect } from "#report/inspect";
import type { FileFacts, Report } from "#report/types";
import { chooseRuntime } from "#runtimes/chooseRuntime";
import { buildReport } from "#verbs/buildReport";
import { chooseRecipe } from "#verbs/chooseRecipe";
import { sessionOpener } from "#verbs/environment";
import { type NodeEnvironment, sha256File } from "#verbs/nodeEnvironment.node";
import { measureSpeed, type Thresholds } from "#verbs/prove";
import { quantizeJob } from "#verbs/quantizeJob";
import { splitData } from "#verbs/splitData";

/** Where samples come from. */
export interface DataChoice {
  /** A folder or file; see data/openData. */
  readonly data?: string;
  readonly preprocess?: string;
  /** Use only so many samples, spread evenly. */
  readonly samples?: number;
  /** Path of a tokenizer.json, for text. */
  readonly tokenizer?: string;
  readonly classOffset?: number;
  readonly metric?: Metric;
  /** Name of the output that is judged. */
  readonly output?: string;
}

export interface RuntimeChoice {
  /** "auto" (default): ort-node where installed, else ort-web. */
  readonly target?: string;
  readonly threads?: number;
  /** Milliseconds one run may take. */
  readonly timeoutMs?: number;
}

export interface QuantizeFileOptions extends JobOptions, Thresholds, DataChoice, RuntimeChoice {
  /** A recipe's name, or the recipe itself. Default: the best known for the model and data. */
  readonly recipe?: string | Recipe;
  /** Override the recipe's schemes. */
  readonly weights?: string;
  readonly activations?: string;
  /** Nodes to leave in float: patterns as in recipe rules. */
  readonly keep?: readonly string[];
  readonly prefer?: Recipe["prefer"];
  /** Samples that calibrate; default 100. The others judge. */
  readonly calibrate?: number;
  /** Make samples up where there are none. Ranges learned from them are wrong, and the report says so. */
  readonly allowRandomData?: boolean;
  readonly seed?: number;
  readonly externalData?: boolean | "auto";
  readonly measure?: boolean;
  readonly layers?: boolean;
}

const defaultCalibration = 100;
/** Made-up samples that prove a model runs, where no data is given. */
const randomSamples = 16;

/** Quantizes a model file. The output appears only when it was proved; an existing one stays untouched until then. */
export async function quantizeFile(
  environment: NodeEnvironment,
  path: string,
  outputPath: string,
  options: QuantizeFileOptions = {},
): Promise<Report> {
  const { seed = 0 } = options;
  await checkOutput(path, outputPath);
  const runtime = await chooseRuntime(options.target ?? "auto", environment.runtimes);
  const opened = await openOnnxFile(path);
  try {
    const { model } = opened;
    const recipe = await settleRecipe(model, options);
    const random = randomData(modelInputs(model), {
      seed,
      samples: options.allowRandomData === true ? (options.calibrate ?? randomSamples) : randomSamples,
    });
    const data = options.data === undefined ? undefined : await openChosenData(model, options.data, options);
    if (data === undefined && recipe.mode === "static" && options.allowRandomData !== true) {
      throw new LowbitError(
        "plan/no-calibration",
        `recipe ${recipe.name} learns the ranges of activations from data, and no data is given`,
        {
          at: { file: path },
          hint: "give --data a folder of typical inputs; or --recipe w8a8-dynamic, which needs none; or --allow-random-data to try it out",
        },
      );
    }
    const split = splitData(
      data ?? random,
      data === undefined ? random.length : (options.calibrate ?? defaultCalibration),
    );
    const diagnostics = [...opened.diagnostics, ...(data === undefined ? random.diagnostics : split.diagnostics)];
    const useCalibration = data !== undefined || recipe.mode === "static";
    const { candidate, report } = await quantizeJob(
      environment,
      { model, file: await facts(path), bytes: await totalBytes(model, path) },
      {
        ...options,
        recipe,
        runtime,
        session: sessionOptions(options),
        fileName: basename(outputPath),
        ...(useCalibration ? { calibration: split.calibration } : {}),
        evaluation: split.evaluation,
        diagnostics,
      },
    );
    try {
      await publish(candidate.files, outputPath);
    } finally {
      await candidate.dispose();
    }
    return { ...report, output: { ...report.output, path: outputPath } };
  } finally {
    await opened.close();
  }
}

async function settleRecipe(model: Model, options: QuantizeFileOptions): Promise<Recipe> {
  const { recipe: wish, weights, activations, keep = [], prefer } = options;
  const base =
    wish === undefined
      ? await chooseRecipe(model, options.data !== undefined || options.allowRandomData === true)
      : typeof wish === "string"
        ? recipeOf(wish)
        : wish;
  return checkedRecipe({
    ...base,
    ...(weights === undefined ? {} : { weights }),
    ...(activations === undefined ? {} : { activations }),
    ...(prefer === undefined ? {} : { prefer }),
    rules: [...base.rules, ...keep.map((match) => ({ match, weights: "float", activations: "float" }))],
  });
}

/** Fails early on what would fail at the end of an hour's work. */
async function checkOutput(input: string, output: string): Promise<void> {
  const folder = dirname(resolve(output));
  const unwritable = (what: string, cause?: unknown): LowbitError =>
    new LowbitError("io/write", `${output} cannot be written: ${what}`, {
      at: { file: output },
      hint: "choose another path with -o",
      cause,
    });
  await access(folder, constants.W_OK).catch((cause: unknown) => {
    throw unwritable(`${folder} is no folder that can be written to`, cause);
  });
  const existing = await stat(output).catch(() => undefined);
  if (existing?.isDirectory() === true) throw unwritable("it is a folder");
  if (existing !== undefined && (await realpath(output)) === (await realpath(input).catch(() => ""))) {
    throw new LowbitError("usage/same-file", `${output} is the input: its float weights would be lost`, {
      at: { file: output },
      hint: "choose another path with -o",
    });
  }
}

/** Copies the proved files, which have their names already, to their place: the model last. */
async function publish(files: readonly string[], output: string): Promise<void> {
  const names = files.map((file) => basename(file));
  await atomicWrite(nodeFileSystem, dirname(resolve(output)), names, async (sinks) => {
    for (const [i, file] of files.entries()) await copy(file, sinks[i]);
  });
}

async function copy(file: string, sink: ByteSink): Promise<void> {
  for await (const chunk of createReadStream(file, { highWaterMark: 4 * 2 ** 20 })) await sink.write(chunk as Buffer);
}

async function openChosenData(model: Model, path: string, options: DataChoice): Promise<Dataset> {
  const { preprocess, tokenizer, samples } = options;
  const data = await openData(path, {
    inputs: modelInputs(model),
    ...(preprocess === undefined ? {} : { preprocess }),
    ...(tokenizer === undefined ? {} : { tokenizer }),
  });
  return samples === undefined || samples >= data.length ? data : take(data, spread(data.length, samples));
}

async function facts(path: string): Promise<FileFacts> {
  return { path, sha256: await sha256File(path), format: "onnx" };
}

/** The model file, and the files its weights lie in. */
async function totalBytes(model: Model, path: string): Promise<number> {
  const sources = new Map<string, number>([[path, (await stat(path)).size]]);
  for (const { data } of model.graph.initializers.values())
    if (data.kind === "range" && data.source.name !== path) sources.set(data.source.name, data.source.size);
  return [...sources.values()].reduce((sum, size) => sum + size, 0);
}

function jobOptions({ onProgress, signal }: JobOptions): JobOptions {
  return { ...(onProgress === undefined ? {} : { onProgress }), ...(signal === undefined ? {} : { signal }) };
}

function sessionOptions({ threads, timeoutMs }: RuntimeChoice): SessionOptions {
  return { ...(threads === undefined ? {} : { threads }), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
}

export interface EvaluateFileOptions extends JobOptions, DataChoice, RuntimeChoice {
  /** The float parent. Without it only the model's own metric is known. */
  readonly against?: string;
  readonly allowRandomData?: boolean;
  readonly seed?: number;
  readonly layers?: boolean;
}

/** Judges a model on data, against its float parent where one is named. */
export async function evaluateFile(
  environment: NodeEnvironment,
  path: string,
  options: EvaluateFileOptions,
): Promise<Report> {
  const started = environment.now();
  const runtime = await chooseRuntime(options.target ?? "auto", environment.runtimes);
  const openSession = sessionOpener(environment, runtime);
  const opened = [await openOnnxFile(path)];
  try {
    const [{ model }] = opened;
    if (options.against !== undefined) opened.push(await openOnnxFile(options.against));
    const parent = opened[1]?.model;
    const data = await evaluationData(model, options);
    const session = sessionOptions(options);
    const quantizedSession = await openSession(model, session);
    const floatSession = parent === undefined ? undefined : await openSession(parent, session);
    try {
      const { quality, diagnostics } = await evaluate(
        { quantized: quantizedSession, ...(floatSession === undefined ? {} : { float: floatSession }) },
        data,
        options,
      );
      const feeds = (await data.sample(0)).inputs;
      const speed =
        floatSession === undefined
          ? null
          : await measureSpeed(floatSession, quantizedSession, feeds, { threads: options.threads ?? 1 });
      const own = { model, file: await facts(path), bytes: await totalBytes(model, path) };
      const report = await buildReport({
        ...jobOptions(options),
        tool: environment.tool,
        float:
          parent === undefined || options.against === undefined
            ? own
            : { model: parent, file: await facts(options.against), bytes: await totalBytes(parent, options.against) },
        quantized: own,
        openSession,
        feeds,
        ...(options.layers === false || parent === undefined ? {} : { data }),
        quality,
        speed,
        target: quantizedSession.runtime,
        diagnostics: [
          ...data.diagnostics,
          ...diagnostics,
          ...opened.flatMap((file): readonly Diagnostic[] => file.diagnostics),
        ],
        durationMs: 0,
      });
      return { ...report, durationMs: environment.now() - started };
    } finally {
      await quantizedSession.close();
      await floatSession?.close();
    }
  } finally {
    for (const file of opened) await file.close();
  }
}

async function evaluationData(model: Model, options: EvaluateFileOptions): Promise<Dataset> {
  if (options.data !== undefined) return openChosenData(model, options.data, options);
  if (options.allowRandomData === true)
    return randomData(modelInputs(model), { seed: options.seed ?? 0, samples: options.samples ?? randomSamples });
  throw new LowbitError("data/none", "there is nothing to judge on: no data is given", {
    hint: "give --data a folder or file, or --allow-random-data to see only that both models agree on noise",
  });
}

/** What a model holds, layer by layer. */
export async function inspectFile(path: string): Promise<Inspection> {
  const opened = await openOnnxFile(path);
  try {
    return await inspect(opened.model);
  } finally {
    await opened.close();
  }
}

/** Default name of an output: model.onnx → model.w8a8.onnx */
export function defaultOutput(path: string, recipe: string): string {
  const name = basename(path).replace(/\.onnx$/i, "");
  return join(dirname(path), `${name}.${recipe}.onnx`);
}
