/** Model → ModelProto, FunctionDef → FunctionProto. */
import { optional, toEntries } from "#formats/onnx/context";
import type { Message } from "#formats/onnx/schema";
import { writeValueInfo } from "#formats/onnx/valueInfo";
import { writeAttribute, type WriteContext, writeGraph, writeNode } from "#formats/onnx/writeGraph";
import type { FunctionDef, Model } from "#model/model";

export function writeModel(model: Model, place: WriteContext["place"]): Message<"Model"> {
  const context: WriteContext = { irVersion: model.irVersion, place };
  return {
    irVersion: model.irVersion,
    producerName: optional(model.producer.name),
    producerVersion: optional(model.producer.version),
    domain: optional(model.domain),
    modelVersion: model.modelVersion === 0 ? undefined : model.modelVersion,
    docString: optional(model.doc),
    graph: writeGraph(model.graph, context),
    // before IR version 3 there was one operator set, and no field to say so
    opsetImport: model.irVersion < 3 ? undefined : writeOpsets(model.opsets),
    metadataProps: toEntries(model.metadata),
    functions: model.functions.map((definition) => writeFunction(definition, context)),
    unknown: model.unknown,
  };
}

function writeFunction(definition: FunctionDef, context: WriteContext): Message<"Function"> {
  return {
    name: definition.name,
    input: [...definition.inputs],
    output: [...definition.outputs],
    attribute: [...definition.attributes],
    node: definition.nodes.map((node) => writeNode(node, context)),
    docString: optional(definition.doc),
    opsetImport: writeOpsets(definition.opsets),
    domain: optional(definition.domain),
    attributeProto: Array.from(definition.defaults, ([name, attribute]) => writeAttribute(name, attribute, context)),
    valueInfo: Array.from(definition.values.values(), writeValueInfo),
    overload: optional(definition.overload),
    metadataProps: toEntries(definition.metadata),
    unknown: definition.unknown,
  };
}

function writeOpsets(opsets: ReadonlyMap<string, number>): Message<"OperatorSetId">[] {
  return Array.from(opsets, ([domain, version]) => ({ domain: optional(domain), version }));
}
