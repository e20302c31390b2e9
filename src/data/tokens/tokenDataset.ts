/** Token ids as samples of a language model: windows of a text, and the token that follows each position. */
import { type Diagnostic, LowbitError } from "#base/errors";
import { describe, isFree } from "#data/matchInput";
import { companionInputs } from "#data/tokens/companionInputs";
import type { Dataset, ModelInput, ReadOptions } from "#data/types";
import { fromNumbers } from "#model/tensor";

/** Tokens in a window when neither the caller nor the model says. */
const usualLength = 512;

/** A window of one document: tokens [start, start + length), of which those before `judgedFrom` were judged by the window before. */
interface Window {
  readonly document: number;
  readonly start: number;
  readonly length: number;
  readonly judgedFrom: number;
}

/**
 * Windows of documents. A document longer than `sequenceLength` gives several, `stride` apart; a token's likelihood is judged once, in
 * the first window that holds it with what comes before it. A model of fixed length gets full windows only.
 * Throws `data/none`, and `data/shape` where the model takes no tokens.
 */
export function tokenDataset(
  name: string,
  kind: string,
  documents: readonly ArrayLike<number>[],
  options: ReadOptions,
): Dataset {
  const input = tokenInput(options.inputs, name);
  const { length, fixed } = windowLength(input, options);
  const stride = options.stride ?? length;
  if (!Number.isSafeInteger(stride) || stride < 1 || stride > length)
    throw new LowbitError("usage/argument", `a stride of ${stride} does not step through windows of ${length} tokens`, {
      hint: `take a stride from 1 to ${length}`,
    });
  const windows = documents.flatMap((ids, document) => windowsOf(ids.length, document, length, stride, fixed));
  const diagnostics: Diagnostic[] = [];
  const short = documents.filter((ids) => ids.length < (fixed ? length : 2)).length;
  if (short > 0)
    diagnostics.push({
      code: "data/short",
      level: "info",
      message: `${short} of ${documents.length} texts of ${name} are shorter than ${fixed ? length : 2} tokens and are left out`,
    });
  if (windows.length === 0)
    throw new LowbitError("data/none", `${name} has no text of ${fixed ? length : 2} tokens or more`, {
      at: { file: name },
      hint: fixed ? "join the texts: the model takes sequences of one length only" : "give longer texts",
    });
  return {
    name,
    kind,
    length: windows.length,
    labelled: true,
    diagnostics,
    async sample(index) {
      const { document, start, length, judgedFrom } = windows[index];
      const ids = documents[document];
      const tokens = Array.from({ length }, (_, i) => ids[start + i]);
      const targets = Int32Array.from(tokens, (_, i) => {
        const next = start + i + 1;
        return next >= judgedFrom && next < ids.length ? ids[next] : -1;
      });
      const dims = input.dims?.length === 1 ? [length] : [1, length];
      const inputs = {
        [input.name]: fromNumbers(input.type, dims, tokens),
        ...companionInputs(options.inputs, input, length, name),
      };
      return { inputs, targets, id: `${name}#${document}:${start}` };
    },
  };
}

function windowsOf(size: number, document: number, length: number, stride: number, fixed: boolean): Window[] {
  const windows: Window[] = [];
  let judgedFrom = 1;
  for (let start = 0; start + (fixed ? length : 2) <= size; start += stride) {
    const end = Math.min(start + length, size);
    windows.push({ document, start, length: end - start, judgedFrom });
    judgedFrom = end + 1;
    if (judgedFrom >= size) break; // nothing is left to judge
  }
  return windows;
}

/** The input that takes the ids: input_ids, or the only one of whole numbers. */
function tokenInput(inputs: readonly ModelInput[], name: string): ModelInput {
  const whole = inputs.filter((input) => input.type === "int64" || input.type === "int32");
  const input =
    inputs.find((candidate) => candidate.name === "input_ids") ?? (whole.length === 1 ? whole[0] : undefined);
  if (input === undefined || !whole.includes(input))
    throw new LowbitError("data/shape", `${name} holds tokens; ${inputs.map(describe).join(", ")}`, {
      at: { file: name },
      hint: "a language model takes int64 or int32 input_ids",
    });
  return input;
}

function windowLength(input: ModelInput, options: ReadOptions): { length: number; fixed: boolean } {
  const own = input.dims?.at(-1) ?? null;
  const asked = options.sequenceLength;
  if (asked !== undefined && (!Number.isSafeInteger(asked) || asked < 2))
    throw new LowbitError("usage/argument", `a sequence length of ${asked} leaves nothing to predict`, {
      hint: "take 2 or more",
    });
  if (isFree(own)) return { length: asked ?? usualLength, fixed: false };
  if (asked !== undefined && asked !== own)
    throw new LowbitError("data/shape", `sequences of ${asked} tokens were asked for; ${describe(input)}`, {
      at: { tensor: input.name },
      hint: `leave the length out: the model takes ${String(own)}`,
    });
  return { length: own as number, fixed: true };
}
