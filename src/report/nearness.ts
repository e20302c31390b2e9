/** How near a model's outputs come to its float parent's: sums over all samples, and no outputs but the parent's first. */
import { LowbitError } from "#base/errors";
import { type Tensor, toNumbers } from "#model/tensor";

type Outputs = Readonly<Record<string, Tensor>>;

export interface Nearness {
  /** Σx² and Σ(x − x̂)² over floating-point outputs where the parent is finite. */
  signal: number;
  noise: number;
  /** Elements of whole-number outputs, and how many of them are the parent's. */
  whole: number;
  same: number;
  /** Outputs that hold NaN or ∞ where the parent's do not, and the first sample with one. */
  broken: number;
  firstBroken: string;
  /** The parent's outputs on the first sample, until one differs from them: a parent that never varies proves nothing. */
  first?: Outputs;
  varies: boolean;
}

export function startNearness(): Nearness {
  return { signal: 0, noise: 0, whole: 0, same: 0, broken: 0, firstBroken: "", varies: false };
}

/** Adds the outputs on a sample; without a parent only broken ones are looked for. Throws `proof/output` where sizes differ. */
export function addOutputs(nearness: Nearness, parent: Outputs | undefined, child: Outputs, id: string): void {
  if (parent !== undefined) notice(nearness, parent);
  for (const [name, value] of Object.entries(child)) {
    if (value.type === "string") continue;
    const y = toNumbers(value);
    const x = parent === undefined ? undefined : toNumbers(parent[name]);
    if (x !== undefined && x.length !== y.length) {
      throw new LowbitError(
        "proof/output",
        `output ${name} has ${y.length} elements, its float parent's has ${x.length}`,
        { at: { tensor: name, file: id } },
      );
    }
    if (isFloat(value)) addFloats(nearness, x, y, id);
    else if (x !== undefined) addWhole(nearness, x, y);
  }
}

/** Whether a tensor holds floating-point numbers, of any width. */
export function isFloat({ type }: Tensor): boolean {
  return /float/.test(type);
}

function addFloats(nearness: Nearness, x: ArrayLike<number> | undefined, y: ArrayLike<number>, id: string): void {
  let finite = true;
  for (let i = 0; i < y.length; i++) {
    const expected = x?.[i] ?? y[i];
    // where the parent itself answers ∞ or NaN there is nothing to lose
    if (expected - expected !== 0) continue;
    finite = finite && y[i] - y[i] === 0;
    nearness.signal += expected * expected;
    nearness.noise += (y[i] - expected) * (y[i] - expected);
  }
  if (finite) return;
  nearness.broken++;
  nearness.firstBroken ||= id;
}

function addWhole(nearness: Nearness, x: ArrayLike<number>, y: ArrayLike<number>): void {
  nearness.whole += x.length;
  for (let i = 0; i < x.length; i++) if (x[i] === y[i]) nearness.same++;
}

function notice(nearness: Nearness, parent: Outputs): void {
  if (nearness.varies) return;
  const { first } = nearness;
  if (first === undefined) {
    nearness.first = parent;
    return;
  }
  nearness.varies = Object.entries(parent).some(([name, { dims, data }]) => {
    const before = first[name];
    return (
      String(before.dims) !== String(dims) || Array.prototype.some.call(data, (x, i) => !Object.is(x, before.data[i]))
    );
  });
  if (nearness.varies) delete nearness.first;
}
