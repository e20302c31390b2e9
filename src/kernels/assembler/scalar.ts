/** Instructions on numbers, by type, as the core specification names them (§5.4.3, §5.4.6): `i32.add(x, 4)`, `f32.load(at, 16)`. */
import { unsigned } from "#kernels/assembler/encoding";
import { apply, instructions, type Operand, type Value, type ValueType } from "#kernels/assembler/value";

/** A constant. Where an instruction wants a value, a plain number does. */
function constant<T extends "i32" | "f32" | "f64">(type: T) {
  return (value: number): Value<T> => apply(type, [type], [value], []);
}

/** Reads memory at `address` + `offset`; addresses count bytes and need no alignment. */
function load<T extends ValueType>(type: T, opcode: number) {
  return (address: Operand<"i32">, offset = 0): Value<T> =>
    apply(type, ["i32"], [address], [opcode, 0, ...unsigned(offset)]);
}

/** `yes` where the condition is not 0, else `no`; both are computed. */
function select<T extends ValueType>(type: T) {
  return (yes: Operand<T>, no: Operand<T>, condition: Operand<"i32">): Value<T> =>
    apply(type, [type, type, "i32"], [yes, no, condition], [0x1b]);
}

export const i32 = {
  const: constant("i32"),
  select: select("i32"),
  load: load("i32", 0x28),
  load8S: load("i32", 0x2c),
  load8U: load("i32", 0x2d),
  load16U: load("i32", 0x2f),
  ...instructions(["i32"], "i32", { eqz: 0x45 }),
  ...instructions(["i32", "i32"], "i32", {
    eq: 0x46,
    ne: 0x47,
    ltS: 0x48,
    ltU: 0x49,
    gtS: 0x4a,
    gtU: 0x4b,
    leU: 0x4d,
    geU: 0x4f,
    add: 0x6a,
    sub: 0x6b,
    mul: 0x6c,
    divU: 0x6e,
    remU: 0x70,
    and: 0x71,
    or: 0x72,
    xor: 0x73,
    shl: 0x74,
    shrS: 0x75,
    shrU: 0x76,
  }),
  ...instructions(["f32"], "i32", { reinterpretF32: 0xbc }),
};

export const f32 = {
  const: constant("f32"),
  select: select("f32"),
  load: load("f32", 0x2a),
  ...instructions(["f32", "f32"], "i32", { eq: 0x5b, ne: 0x5c, lt: 0x5d, gt: 0x5e, le: 0x5f, ge: 0x60 }),
  ...instructions(["f32"], "f32", { abs: 0x8b, neg: 0x8c, nearest: 0x90 }),
  ...instructions(["f32", "f32"], "f32", { add: 0x92, sub: 0x93, mul: 0x94, div: 0x95 }),
  ...instructions(["i32"], "f32", { reinterpretI32: 0xbe }),
  ...instructions(["f64"], "f32", { demoteF64: 0xb6 }),
};

export const f64 = {
  const: constant("f64"),
  select: select("f64"),
  load: load("f64", 0x2b),
  ...instructions(["f64", "f64"], "i32", { lt: 0x63, gt: 0x64 }),
  ...instructions(["f64", "f64"], "f64", { add: 0xa0, sub: 0xa1, mul: 0xa2, div: 0xa3 }),
  ...instructions(["f32"], "f64", { promoteF32: 0xbb }),
};
