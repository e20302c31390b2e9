import type { ConstantGroup } from "#report/constantGroups";
import type { StoredTensor } from "#report/graph/constants";
import { weightPieces } from "#report/weightPieces";

/** Tensors of fewer bytes may be equal by chance, and storing them twice costs nothing. */
const smallest = 4096;

/**
 * Large tensors of the same type, shape and content: weights that were tied and are stored more than once. Each list starts with the one
 * that could stand for all.
 */
export async function duplicateWeights(groups: readonly ConstantGroup[]): Promise<ConstantGroup[][]> {
  const shapes = new Map<string, ConstantGroup[]>();
  for (const group of groups) {
    const { ref, bytes } = group.codes;
    if (ref !== undefined && bytes >= smallest && ref.data.kind !== "strings")
      put(shapes, `${ref.element} ${ref.dims.join("×")}`, group);
  }
  // few tensors of one shape begin with the same bytes: only these are read whole
  const alike = new Map<string, ConstantGroup[]>();
  for (const [shape, candidates] of shapes) {
    if (candidates.length < 2) continue;
    for (const group of candidates) put(alike, `${shape} ${await startOf(group.codes)}`, group);
  }
  const found: ConstantGroup[][] = [];
  for (const candidates of alike.values()) {
    const sets: ConstantGroup[][] = [];
    for (const group of candidates) {
      const set = await setOf(group, sets);
      if (set === undefined) sets.push([group]);
      else set.push(group);
    }
    found.push(...sets.filter((set) => set.length > 1));
  }
  return found;
}

function put(lists: Map<string, ConstantGroup[]>, key: string, group: ConstantGroup): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [group]);
  else list.push(group);
}

async function setOf(group: ConstantGroup, sets: readonly ConstantGroup[][]): Promise<ConstantGroup[] | undefined> {
  for (const set of sets) if (await equal(set[0].codes, group.codes)) return set;
  return undefined;
}

/** The first bytes, which tell nearly all tensors apart. */
async function startOf({ ref }: StoredTensor): Promise<string> {
  if (ref === undefined) return "";
  const { data } = ref;
  if (data.kind === "range") return (await data.source.read(data.offset, Math.min(64, data.length))).join();
  for await (const piece of weightPieces(ref)) return piece.subarray(0, 64).join();
  return "";
}

async function equal(a: StoredTensor, b: StoredTensor): Promise<boolean> {
  if (a.ref === undefined || b.ref === undefined) return false;
  const [left, right] = [weightPieces(a.ref), weightPieces(b.ref)];
  for (;;) {
    const [x, y] = [await left.next(), await right.next()];
    if (x.done === true || y.done === true) return x.done === y.done;
    if (!sameBytes(x.value, y.value)) return false;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
