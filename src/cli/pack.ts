import { watched } from "#cli/progress";
import { print } from "#cli/show";
import { type PackedFiles, packFile, unpackFile } from "#node";

interface Parsed {
  readonly output?: string;
  readonly coder?: "huffman" | "rans";
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export async function pack(path: string, { output, coder, json, quiet = false }: Parsed): Promise<void> {
  const coders = coder === undefined ? {} : { coders: [coder, "sparse"] as const };
  const packed = await watched(quiet, (job) => packFile(path, output ?? `${path}.lbz`, { ...job, ...coders }));
  show(packed, json, `lowbit unpack ${packed.output}`);
}

export async function unpack(path: string, { output, json, quiet = false }: Parsed): Promise<void> {
  const where = output === undefined ? {} : { output };
  const unpacked = await watched(quiet, (job) => unpackFile(path, { ...job, ...where }));
  show(unpacked, json, `lowbit inspect ${unpacked.output}`);
}

function show(done: PackedFiles, json: boolean | undefined, next: string): void {
  if (json === true) return print(JSON.stringify(done));
  const { inputBytes, outputBytes, output } = done;
  const [more, less] = inputBytes > outputBytes ? [inputBytes, outputBytes] : [outputBytes, inputBytes];
  const word = inputBytes > outputBytes ? "smaller" : "larger";
  const bytes = (n: number): string => n.toLocaleString("en-US");
  print(`${output}: ${bytes(inputBytes)} → ${bytes(outputBytes)} bytes, ${(more / less).toFixed(2)}× ${word}`);
  print(`next: ${next}`);
}
