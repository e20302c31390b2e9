/** The verbs on files, as the command line offers them. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { atomicWrite } from "#base/atomicWrite";
import type { ByteSink } from "#base/bytes";
import { type Diagnostic, LowbitError } from "#base/errors";
import type { FsPort } from "#base/fileSystem";
import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
import { modelInputs } from "#data/modelInputs";
import { openData } from "#data/openData.node";
import { spread, take } from "#data/spread";
import type { Dataset } from "#data/types";
import { openOnnxFile } from "#formats/onnx/onnxFile.node";
import { checkedRecipe, recipe as recipeOf, weightOnlyRecipe } from "#methods/recipes";
import type { Recipe, RecipeRule } from "#methods/types";
import { weightScheme } from "#methods/weightScheme";
import type { Model } from "#model/model";
import type { OpenSession, Session, SessionOptions } from "#model/session";
import { evaluate, type Metric } from "#report/evaluate";
import { type Inspection, inspect } from "#report/inspect";
import { reportHtml } from "#report/html";
import type { FileFacts, Report } from "#report/types";
import { chooseRuntime } from "#runtimes/chooseRuntime";
import { buildReport } from "#verbs/buildReport";
import { compareQuantizers } from "#verbs/compareQuantizers";
import { chooseRecipe } from "#verbs/chooseRecipe";
import { sessionOpener } from "#verbs/environment";
import { madeUpData } from "#verbs/madeUpData";
import { type NodeEnvironment, sha256File } from "#verbs/nodeEnvironment.node";
import { checkOutputs } from "#verbs/outputPath.node";
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

export interface ReportChoice {
  /** Where to write the report as one HTML file; default: nowhere. */
  readonly html?: string;
  /** Compare layer by layer and draw weights; default true. */
  readonly layers?: boolean;
}

export interface QuantizeFileOptions extends JobOptions, Thresholds, DataChoice, RuntimeChoice, ReportChoice {
  /** A recipe's name, or the recipe itself. Default: the best known for the model and data. */
  readonly recipe?: string | Recipe;
  /** Override the recipe's schemes. */
  readonly weights?: string;
  readonly activations?: string;
  /** Schemes for some of the nodes, after the recipe's own rules: the last that matches wins. */
  readonly rules?: readonly RecipeRule[];
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
  const { seed = 0, html, externalData } = options;
  const outputs = [[outputPath, "-o"], ...(html === undefined ? [] : [[html, "--html"] as const])] as const;
  await checkOutputs({ write: outputs, read: filesRead(path, options) });
  const runtime = await chooseRuntime(options.target ?? "auto", environment.runtimes);
  const opened = await openOnnxFile(path);
  try {
    const { model } = opened;
    checkOutputName(model, options.output);
    await checkOutputs({
      write: [
        [outputPath, "-o"],
        [`${outputPath}_data`, "-o"],
      ],
      read: weightFiles(model, path),
    });
    const recipe = await settleRecipe(model, options);
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
    const session = sessionOptions(options);
    const samples =
      data ??
      (await madeUpData(model, sessionOpener(environment, runtime, session), {
        ...options,
        seed,
        samples: options.allowRandomData === true ? (options.calibrate ?? randomSamples) : randomSamples,
      }));
    const split = splitData(samples, data === undefined ? samples.length : (options.calibrate ?? defaultCalibration));
    const diagnostics = [...opened.diagnostics, ...(data === undefined ? samples.diagnostics : split.diagnostics)];
    const useCalibration = data !== undefined || recipe.mode === "static";
    const { candidate, report } = await quantizeJob(
      environment,
      { model, file: await fileFacts(path), bytes: await totalBytes(model, path) },
      {
        ...options,
        recipe,
        runtime,
        session,
        file: { fileName: basename(outputPath), ...(externalData === undefined ? {} : { externalData }) },
        ...(useCalibration ? { calibration: split.calibration } : {}),
        evaluation: split.evaluation,
        diagnostics,
      },
    );
    try {
      throwIfAborted(options.signal);
      await publish(environment.fileSystem, candidate.files, outputPath);
    } finally {
      await candidate.dispose();
    }
    const published = { ...report, output: { ...report.output, path: outputPath } };
    if (html !== undefined) await writeText(environment.fileSystem, html, reportHtml(published));
    return published;
  } finally {
    await opened.close();
  }
}

