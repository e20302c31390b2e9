/** Puts an acceptance question to a runtime and judges the answer. */
import { LowbitError } from "#base/errors";
import { interpret } from "#model/interpreter";
import { canProfile, type KernelTime, type OpenSession, type Session, type Tensors } from "#model/session";
import { type Tensor, toNumbers } from "#model/tensor";
import type { AcceptanceCase, AcceptanceRow, Verdict } from "#targets/acceptance/types";

/** Milliseconds one load or run may take; all cases are tiny. */
const patienceMs = 20_000;

/** Kernels that compute on codes, whatever they give. */
const codeKernel = /^(QLinear|QGemm|MatMulInteger|ConvInteger|DynamicQuantize(MatMul|LSTM)|MatMulNBits|GatherBlockQ)/;

/** Longest list of kernels, and longest message, that a table keeps. */
const keptKernels = 12;
const keptWords = 160;

/** The verdict of one runtime on one case. Rejects only where the runtime cannot run here at all, or the case itself is wrong. */
export async function tryCase(given: AcceptanceCase, openSession: OpenSession): Promise<AcceptanceRow> {
  const answer = await ask(given, openSession);
  return answer instanceof LowbitError ? refused(answer) : judge(given, answer);
}

interface Answer {
  readonly outputs: Tensors;
  /** Undefined where the runtime does not tell. */
  readonly kernels: readonly KernelTime[] | undefined;
}

async function ask(given: AcceptanceCase, openSession: OpenSession): Promise<Answer | LowbitError> {
  let session: Session | undefined;
  try {
    session = await openSession(given.model, { timeoutMs: patienceMs });
    const outputs = await session.run(given.feeds);
    return { outputs, kernels: canProfile(session) ? await session.profile(given.feeds, 1) : undefined };
  } catch (error) {
    const told = error instanceof LowbitError && error.code.startsWith("runtime/");
    if (!told || error.code === "runtime/unavailable") throw error;
    return error;
  } finally {
    await session?.close();
  }
}

/** What the specification answers, by our definitions of the operators. */
export async function expected(given: AcceptanceCase): Promise<Tensors> {
  return (await interpret(given.twin ?? given.model)).run(given.feeds);
}

async function judge(given: AcceptanceCase, { outputs, kernels }: Answer): Promise<AcceptanceRow> {
  const wanted = Object.values(await expected(given));
  const error = Math.max(...Object.values(outputs).map((got, i) => errorBetween(got, wanted[i])));
  const row = {
    ...(error === 0 ? {} : { error: Number(error.toPrecision(2)) }),
    ...(kernels === undefined ? {} : { kernels: shortened(kernels.map(({ op }) => op)) }),
  };
  if (error > given.tolerance) return { verdict: "changes", ...row };
  if (given.codes === undefined || kernels === undefined) return { verdict: "runs", ...row };
  const onCodes =
    given.codes === "everywhere"
      ? kernels.every(({ outputType }) => !outputType?.includes("float"))
      : kernels.some(({ op }) => codeKernel.test(op));
  return { verdict: onCodes ? "fuses" : "float", ...row };
}

/** Kernels in a line, Q and DQ by their usual short names. */
function shortened(kernels: readonly string[]): string {
  const words = kernels.slice(0, keptKernels).map((op) => short[op] ?? op);
  return words.join(" ") + (kernels.length > keptKernels ? " …" : "");
}

const short: Partial<Record<string, string>> = { QuantizeLinear: "Q", DequantizeLinear: "DQ" };

const endings: Partial<Record<string, Verdict>> = { "runtime/timeout": "hangs", "runtime/crash": "crashes" };

function refused(error: LowbitError): AcceptanceRow {
  const when = error.message.startsWith("running") ? "at the first run: " : "";
  const says = when + error.message.replace(/^\w+ the model: /, "").replace(/^Non-zero status.*?Status Message: /s, "");
  const verdict = endings[error.code] ?? "rejects";
  return { verdict, says: says.length > keptWords ? `${says.slice(0, keptWords - 1)}…` : says };
}

/** Greatest difference: in steps for codes, relative to the greatest wanted number for floats. Infinite for NaN. */
function errorBetween(got: Tensor, want: Tensor): number {
  if (got.type !== want.type || got.dims.join() !== want.dims.join()) return Number.POSITIVE_INFINITY;
  const [a, b] = [toNumbers(got), toNumbers(want)];
  let [worst, greatest] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    greatest = Math.max(greatest, Math.abs(b[i]));
    if (Object.is(a[i], b[i])) continue;
    const difference = Math.abs(a[i] - b[i]);
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
  }
  return want.type.includes("float") && greatest > 0 ? worst / greatest : worst;
}
