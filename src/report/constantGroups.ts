/**
 * Which stored tensors are one weight together. A quantized weight is several tensors: its codes, their scales and zero points, the
 * dims they are brought to; constant nodes join them up to the value that a layer reads, or the layer itself takes them apart
 * (MatMulNBits). What belongs together is read from the graph, so any tool's file can be taken apart.
 */
import { subgraphs } from "#model/attributes";
import type { Graph, Model, Node } from "#model/model";
import type { ShapeMap } from "#model/shapes";
import {
  type Constant,
  type Constants,
  type ConstantUse,
  findConstants,
  type StoredTensor,
} from "#report/graph/constants";
import { decodedConstants } from "#report/graph/decodedConstants";
import { linksOf } from "#report/graph/fusion";
import { operandOfInput } from "#report/graph/quantizedOperands";
import { type StoredScheme, storedScheme } from "#report/graph/storedScheme";
import { weightName } from "#report/graph/weightName";

export interface ConstantGroup {
  /** The weight's name before it was quantized, where the names of its parts tell it; else the name of its codes. */
  readonly name: string;
  /** The tensor that holds most of it: the codes, or the weight itself. */
  readonly codes: StoredTensor;
  /** All its tensors, the codes first. A tensor that several weights share (equal scales) is counted with the first. */
  readonly members: readonly StoredTensor[];
  /** How the codes stand for numbers: shape, scheme, width of a code. */
  readonly stored: StoredScheme;
  /**
   * "weight": numbers that the model computes with. "parameters": scale and zero point of an activation. "integers": shapes, indices,
   * masks and texts.
   */
  readonly role: "weight" | "parameters" | "integers";
  /** Where it, or what is computed from it alone, is read. Empty for a tensor that nothing reads. */
  readonly uses: readonly ConstantUse[];
  /** Whether more than one node reads it. */
  readonly tied: boolean;
}

export interface ConstantGroupOptions {
  /** Names of weights before quantization, if known: they settle which part of a name is the weight's. */
  readonly names?: ReadonlySet<string>;
}

/** How one group is found before its tensors are told. */
interface Found {
  readonly owner: Constant;
  readonly primary: StoredTensor;
  readonly parameters: boolean;
  readonly uses: ConstantUse[];
}

/**
 * Every stored tensor of the model in exactly one group, in the order of first use; tensors that nothing reads last. `shapes` of
 * `inferShapes`.
 */
export function constantGroups(model: Model, shapes: ShapeMap, options: ConstantGroupOptions = {}): ConstantGroup[] {
  const constants = findConstants(model);
  const decoded = decodedConstants(constants.all, shapes);
  const context = { decoded, shapes, functions: model.functions, operands: constants.operands };
  const found = findGroups(model, constants);
  const members = assignTensors(found);
  const groups = found.flatMap((group): ConstantGroup[] => {
    const own = members.get(group) ?? [];
    if (own.length === 0) return []; // all it had belongs to others
    const stored = storedScheme(group.owner, group.uses, context);
    const role = group.parameters ? "parameters" : stored.numbers ? "weight" : "integers";
    const [codes, ...others] = own.map((tensor) => tensor.name);
    const name = role === "weight" ? weightName(codes, [stored.value, ...others], options.names) : codes;
    const readers = group.uses.filter(({ constant }) => constant.primary === group.primary);
    const tied = role === "weight" && new Set(readers.map(({ node }) => node)).size > 1;
    return [{ name, codes: own[0], members: own, stored, role, uses: group.uses, tied }];
  });
  const grouped = new Set(groups.flatMap((group) => group.members));
  const unread = constants.stored.filter((tensor) => !grouped.has(tensor));
  return [
    ...groups,
    ...unread.map((tensor): ConstantGroup => {
      const stored = storedScheme({ value: tensor.name, node: undefined, inputs: [], primary: tensor }, [], context);
      const role = stored.numbers ? "weight" : "integers";
      return { name: tensor.name, codes: tensor, members: [tensor], stored, role, uses: [], tied: false };
    }),
  ];
}

