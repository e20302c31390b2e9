/**
 * Instructions on vectors of 128 bits, by shape (core specification §5.4.7; relaxed ones: the relaxed SIMD proposal):
 * `f32x4.mul(a, b)` multiplies four numbers, `i8x16.shuffle(a, b, …)` moves bytes.
 *
 * What a relaxed instruction gives beyond the operands it is made for is left to the processor; see each.
 */
import { float, unsigned } from "#kernels/assembler/encoding";
import { apply, instructions, type Operand, type Value, type ValueType } from "#kernels/assembler/value";

const vector = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];

/** a → vector. */
const unary = <N extends string>(opcodes: Readonly<Record<N, number>>) =>
  instructions(["v128"], "v128", opcodes, vector);
/** (a, b) → vector. */
const binary = <N extends string>(opcodes: Readonly<Record<N, number>>) =>
  instructions(["v128", "v128"], "v128", opcodes, vector);
/** (a, b, c) → vector. */
const ternary = <N extends string>(opcodes: Readonly<Record<N, number>>) =>
  instructions(["v128", "v128", "v128"], "v128", opcodes, vector);
/** vector → whole number. */
const test = <N extends string>(opcodes: Readonly<Record<N, number>>) => instructions(["v128"], "i32", opcodes, vector);
/** (vector, distance) → vector; the distance is taken modulo a lane's width. */
const shift = <N extends string>(opcodes: Readonly<Record<N, number>>) =>
  instructions(["v128", "i32"], "v128", opcodes, vector);
/** A number in every lane. */
const splat = <T extends ValueType>(lane: T, opcode: number) =>
  instructions([lane], "v128", { splat: opcode }, vector).splat;

function constant(bytes: readonly number[]): Value<"v128"> {
  return { type: "v128", code: [...vector(12), ...bytes] };
}

/** A list of `count` lanes; one number stands for all of them. */
function lanes(count: number, values: readonly number[]): readonly number[] {
  if (values.length === 1) return Array.from({ length: count }, () => values[0]);
  if (values.length !== count)
    throw new TypeError(`a constant of ${count} lanes is not made of ${values.length} numbers`);
  return values;
}

/** Bytes of whole numbers of `width` bytes, lowest first. */
function whole(width: number, values: readonly number[]): number[] {
  return values.flatMap((value) => Array.from({ length: width }, (_, i) => (value >> (8 * i)) & 0xff));
}

function load(opcode: number) {
  return (address: Operand<"i32">, offset = 0): Value<"v128"> =>
    apply("v128", ["i32"], [address], [...vector(opcode), 0, ...unsigned(offset)]);
}

function extract<T extends ValueType>(type: T, opcode: number, count: number) {
  return (value: Value<"v128">, lane: number): Value<T> =>
    apply(type, ["v128"], [value], [...vector(opcode), checked(lane, count)]);
}

function checked(lane: number, count: number): number {
  if (Number.isInteger(lane) && lane >= 0 && lane < count) return lane;
  throw new TypeError(`there is no lane ${lane} among ${count}`);
}

export const v128 = {
  load: load(0),
  /** Four bytes, or two, or one, in every lane of that width. */
  load8Splat: load(7),
  load32Splat: load(9),
  load64Splat: load(10),
  /** The first four bytes; the others are 0. */
  load32Zero: load(92),
  load64Zero: load(93),
  ...unary({ not: 77 }),
  ...binary({ and: 78, andnot: 79, or: 80, xor: 81 }),
  /** (a, b, mask): a's bits where the mask's are 1, else b's. */
  ...ternary({ bitselect: 82 }),
  ...test({ anyTrue: 83 }),
};

