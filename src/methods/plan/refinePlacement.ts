/**
 * Tries out what the cost model cannot know: how a placement changes the runtime's treatment of everything around it. (A float stem
 * in front of a residual network, for one, leaves transposes at every later Add, since the runtime never gets the residual stream
 * into its int8 layout; and layers of a few microseconds are measured to one.) Of the placements to start from the fastest is
 * taken. Then each connected region of one kind is turned over in turn and the whole model timed against the best so far; what is
 * at least 2 % faster stays.
 */
import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
import { hash32 } from "#base/rng";
import { onCodes } from "#methods/plan/measureCosts";
import { unitOutputs } from "#methods/plan/placement";
import type { Unit } from "#methods/plan/units";
import type { Prepared } from "#methods/prepare";
import type { OpenSession, Session, Tensors } from "#model/session";
import type { HostCosts } from "#targets/hostCosts";

export interface RefineOptions extends JobOptions {
  readonly openSession: OpenSession;
  readonly feeds: Tensors;
  /** Whether a unit may compute on codes, or must. */
  readonly may: (unit: Unit, int8: boolean) => boolean;
  /** By `unitSignature`, so that equal models share an answer. */
  readonly signatureOf: (unit: Unit) => string;
}

const mostTrials = 8;
const worthwhile = 0.98;

/**
 * The best placement found from `starts`, the first of which is taken for the best until another is faster; and the table that
 * remembers it. Nothing is measured where the table knows.
 */
export async function refinePlacement(
  prepared: Prepared,
  units: readonly Unit[],
  starts: readonly ReadonlySet<Unit>[],
  known: HostCosts,
  options: RefineOptions,
): Promise<{ readonly int8: ReadonlySet<Unit>; readonly costs: HostCosts }> {
  const describe = (int8: ReadonlySet<Unit>): string => units.map((unit) => (int8.has(unit) ? "1" : "0")).join("");
  const key = fingerprint([...units.map(options.signatureOf), ...starts.map(describe)]);
  const remembered = known.placements.get(key);
  if (remembered !== undefined && remembered.length === units.length) {
    return { int8: new Set(units.filter((_, i) => remembered[i] === "1")), costs: known };
  }
  const tried = new Set([describe(new Set())]);
  const best = new Contest(prepared, units, options);
  try {
    const race = async (candidate: ReadonlySet<Unit>): Promise<void> => {
      throwIfAborted(options.signal);
      if (tried.has(describe(candidate))) return;
      tried.add(describe(candidate));
      await best.against(candidate);
    };
    for (const start of starts) await race(start);
    const trials = regions(units, best.int8)
      .map((region) => region.units.filter((unit) => options.may(unit, !region.int8)))
      .filter((turned) => turned.some((unit) => unit.kernel.kind === "linear"))
      .slice(0, mostTrials);
    for (const [done, turned] of trials.entries()) {
      const candidate = new Set(best.int8);
      for (const unit of turned) if (!candidate.delete(unit)) candidate.add(unit);
      await race(candidate);
      options.onProgress?.({ stage: "try placements", done: done + 1, total: trials.length });
    }
  } finally {
    await best.close();
  }
  const { int8 } = best;
  return { int8, costs: { ...known, placements: new Map(known.placements).set(key, describe(int8)) } };
}

/** Keeps the fastest placement so far, open. */
class Contest {
  int8: ReadonlySet<Unit> = new Set();
  #session: Session | undefined;

  constructor(
    readonly prepared: Prepared,
    readonly units: readonly Unit[],
    readonly options: Pick<RefineOptions, "openSession" | "feeds">,
  ) {}

  async against(candidate: ReadonlySet<Unit>): Promise<void> {
    const { openSession, feeds } = this.options;
    const other = await openPlaced(this.prepared, this.units, candidate, openSession);
    const faster = this.#session === undefined || (await timeRatio(other, this.#session, feeds)) < worthwhile;
    await (faster ? this.#session : other)?.close();
    if (faster) [this.int8, this.#session] = [candidate, other];
  }

  async close(): Promise<void> {
    await this.#session?.close();
  }
}

function openPlaced(
  prepared: Prepared,
  units: readonly Unit[],
  int8: ReadonlySet<Unit>,
  openSession: OpenSession,
): Promise<Session> {
  return onCodes(
    prepared,
    units.filter((unit) => int8.has(unit)),
  ).then((model) => openSession(model));
}

/** Maximal sets of units of one kind that hang together through values; those beside the other kind only, smallest first. */
function regions(
  units: readonly Unit[],
  int8: ReadonlySet<Unit>,
): { readonly units: readonly Unit[]; readonly int8: boolean }[] {
  const touching = new Map<string, Unit[]>();
  for (const unit of units) {
    for (const value of [...unit.operands, ...unitOutputs(unit)])
      touching.set(value, [...(touching.get(value) ?? []), unit]);
  }
  const found: { units: Unit[]; int8: boolean }[] = [];
  const seen = new Set<Unit>();
  for (const start of units) {
    if (seen.has(start)) continue;
    const region = new Set([start]);
    let bordersOther = false;
    for (const unit of region) {
      for (const value of [...unit.operands, ...unitOutputs(unit)]) {
        for (const next of touching.get(value) ?? []) {
          if (int8.has(next) === int8.has(start)) region.add(next);
          else bordersOther = true;
        }
      }
    }
    for (const unit of region) seen.add(unit);
    if (bordersOther) found.push({ units: [...region], int8: int8.has(start) });
  }
  return found.sort((a, b) => a.units.length - b.units.length);
}

/** Median of a's time over b's, measured in turn: 15 ms a turn. */
async function timeRatio(a: Session, b: Session, feeds: Tensors): Promise<number> {
  const [once] = await b.time(feeds, 1);
  const runs = Math.max(1, Math.min(300, Math.ceil(15 / Math.max(once, 0.01))));
  const ratios: number[] = [];
  for (let round = 0; round < 7; round++)
    ratios.push(middle(await a.time(feeds, runs)) / middle(await b.time(feeds, runs)));
  return middle(ratios);
}

function middle(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor(sorted.length / 2)];
}

/** 64 bits of a text, for a key; not against attackers. */
function fingerprint(parts: readonly string[]): string {
  const text = parts.join("\n");
  return [hash32(text), hash32(`${text}\n`)].map((half) => half.toString(16).padStart(8, "0")).join("");
}
