/**
 * Gives the zeros that a Pad adds before a convolution to the convolution itself, which adds them for nothing: exporters of
 * TensorFlow models write every strided convolution that way. Runtimes do it for float graphs; between codes they no longer see it,
 * and pad in float (MobileNetV1 0.25: 1.3× float's speed with the Pads, 1.6× without; bench/RESULTS.md).
 */
import { attribute, intsAttribute, stringAttribute } from "#model/attributes";
import { GraphDraft } from "#model/edit";
import type { Model, Node } from "#model/model";
import { toNumbers } from "#model/tensor";
import { readWeight } from "#model/weights";

/** The model without the Pads whose zeros convolutions could take over. Wants pads as inputs: operator set 11 or newer. */
export async function foldPad(model: Model): Promise<Model> {
  const draft = new GraphDraft(model.graph);
  for (const pad of draft.nodes()) {
    if (pad.op !== "Pad" || pad.domain !== "") continue;
    for (const conv of draft.consumers(pad.outputs[0])) {
      const pads = await joinedPads(draft, pad, conv);
      if (pads === undefined) continue;
      const kept = [...conv.attributes].filter(([name]) => name !== "auto_pad");
      draft.update(conv, {
        inputs: [pad.inputs[0], ...conv.inputs.slice(1)],
        attributes: new Map([...kept, ["pads", attribute(pads)]]),
      });
    }
  }
  draft.removeUnused();
  return { ...model, graph: draft.finish() };
}

/** The pads of a convolution with those of the Pad before it: [begin of each spatial axis…, end of each…]. */
async function joinedPads(draft: GraphDraft, pad: Node, conv: Node): Promise<number[] | undefined> {
  if (conv.op !== "Conv" || conv.domain !== "" || conv.inputs[0] !== pad.outputs[0]) return undefined;
  const auto = stringAttribute(conv, "auto_pad", "NOTSET");
  const rank = draft.initializer(conv.inputs[1])?.dims.length;
  const sides = await constants(draft, pad.inputs[1]);
  if (rank === undefined || sides === undefined || (auto !== "NOTSET" && auto !== "VALID")) return undefined;
  if (stringAttribute(pad, "mode", "constant") !== "constant" || !(await isZero(draft, pad.inputs[2])))
    return undefined;
  const spatial = rank - 2;
  const given = await axesOf(draft, pad.inputs[3], rank);
  if (given === undefined || sides.length !== 2 * given.length) return undefined;
  const joined = auto === "VALID" ? [] : [...(intsAttribute(conv, "pads") ?? [])];
  while (joined.length < 2 * spatial) joined.push(0);
  for (const [i, axis] of given.entries()) {
    const ends = [sides[i], sides[i + given.length]];
    if (ends.some((size) => size < 0) || (axis < 2 && ends.some((size) => size !== 0))) return undefined;
    if (axis < 2) continue;
    joined[axis - 2] += ends[0];
    joined[axis - 2 + spatial] += ends[1];
  }
  return joined;
}

async function axesOf(draft: GraphDraft, name: string | undefined, rank: number): Promise<number[] | undefined> {
  if (name === undefined || name === "") return Array.from({ length: rank }, (_, axis) => axis);
  return (await constants(draft, name))?.map((axis) => (axis < 0 ? axis + rank : axis));
}

async function isZero(draft: GraphDraft, name: string | undefined): Promise<boolean> {
  if (name === undefined || name === "") return true;
  return (await constants(draft, name))?.every((value) => value === 0) ?? false;
}

async function constants(draft: GraphDraft, name: string | undefined): Promise<number[] | undefined> {
  const ref = name === undefined || draft.isInput(name) ? undefined : draft.initializer(name);
  return ref === undefined ? undefined : Array.from(toNumbers(await readWeight(ref)), Number);
}