async function settleRecipe(model: Model, options: QuantizeFileOptions): Promise<Recipe> {
  const { weights, activations, rules = [], keep = [], prefer } = options;
  const base = await baseRecipe(model, options);
  return checkedRecipe({
    ...base,
    ...(weights === undefined ? {} : { weights }),
    ...(activations === undefined ? {} : { activations }),
    ...(prefer === undefined ? {} : { prefer }),
    rules: [...base.rules, ...rules, ...keep.map((match) => ({ match, weights: "float", activations: "float" }))],
  });
}

async function baseRecipe(model: Model, options: QuantizeFileOptions): Promise<Recipe> {
  const { recipe: wish, weights, activations, data, allowRandomData } = options;
  if (wish !== undefined) return typeof wish === "string" ? recipeOf(wish) : wish;
  // no kernel computes on such codes, whatever the model
  if (weights !== undefined && activations === undefined && weightScheme(weights).kind === "function")
    return weightOnlyRecipe(weights);
  return chooseRecipe(model, data !== undefined || allowRandomData === true);
}

/** What a job reads apart from the model: it must not be what it writes. */
export function filesRead(model: string, { data, tokenizer, preprocess }: DataChoice): string[] {
  return [model, data, tokenizer, preprocess].filter((path) => path !== undefined);
}

/** Throws `usage/argument` for the name of an output that the model does not have. */
export function checkOutputName(model: Model, name: string | undefined): void {
  const names = model.graph.outputs.map((output) => output.name);
  if (name === undefined || names.includes(name)) return;
  throw new LowbitError("usage/argument", `the model has no output ${name}`, {
    at: { tensor: name },
    hint: `its outputs are ${names.join(", ")}`,
  });
}

/** Copies the proved files, which have their names already, to their place: the model last. */
async function publish(fileSystem: FsPort, files: readonly string[], output: string): Promise<void> {
  const names = files.map((file) => basename(file));
  await atomicWrite(fileSystem, dirname(resolve(output)), names, async (sinks) => {
    for (const [i, file] of files.entries()) await copy(file, sinks[i]);
  });
}

async function writeText(fileSystem: FsPort, path: string, text: string): Promise<void> {
  await atomicWrite(fileSystem, dirname(resolve(path)), [basename(path)], ([sink]) =>
    sink.write(new TextEncoder().encode(text)),
  );
}

async function copy(file: string, sink: ByteSink): Promise<void> {
  for await (const chunk of createReadStream(file, { highWaterMark: 4 * 2 ** 20 })) await sink.write(chunk as Buffer);
}

/** The samples of a path that suit a model. */
export async function openChosenData(model: Model, path: string, options: DataChoice): Promise<Dataset> {
  const { preprocess, tokenizer, samples } = options;
  const data = await openData(path, {
    inputs: modelInputs(model),
    ...(preprocess === undefined ? {} : { preprocess }),
    ...(tokenizer === undefined ? {} : { tokenizer }),
  });
  return samples === undefined || samples >= data.length ? data : take(data, spread(data.length, samples));
}

/** What a report says of a model file. */
export async function fileFacts(path: string): Promise<FileFacts> {
  return { path, sha256: await sha256File(path), format: "onnx" };
}

/** The model file, and the files its weights lie in. */
export function weightFiles(model: Model, path: string): string[] {
  const names = new Set([path]);
  for (const { data } of model.graph.initializers.values()) if (data.kind === "range") names.add(data.source.name);
  return [...names];
}

