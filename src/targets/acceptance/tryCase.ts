/** Puts an acceptance question to a runtime and judges the answer. */
import { LowbitError } from "#base/errors";
import { interpret } from "#model/interpreter";
import { canProfile, type KernelTime, type OpenSession, type Session } from "#model/session";
import { type Tensor, toNumbers } from "#model/tensor";
import type { AcceptanceCase, AcceptanceRow } from "#targets/acceptance/types";

/** Milliseconds one load or run may take; all cases are tiny. */
const patienceMs = 20_000;

/** Kernels that multiply codes, or the like, whatever they give. */
const codeKernel = /^(QLinear|QGemm|Q[A-Z]|MatMulInteger|ConvInteger|DynamicQuantize|MatMulNBits|GatherBlockQuantized)/;

/** The verdict of one runtime on one case. Never rejects for what the runtime does; only for a case that is itself wrong. */
export async function tryCase(given: AcceptanceCase, openSession: OpenSession): Promise<AcceptanceRow> {
  let session: Session | undefined;
  try {
    session = await openSession(given.model, { timeoutMs: patienceMs });
    const answer = await session.run(given.feeds);
    const kernels = canProfile(session) ? await session.profile(given.feeds, 1) : undefined;
    return await judge(given, answer, kernels);
  } catch (error) {
    return refused(error);
  } finally {
    await session?.close();
  }
}

/** What the specification answers, by our definitions of the operators. */
export async function expected(given: AcceptanceCase): Promise<Readonly<Record<string, Tensor>>> {
  return (await interpret(given.twin ?? given.model)).run(given.feeds);
}

async function judge(
  given: AcceptanceCase,
  answer: Readonly<Record<string, Tensor>>,
  kernels: readonly KernelTime[] | undefined,
): Promise<AcceptanceRow> {
  const wanted = await expected(given);
  const names = Object.keys(wanted);
  const error = Math.max(...names.map((name) => errorBetween(answer[name], wanted[name])));
  const seen = kernels === undefined ? {} : { kernels: kernels.map(({ op }) => op).join(" ") };
  const row = { error: Number(error.toPrecision(2)), ...seen };
  if (!(error <= given.tolerance)) return { verdict: "changes", ...row };
  if (given.codes === undefined || kernels === undefined) return { verdict: "runs", ...row };
  const fused =
    given.codes === "everywhere"
      ? kernels.every(({ outputType }) => outputType === undefined || !outputType.includes("float"))
      : kernels.some(({ op }) => codeKernel.test(op));
  return { verdict: fused ? "fuses" : "float", ...row };
}

function refused(error: unknown): AcceptanceRow {
  if (!(error instanceof LowbitError) || !error.code.startsWith("runtime/")) throw error;
  const says = error.message.replace(/^\S+ the model: /, "");
  if (error.code === "runtime/timeout") return { verdict: "hangs", says };
  return { verdict: error.code === "runtime/crash" ? "crashes" : "rejects", says };
}

/** Greatest difference: in steps for codes, relative to the greatest wanted number for floats. */
function errorBetween(got: Tensor, want: Tensor): number {
  if (got.type !== want.type || got.dims.join() !== want.dims.join()) return Number.POSITIVE_INFINITY;
  const [a, b] = [toNumbers(got), toNumbers(want)];
  let [worst, greatest] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    greatest = Math.max(greatest, Math.abs(b[i]));
    if (!Object.is(a[i], b[i])) worst = Math.max(worst, Math.abs(a[i] - b[i]));
  }
  return want.type.includes("float") && greatest > 0 ? worst / greatest : worst;
}
