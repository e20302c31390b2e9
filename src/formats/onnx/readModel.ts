/** ModelProto → Model, FunctionProto → FunctionDef. */
import { type Context, domainOf, entries, exactInteger, keepUnknown, refuse } from "#formats/onnx/context";
import { readAttributes, readGraph, readNode, readValues } from "#formats/onnx/readGraph";
import type { Message } from "#formats/onnx/schema";
import type { FunctionDef, Model } from "#model/model";

export function readModel(proto: Message<"Model">, surroundings: Omit<Context, "irVersion">): Model {
  const irVersion = exactInteger(proto.irVersion, "the IR version", proto, surroundings);
  const context: Context = { ...surroundings, irVersion };

  if (proto.graph === undefined)
    throw refuse(context, proto, "onnx/invalid", "there is no graph", {
      hint: "is this an ONNX model, and is it complete?",
    });
  if (irVersion < 1) throw refuse(context, proto, "onnx/invalid", "there is no IR version");
  return {
    irVersion,
    opsets: readOpsets(proto.opsetImport, proto, context),
    graph: readGraph(proto.graph, context),
    functions: (proto.functions ?? []).map((definition) => readFunction(definition, context)),
    producer: { name: proto.producerName ?? "", version: proto.producerVersion ?? "" },
    domain: proto.domain ?? "",
    modelVersion: proto.modelVersion ?? 0,
    doc: proto.docString ?? "",
    metadata: entries(proto.metadataProps),
    ...keepUnknown(proto),
  };
}

function readFunction(proto: Message<"Function">, context: Context): FunctionDef {
  const name = proto.name ?? "";
  if (name === "") throw refuse(context, proto, "onnx/invalid", "a function has no name");
  return {
    name,
    domain: domainOf(proto.domain),
    overload: proto.overload ?? "",
    inputs: proto.input ?? [],
    outputs: proto.output ?? [],
    attributes: proto.attribute ?? [],
    defaults: readAttributes(proto.attributeProto, `function ${name}`, context),
    nodes: (proto.node ?? []).map((node) => readNode(node, context)),
    opsets: readOpsets(proto.opsetImport, proto, context),
    values: readValues(proto.valueInfo, context),
    doc: proto.docString ?? "",
    metadata: entries(proto.metadataProps),
    ...keepUnknown(proto),
  };
}

/** Domain → version. A domain imported twice must say the same version twice. */
function readOpsets(
  protos: readonly Message<"OperatorSetId">[] | undefined,
  owner: { readonly at?: number },
  context: Context,
): ReadonlyMap<string, number> {
  // before IR version 3 there was one operator set
  if (protos === undefined && context.irVersion < 3) return new Map([["", 1]]);
  const opsets = new Map<string, number>();
  for (const proto of protos ?? []) {
    const domain = domainOf(proto.domain);
    const version = exactInteger(proto.version, "an operator set version", proto, context);
    if (version < 1)
      throw refuse(context, proto, "onnx/invalid", `operator set ${domain || "ai.onnx"} has version ${version}`);
    const other = opsets.get(domain) ?? version;
    if (other !== version)
      throw refuse(
        context,
        owner,
        "onnx/invalid",
        `${domain || "ai.onnx"} is imported in versions ${other} and ${version}`,
      );
    opsets.set(domain, version);
  }
  return opsets;
}
