#!/usr/bin/env node
/** The command line: one file a command, each loaded when it is called. */
import { Command, Option } from "commander";
import {
  byteCount,
  collect,
  collectNumbers,
  collectRules,
  fraction,
  number,
  positive,
  schedule,
  wholeNumber,
} from "#cli/arguments";
import { fail } from "#cli/fail";
import { version } from "#node";

const program = new Command("lowbit")
  .description("Makes neural networks small and fast, and proves it.")
  .version(version, "-v, --version")
  // told by fail(), in the form of all errors
  .configureOutput({ outputError: () => {} })
  .exitOverride();

function withRuntime(command: Command): Command {
  return command
    .option("--target <runtime>", "runtime to run on and plan for: auto, ort-node, ort-web", "auto")
    .option("--threads <n>", "threads inside one operator", positive, 1)
    .option("--timeout <seconds>", "longest time one run may take", positive);
}

function withData(command: Command): Command {
  return command
    .option(
      "-d, --data <path>",
      "images, .npy/.npz, MNIST idx, CIFAR .bin, .jsonl, token .json, or a description .json",
    )
    .option("--preprocess <preset|file>", "imagenet-torch, imagenet-tf, cifar, unit, raw, caffe255, or a JSON file")
    .option("--tokenizer <file>", "tokenizer.json, for text")
    .option("--samples <n>", "use n samples, spread evenly", positive)
    .option("--class-offset <n>", "the model's class of the data's class 0", wholeNumber, 0)
    .addOption(new Option("--metric <name>", "what counts").choices(["top1", "top5", "nll", "sqnr", "agreement"]))
    .option("--output-name <name>", "output of the model that is judged")
    .option("--allow-random-data", "make samples up where none are given; the report says so")
    .option("--seed <n>", "seed of everything random", wholeNumber, 0);
}

function withOutput(command: Command): Command {
  return command
    .option("--json", "one machine-readable report on stdout")
    .option("--html <file>", "also write the report as one HTML file")
    .option("-q, --quiet", "no progress");
}

withOutput(withRuntime(withData(program.command("quantize <model>").description("quantize, prove, write"))))
  .option("-o, --output <file>", "where to write; default <model>.<recipe>.onnx")
  .option(
    "-r, --recipe <name|file>",
    "w8a8, w8a8-dynamic, w8, w4a16, w2a16, fp16, or a JSON file; default: the best known for the model",
  )
  .option("--weights <scheme>", "scheme of the weights, e.g. int8/channel, uint4/group:32, kmeans:16, gguf:q4_k")
  .option(
    "--layer-weights <pattern=scheme>",
    "another scheme for some layers, e.g. 'layer3.*=nf4/group:64'; may be repeated, the last that matches wins",
    collectRules,
  )
  .option("--activations <scheme>", "scheme of the activations, e.g. uint8/mse, uint8/percentile:99.99")
  .option("-k, --keep <pattern>", "leave nodes in float: a name, a glob, or op:Softmax; may be repeated", collect, [])
  .option("--calibrate <n>", "samples that learn ranges (default 100); the others judge", positive)
  .addOption(new Option("--prefer <what>", "what is worth a slower layer").choices(["speed", "size"]))
  .option("--min-agreement <share>", "refuse a result that agrees on less, 0 to 1 (default 0.9)", fraction)
  .option("--min-sqnr <dB>", "refuse outputs that keep less, where the answer is no class (default 10)", number)
  .option("--external-data", "put weights into a second file")
  .option("--no-measure", "do not measure layers on this host: quantize all that can be")
  .option("--shard-bytes <size>", "divide a safetensors output among files of at most this size, e.g. 5GB", byteCount)
  .action(async (model: string, options: object) => (await import("#cli/quantize")).quantize(model, { ...options }));

withOutput(withRuntime(withData(program.command("evaluate <model>").description("judge a model on data"))))
  .option("--against <float>", "its float parent: agreement, SQNR by layer, speed")
  .action(async (model: string, options: object) => (await import("#cli/evaluate")).evaluate(model, { ...options }));

withRuntime(program.command("finetune <model>").description("train the weights on labels, or on a teacher's answers"))
  .requiredOption("-d, --data <path>", "samples to train on, with labels or with --teacher")
  .option("--held-out <path>", "samples that judge after every epoch (default: a tenth of --data)")
  .option("-o, --output <file>", "where to write; default <model>.finetuned.onnx")
  .option("--teacher <float>", "the float parent, whose answers are learned where there are no labels")
  .addOption(
    new Option("--loss <name>", "what is made small; default: by labels").choices([
      "cross-entropy",
      "distillation",
      "both",
    ]),
  )
  .option("--epochs <n>", "passes over the data", positive, 5)
  .option("--batch <n>", "samples of a batch", positive, 32)
  .option("--accumulate <n>", "batches of a step", positive, 1)
  .addOption(new Option("--optimizer <name>", "how weights follow gradients").choices(["sgd", "adam"]).default("sgd"))
  .option("--weight-decay <x>", "pulls weights towards 0", number)
  .option("--lr <rate>", "highest learning rate; default 0.01 for sgd, 0.001 for adam", number)
  .option("--schedule <shape>", "constant, linear, cosine, or step:<epochs>[:<factor>]", schedule, { kind: "cosine" })
  .option("--warmup <epochs>", "epochs in which the learning rate rises", number, 0)
  .option("--clip-norm <length>", "scale gradients down to this length", number)
  .option("--average <decay>", "the result is a moving average of the weights, e.g. 0.999", fraction)
  .addOption(
    new Option("--normalization <kind>", "statistics of batch normalizations: kept, or each batch's own")
      .choices(["frozen", "batch"])
      .default("frozen"),
  )
  .addOption(new Option("--keep <epoch>", "whose weights are the result").choices(["best", "last"]).default("best"))
  .option("--target-accuracy <share>", "stop when the held-out samples are answered so well", fraction)
  .option("--checkpoint <file>", "where the state is kept; default <output>.checkpoint")
  .option("--resume", "go on from the checkpoint")
  .option("--preprocess <preset|file>", "imagenet-torch, imagenet-tf, cifar, unit, raw, caffe255, or a JSON file")
  .option("--tokenizer <file>", "tokenizer.json, for text")
  .option("--samples <n>", "use n samples, spread evenly", positive)
  .option("--class-offset <n>", "the model's class of the data's class 0", wholeNumber, 0)
  .option("--output-name <name>", "output of the model that is trained")
  .option("--seed <n>", "seed of everything random", wholeNumber, 0)
  .option("--json", "one machine-readable report on stdout")
  .option("-q, --quiet", "no progress")
  .action(async (model: string, options: object) => (await import("#cli/finetune")).finetune(model, { ...options }));