async function totalBytes(model: Model, path: string): Promise<number> {
  const sizes = await Promise.all(weightFiles(model, path).map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function jobOptions({ onProgress, signal }: JobOptions): JobOptions {
  return { ...(onProgress === undefined ? {} : { onProgress }), ...(signal === undefined ? {} : { signal }) };
}

function sessionOptions({ threads, timeoutMs, signal }: RuntimeChoice & JobOptions): SessionOptions {
  return {
    ...(threads === undefined ? {} : { threads }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(signal === undefined ? {} : { signal }),
  };
}

export interface EvaluateFileOptions extends JobOptions, DataChoice, RuntimeChoice, ReportChoice {
  /** The float parent. Without it only the model's own metric is known. */
  readonly against?: string;
  /** Also compare what all quantizers would make of the float parent's weights. Default false: it takes a while. */
  readonly quantizers?: boolean;
  readonly allowRandomData?: boolean;
  readonly seed?: number;
}

/** Judges a model on data, against its float parent where one is named. */
export async function evaluateFile(
  environment: NodeEnvironment,
  path: string,
  options: EvaluateFileOptions,
): Promise<Report> {
  const started = environment.now();
  const { against, html } = options;
  const read = [...filesRead(path, options), ...(against === undefined ? [] : [against])];
  if (html !== undefined) await checkOutputs({ write: [[html, "--html"]], read });
  const runtime = await chooseRuntime(options.target ?? "auto", environment.runtimes);
  const session = sessionOptions(options);
  const openSession = sessionOpener(environment, runtime, session);
  const opened = [await openOnnxFile(path)];
  try {
    const [{ model }] = opened;
    checkOutputName(model, options.output);
    if (against !== undefined) opened.push(await openOnnxFile(against));
    const parent = opened[1]?.model;
    const data = await evaluationData(model, openSession, options);
    const sessions = [await openSession(model, session)];
    try {
      if (parent !== undefined) sessions.push(await openSession(parent, session));
      const [quantized, float] = sessions as [Session, Session?];
      const judged = { quantized, ...(float === undefined ? {} : { float }) };
      const { quality, diagnostics } = await evaluate(judged, data, options);
      const feeds = (await data.sample(0)).inputs;
      const threads = { threads: options.threads ?? 1 };
      const speed = float === undefined ? null : await measureSpeed(float, quantized, feeds, threads);
      const own = { model, file: await fileFacts(path), bytes: await totalBytes(model, path) };
      const report = await buildReport({
        ...jobOptions(options),
        tool: environment.tool,
        float:
          parent === undefined || against === undefined
            ? own
            : { model: parent, file: await fileFacts(against), bytes: await totalBytes(parent, against) },
        quantized: own,
        openSession,
        feeds,
        ...(options.layers === false || parent === undefined ? {} : { data }),
        quality,
        speed,
        target: quantized.runtime,
        diagnostics: [
          ...data.diagnostics,
          ...diagnostics,
          ...opened.flatMap((file): readonly Diagnostic[] => file.diagnostics),
        ],
        durationMs: 0,
      });
      const wanted = options.quantizers === true && parent !== undefined;
      const quantizers = wanted ? await compareQuantizers(parent, jobOptions(options)) : undefined;
      const finished = {
        ...report,
        ...(quantizers === undefined ? {} : { quantizers }),
        durationMs: environment.now() - started,
      };
      if (html !== undefined) await writeText(environment.fileSystem, html, reportHtml(finished));
      return finished;
    } finally {
      for (const each of sessions) await each.close();
    }
  } finally {
    for (const file of opened) await file.close();
  }
}

async function evaluationData(model: Model, openSession: OpenSession, options: EvaluateFileOptions): Promise<Dataset> {
  const { seed = 0, samples = randomSamples } = options;
  if (options.data !== undefined) return openChosenData(model, options.data, options);
  if (options.allowRandomData === true) return madeUpData(model, openSession, { ...options, seed, samples });
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
  return join(dirname(path), `${name}.${recipe.replace(/[^\w.+-]+/g, "-")}.onnx`);
}