export const i8x16 = {
  const: (...values: number[]): Value<"v128"> => constant(whole(1, lanes(16, values))),
  splat: splat("i32", 15),
  /** Bytes of a (0 … 15) and b (16 … 31), chosen when the module is made. */
  shuffle: (a: Value<"v128">, b: Value<"v128">, ...from: number[]): Value<"v128"> =>
    apply("v128", ["v128", "v128"], [a, b], [...vector(13), ...lanes(16, from).map((lane) => checked(lane, 32))]),
  ...binary({
    /** (table, indices): 0 where an index is above 15. */
    swizzle: 14,
    narrowI16x8S: 101,
    narrowI16x8U: 102,
    eq: 35,
    add: 110,
    sub: 113,
    minU: 119,
    maxU: 121,
    /** Like swizzle, for indices up to 15. */
    relaxedSwizzle: 256,
  }),
  ...unary({ popcnt: 98 }),
  ...shift({ shl: 107, shrU: 109 }),
  /** Like bitselect, for masks whose lanes are all ones or all zeros. */
  ...ternary({ relaxedLaneselect: 265 }),
};

export const i16x8 = {
  const: (...values: number[]): Value<"v128"> => constant(whole(2, lanes(8, values))),
  ...unary({ extaddPairwiseI8x16U: 125, extendLowI8x16S: 135, extendHighI8x16S: 136 }),
  ...unary({ extendLowI8x16U: 137, extendHighI8x16U: 138 }),
  ...binary({ narrowI32x4S: 133, narrowI32x4U: 134, add: 142 }),
  ...shift({ shl: 139, shrU: 141 }),
};

export const i32x4 = {
  const: (...values: number[]): Value<"v128"> => constant(whole(4, lanes(4, values))),
  splat: splat("i32", 17),
  extractLane: extract("i32", 27, 4),
  ...unary({
    extaddPairwiseI16x8U: 127,
    extendLowI16x8S: 167,
    extendHighI16x8S: 168,
    /** Towards 0, kept within 32 bits; NaN gives 0. */
    truncSatF32x4S: 248,
    /** Like truncSat, for numbers within 32 bits. */
    relaxedTruncF32x4S: 257,
  }),
  ...test({ allTrue: 163, bitmask: 164 }),
  ...shift({ shl: 171, shrS: 172, shrU: 173 }),
  ...binary({
    eq: 55,
    ne: 56,
    ltS: 57,
    gtS: 59,
    add: 174,
    sub: 177,
    mul: 181,
    minS: 182,
    maxS: 184,
    maxU: 185,
    /** Sums of two products of neighbours of 16 bits. */
    dotI16x8S: 186,
  }),
  /** (a of 8 bits signed, b of 7 bits, c): c + sums of four products. Whether b's 8th bit is a sign is left to the processor. */
  ...ternary({ relaxedDotI8x16I7x16AddS: 275 }),
};

export const f32x4 = {
  const: (...values: number[]): Value<"v128"> => constant(lanes(4, values).flatMap((value) => float(value, 32))),
  splat: splat("f32", 19),
  extractLane: extract("f32", 31, 4),
  ...unary({ floor: 104, nearest: 106, abs: 224, neg: 225, convertI32x4S: 250, convertI32x4U: 251 }),
  ...unary({ demoteF64x2Zero: 94 }),
  ...binary({
    eq: 65,
    ne: 66,
    lt: 67,
    gt: 68,
    le: 69,
    ge: 70,
    add: 228,
    sub: 229,
    mul: 230,
    div: 231,
    /** b < a ? b : a, so a where either is NaN. */
    pmin: 234,
    /** a < b ? b : a, so a where either is NaN. */
    pmax: 235,
  }),
  /** (a, b, c): a·b + c, rounded once or twice. */
  ...ternary({ relaxedMadd: 261 }),
};

export const f64x2 = {
  const: (...values: number[]): Value<"v128"> => constant(lanes(2, values).flatMap((value) => float(value, 64))),
  splat: splat("f64", 20),
  extractLane: extract("f64", 33, 2),
  /** The first two numbers of four. */
  ...unary({ promoteLowF32x4: 95 }),
  ...binary({ add: 240, sub: 241, mul: 242 }),
};