withOutput(withRuntime(withData(program.command("report <model>").description("evaluate, as an HTML file"))))
  .requiredOption("--against <float>", "its float parent")
  .option("--quantizers", "also compare what all quantizers would make of the float weights")
  .action(async (model: string, options: object) => (await import("#cli/report")).report(model, { ...options }));

program
  .command("convert <file> <output>")
  .description("weights in another format: .safetensors, .gguf")
  .option("--weights <type>", "also change matrices of floats, quantized ones too, to float32, float16 or bfloat16")
  .option("--shard-bytes <size>", "divide a safetensors output among files of at most this size, e.g. 5GB", byteCount)
  .option("--json", "one machine-readable report on stdout")
  .option("-q, --quiet", "no progress")
  .action(async (file: string, output: string, options: object) =>
    (await import("#cli/tensors")).convert(file, output, { ...options }),
  );

program
  .command("inspect <model>")
  .description("layers, dtypes, shapes, sizes, outliers, what could hurt; of .safetensors and .gguf their tensors")
  .option("--json", "the same as JSON")
  .action(async (model: string, options: object) => (await import("#cli/inspect")).inspect(model, { ...options }));

program
  .command("compare <report-a> <report-b>")
  .description("two reports (JSON or HTML) side by side")
  .action(async (a: string, b: string) => (await import("#cli/compare")).compare(a, b));

program
  .command("compare-quantizers <model>")
  .description("what every quantizer would make of the weights: stored bits against error")
  .option("--layer <pattern>", "only weights or nodes of this name; a glob")
  .option("--schemes <list>", "only these, with commas between them; default: one of each kind")
  .option("--svg <file>", "also draw it; of a single weight its levels too")
  .option("--seed <n>", "seed of everything random", wholeNumber, 0)
  .option("--json", "the same as JSON")
  .option("-q, --quiet", "no progress")
  .action(async (model: string, options: object) =>
    (await import("#cli/compareQuantizers")).compareQuantizers(model, { ...options }),
  );

program
  .command("pack <file>")
  .description("a model and its weights files as one entropy-coded file")
  .option("-o, --output <file>", "where to write; default <file>.lbz")
  .addOption(new Option("--coder <name>", "entropy coder; default: whatever is shortest").choices(["huffman", "rans"]))
  .option("--json", "sizes as JSON")
  .option("-q, --quiet", "no progress")
  .action(async (file: string, options: object) => (await import("#cli/pack")).pack(file, { ...options }));

program
  .command("unpack <file>")
  .description("the files that were packed, byte for byte")
  .option("-o, --output <file>", "where to write the model; its weights files go beside it")
  .option("--json", "sizes as JSON")
  .option("-q, --quiet", "no progress")
  .action(async (file: string, options: object) => (await import("#cli/pack")).unpack(file, { ...options }));

program
  .command("doctor")
  .description("what this machine has, what its runtimes can do, what operators cost on it")
  .option("--refresh", "measure again")
  .option("--target <runtime>", "only this runtime")
  .option("--json", "the same as JSON")
  .option("-q, --quiet", "no progress")
  .action(async (options: object) => (await import("#cli/doctor")).doctor({ ...options }));

program
  .command("formats")
  .description("number formats: a table, and how each holds a number")
  .argument("[numbers...]", "for example 0.1, -2.7, 1/3, 2^-9, inf", collectNumbers)
  .option("--format <names>", "only these, and all their numbers: float8e4m3fn,q4.3,int4")
  .option("--json", "the same as JSON")
  .action(async (numbers: number[] | undefined, options: object) =>
    (await import("#cli/formats")).formats(numbers ?? [], { ...options }),
  );

program
  .command("bench")
  .description("what runs how fast on this machine")
  .command("kernels")
  .description("the loops over many numbers: in TypeScript, on vectors, on relaxed ones")
  .option("--only <name>", "only kernels whose name contains this")
  .option("--json", "the same as JSON")
  .option("-q, --quiet", "no progress")
  .action(async (options: object) => (await import("#cli/bench")).bench({ ...options }));

// whoever reads our output may stop reading: `lowbit inspect model.onnx | head`
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = fail(error, process.argv.includes("--json"));
}
