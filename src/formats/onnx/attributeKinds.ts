/** AttributeProto.AttributeType, the field that holds such a value, and its name in the graph IR. */
export const attributeKinds = [
  { kind: "float", type: 1, field: "f" },
  { kind: "int", type: 2, field: "i" },
  { kind: "string", type: 3, field: "s" },
  { kind: "tensor", type: 4, field: "t" },
  { kind: "graph", type: 5, field: "g" },
  { kind: "floats", type: 6, field: "floats" },
  { kind: "ints", type: 7, field: "ints" },
  { kind: "strings", type: 8, field: "strings" },
  { kind: "tensors", type: 9, field: "tensors" },
  { kind: "graphs", type: 10, field: "graphs" },
  { kind: "type", type: 13, field: "tp" },
  { kind: "types", type: 14, field: "typeProtos" },
] as const;

export type ValueKind = (typeof attributeKinds)[number]["kind"];
