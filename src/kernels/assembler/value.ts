/**
 * What an instruction leaves on the stack, as an expression: its type, and the code that computes it.
 *
 * A `Value` is code, not a result: who uses it twice computes it twice. What is needed twice belongs in a local.
 */
import { float, signed } from "#kernels/assembler/encoding";

/** WebAssembly's number types, and its vector of 128 bits. */
export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";

export const valueTypes: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};

export interface Value<T extends ValueType = ValueType> {
  readonly type: T;
  readonly code: readonly number[];
}

/** Where a value is wanted a number may stand: it becomes a constant of the type. Vectors have no such short form. */
export type Operand<T extends ValueType> = T extends "v128"
  ? Value<"v128">
  : T extends "i64"
    ? Value<"i64"> | bigint
    : Value<T> | number;

/** The operands of instructions that take these types. */
export type Operands<O extends readonly ValueType[]> = { readonly [K in keyof O]: Operand<O[K]> };

/**
 * The operand as a value of the type. TypeScript refuses a wrong one already; what comes past it is a TypeError that names both,
 * because engines only tell a byte offset.
 */
export function valueOf<T extends ValueType>(type: T, operand: Value | number | bigint): Value<T> {
  if (typeof operand === "object") {
    if (operand.type !== type) throw new TypeError(`an operand of type ${type} is wanted, not ${operand.type}`);
    return { type, code: operand.code };
  }
  return { type, code: constant(type, operand) };
}

function constant(type: ValueType, value: number | bigint): number[] {
  if (typeof value === "bigint" && type === "i64") return [0x42, ...signed(BigInt.asIntN(64, value))];
  if (typeof value === "number") {
    if (type === "f32") return [0x43, ...float(value, 32)];
    if (type === "f64") return [0x44, ...float(value, 64)];
    if (type === "i32" && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 32)
      return [0x41, ...signed(value | 0)];
  }
  throw new TypeError(`${value} is no constant of type ${type}`);
}

/**
 * A family of instructions with the same operands and result, by name: opcodes in, functions out. `prefix` is the byte that
 * stands before the opcodes of vectors.
 *
 *   const i32 = instructions(["i32", "i32"], "i32", { add: 0x6a, sub: 0x6b });
 *   i32.add(x, 4)   // Value<"i32">
 */
export function instructions<const O extends readonly ValueType[], R extends ValueType, N extends string>(
  operands: O,
  result: R,
  opcodes: Readonly<Record<N, number>>,
  encode: (opcode: number) => readonly number[] = (opcode) => [opcode],
): Readonly<Record<N, (...values: Operands<O>) => Value<R>>> {
  const family: Partial<Record<N, (...values: Operands<O>) => Value<R>>> = {};
  for (const [name, opcode] of Object.entries<number>(opcodes) as [N, number][])
    family[name] = (...values) => apply(result, operands, values, encode(opcode));
  return family as Record<N, (...values: Operands<O>) => Value<R>>;
}

/** The code of the operands, one after another, then the instruction's own. */
export function apply<R extends ValueType>(
  result: R,
  types: readonly ValueType[],
  operands: readonly (Value | number | bigint)[],
  instruction: readonly number[],
): Value<R> {
  if (operands.length !== types.length)
    throw new TypeError(`${types.length} operands are wanted, not ${operands.length}`);
  return { type: result, code: [...types.flatMap((type, i) => valueOf(type, operands[i]).code), ...instruction] };
}