function findGroups(model: Model, constants: Constants): Found[] {
  const scales = laterScales(model, constants);
  const found = new Map<StoredTensor, Found>();
  for (const use of constants.uses) {
    const { owner, parameters } = ownerOf(use, constants, scales);
    const { primary } = owner;
    if (primary === undefined) continue;
    const group = found.get(primary);
    if (group === undefined) found.set(primary, { owner, primary, parameters, uses: [use] });
    else {
      group.uses.push(use);
      // a tensor that is codes of a weight anywhere is a weight
      if (group.parameters && !parameters) found.set(primary, { ...group, owner, parameters });
    }
  }
  return [...found.values()];
}

/** Whose part a use is: codes own the scale and zero point beside them; where codes are computed, the scale stands for itself. */
function ownerOf(
  { constant, node, input }: ConstantUse,
  { operands }: Constants,
  scales: ReadonlyMap<Constant, Constant>,
): { readonly owner: Constant; readonly parameters: boolean } {
  const operand = node === undefined ? undefined : operandOfInput(node, input);
  if (node === undefined || operand === undefined)
    return { owner: scales.get(constant) ?? constant, parameters: false };
  const at = (index: number | undefined): Constant | undefined =>
    index === undefined ? undefined : operands.get(node)?.[index];
  const codes = at(operand.codes);
  if (codes?.primary !== undefined) return { owner: codes, parameters: false };
  const scale = at(operand.scale);
  return { owner: scale?.primary === undefined ? constant : scale, parameters: true };
}

/**
 * Integer products are scaled afterwards: MatMulInteger → Cast → Mul by (x scale · weight scale). Such weight scales, with the
 * codes they belong to.
 */
function laterScales(model: Model, { operands, uses }: Constants): Map<Constant, Constant> {
  const found = new Map<Constant, Constant>();
  const read = new Map<Constant, number>();
  for (const { constant } of uses) read.set(constant, (read.get(constant) ?? 0) + 1);
  const visit = (graph: Graph): void => {
    const integer = graph.nodes.filter(
      ({ op, domain }) => domain === "" && (op === "MatMulInteger" || op === "ConvInteger"),
    );
    if (integer.length > 0) {
      const scaleAfter = scaleFinder(graph, operands);
      for (const node of integer) {
        const codes = operands.get(node)?.[1];
        const scale = scaleAfter(node);
        if (codes !== undefined && scale !== undefined && read.get(scale) === 1) found.set(scale, codes);
      }
    }
    for (const node of graph.nodes) for (const inner of subgraphs(node)) visit(inner);
  };
  visit(model.graph);
  return found;
}

/** Of an integer product of this graph, the constant that its result is multiplied by. */
function scaleFinder(graph: Graph, operands: Constants["operands"]): (product: Node) => Constant | undefined {
  const { readers, producers } = linksOf(graph);
  const only = (value: string | undefined, op: string): Node | undefined => {
    const found = readers.get(value ?? "") ?? [];
    return found.length === 1 && found[0].op === op ? found[0] : undefined;
  };
  return (product) => {
    const cast = only(product.outputs[0], "Cast");
    const mul = only(cast?.outputs[0], "Mul");
    if (cast === undefined || mul === undefined) return undefined;
    const other = mul.inputs[0] === cast.outputs[0] ? 1 : 0;
    const direct = operands.get(mul)?.[other];
    if (direct !== undefined) return direct;
    const scales = producers.get(mul.inputs[other]);
    return scales?.op === "Mul" ? operands.get(scales)?.find((constant) => constant !== undefined) : undefined;
  };
}

/** Each tensor to one group: codes to their own, the rest to the first weight that needs them, what is left to activations. */
function assignTensors(groups: readonly Found[]): Map<Found, StoredTensor[]> {
  const assigned = new Map(groups.map((group) => [group, group.parameters ? [] : [group.primary]]));
  const taken = new Set([...assigned.values()].flat());
  const seen = new Set<Constant>();
  for (const group of [...groups.filter((each) => !each.parameters), ...groups.filter((each) => each.parameters)]) {
    const open = [...group.uses.map(({ constant }) => constant).reverse(), group.owner];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      if (at.inputs.length === 0 && at.primary !== undefined && !taken.has(at.primary)) {
        taken.add(at.primary);
        assigned.get(group)?.push(at.primary);
      }
      for (const input of [...at.inputs].reverse()) if (input !== undefined) open.push(input);
    }
  }
  return assigned;
}
