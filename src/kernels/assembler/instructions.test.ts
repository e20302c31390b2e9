import { describe, expect, test } from "vitest";
import { assemble, func } from "#kernels/assembler/assemble";
import { f32, f64, i32 } from "#kernels/assembler/scalar";
import { type Value, valueOf, type ValueType } from "#kernels/assembler/value";
import { f32x4, f64x2, i16x8, i32x4, i8x16, v128 } from "#kernels/assembler/vector";
import { webAssemblyFeatures } from "#kernels/webAssemblyFeatures";

/** A vector by its lanes. */
type Lanes = Int8Array | Uint8Array | Int16Array | Int32Array | Float32Array | Float64Array;
const bytes = (...lanes: number[]) => Uint8Array.from({ length: 16 }, (_, i) => lanes[i] ?? lanes[lanes.length - 1]);
const shorts = (...lanes: number[]) => Int16Array.from({ length: 8 }, (_, i) => lanes[i] ?? lanes[lanes.length - 1]);
const ints = (...lanes: number[]) => Int32Array.from({ length: 4 }, (_, i) => lanes[i] ?? lanes[lanes.length - 1]);
const floats = (...lanes: number[]) => Float32Array.from({ length: 4 }, (_, i) => lanes[i] ?? lanes[lanes.length - 1]);
const doubles = (...lanes: number[]) => Float64Array.from({ length: 2 }, (_, i) => lanes[i] ?? lanes[lanes.length - 1]);

/** What memory holds at its start in every case. */
const memory = Uint8Array.from({ length: 64 }, (_, i) => 0x81 + i);
const word = (at: number) => new DataView(memory.buffer).getInt32(at, true);

const all = -1;
const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

/** name, operands (numbers are of the instruction's own scalar type; typed arrays are vectors; lane numbers last), answer. */
type Case = readonly [operands: readonly (Lanes | number)[], answer: Lanes | number];
const answers: Readonly<Record<string, readonly Case[]>> = {
  "i32.const": [[[-5], -5]],
  "i32.select": [
    [[7, 8, 1], 7],
    [[7, 8, 0], 8],
  ],
  "i32.load": [[[4, 1], word(5)]],
  "i32.load8S": [[[0, 2], memory[2] - 256]],
  "i32.load8U": [[[0, 2], memory[2]]],
  "i32.load16U": [[[1, 2], memory[3] + 256 * memory[4]]],
  "i32.eqz": [
    [[0], 1],
    [[3], 0],
  ],
  "i32.eq": [[[3, 3], 1]],
  "i32.ne": [[[3, 3], 0]],
  "i32.ltS": [[[-1, 1], 1]],
  "i32.ltU": [[[-1, 1], 0]],
  "i32.gtS": [[[-1, 1], 0]],
  "i32.gtU": [[[-1, 1], 1]],
  "i32.leU": [[[1, 1], 1]],
  "i32.geU": [[[0, 1], 0]],
  "i32.add": [[[2147483647, 1], -2147483648]],
  "i32.sub": [[[3, 5], -2]],
  "i32.mul": [[[-3, 5], -15]],
  "i32.divU": [[[-1, 2], 2147483647]],
  "i32.remU": [[[-1, 10], 5]],
  "i32.and": [[[12, 10], 8]],
  "i32.or": [[[12, 10], 14]],
  "i32.xor": [[[12, 10], 6]],
  "i32.shl": [[[3, 4], 48]],
  "i32.shrS": [[[-16, 2], -4]],
  "i32.shrU": [[[-16, 28], 15]],
  "i32.reinterpretF32": [[[1], 0x3f800000]],
  "f32.const": [[[0.1], Math.fround(0.1)]],
  "f32.select": [[[0.5, 2, 0], 2]],
  "f32.load": [[[8, 4], new DataView(memory.buffer).getFloat32(12, true)]],
  "f32.eq": [[[0, -0], 1]],
  "f32.ne": [[[nan, nan], 1]],
  "f32.lt": [[[1, 2], 1]],
  "f32.gt": [[[1, 2], 0]],
  "f32.le": [[[2, 2], 1]],
  "f32.ge": [[[1, 2], 0]],
  "f32.abs": [[[-0], 0]],
  "f32.neg": [[[0], -0]],
  "f32.nearest": [
    [[2.5], 2],
    [[-0.4], -0],
  ],
  "f32.add": [[[16777216, 1], 16777216]],
  "f32.sub": [[[1, 3], -2]],
  "f32.mul": [[[3, 5], 15]],
  "f32.div": [[[1, 3], Math.fround(1 / 3)]],
  "f32.reinterpretI32": [[[0x40490fdb], Math.fround(Math.PI)]],
  "f32.demoteF64": [[[Math.PI], Math.fround(Math.PI)]],
  "f64.const": [[[0.1], 0.1]],
  "f64.select": [[[0.1, 2, 1], 0.1]],
  "f64.load": [[[8, 8], new DataView(memory.buffer).getFloat64(16, true)]],
  "f64.lt": [[[1, 2], 1]],
  "f64.gt": [[[1, 2], 0]],
  "f64.add": [[[0.1, 0.2], 0.1 + 0.2]],
  "f64.sub": [[[0.3, 0.1], 0.3 - 0.1]],
  "f64.mul": [[[0.1, 3], 0.1 * 3]],
  "f64.div": [[[1, 3], 1 / 3]],
  "f64.promoteF32": [[[0.1], Math.fround(0.1)]],
  "v128.load": [[[1, 2], memory.slice(3, 19)]],
  "v128.load8Splat": [[[1, 2], bytes(memory[3])]],
  "v128.load32Splat": [[[1, 2], ints(word(3))]],
  "v128.load64Splat": [[[8, 8], ints(word(16), word(20), word(16), word(20))]],
  "v128.load32Zero": [[[1, 2], ints(word(3), 0)]],
  "v128.load64Zero": [[[1, 2], ints(word(3), word(7), 0)]],
  "v128.not": [[[ints(0, all, 5)], ints(all, 0, -6)]],
  "v128.and": [[[ints(12), ints(10)], ints(8)]],
  "v128.andnot": [[[ints(12), ints(10)], ints(4)]],
  "v128.or": [[[ints(12), ints(10)], ints(14)]],
  "v128.xor": [[[ints(12), ints(10)], ints(6)]],
  "v128.bitselect": [[[ints(0xff), ints(0xf00), ints(0x0f0)], ints((0xff & 0x0f0) | 0xf00)]],
  "v128.anyTrue": [
    [[ints(0, 0, 4, 0)], 1],
    [[ints(0)], 0],
  ],
  "i8x16.const": [
    [
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, -1],
      bytes(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255),
    ],
    [[0x5a], bytes(0x5a)],
  ],
  "i8x16.splat": [[[0x1ff], bytes(255)]],
  "i8x16.shuffle": [
    [
      [bytes(10, 11, 12), bytes(20, 21, 22), 2, 16, 17, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 31],
      bytes(12, 20, 21, 10, 11, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 22),
    ],
  ],
  "i8x16.swizzle": [[[bytes(9, 8, 7, 6), bytes(2, 0, 16, 255, 1)], bytes(7, 9, 0, 0, 8)]],
  "i8x16.relaxedSwizzle": [[[bytes(9, 8, 7, 6), bytes(2, 0, 15, 1)], bytes(7, 9, 6, 8)]],
  "i8x16.relaxedLaneselect": [[[bytes(1), bytes(2), bytes(255, 0, 255)], bytes(1, 2, 1)]],
  "i8x16.narrowI16x8S": [[[shorts(200, -200, 5), shorts(-7)], bytes(127, 128, 5, 5, 5, 5, 5, 5, 249)]],
  "i8x16.narrowI16x8U": [[[shorts(300, -200, 5), shorts(7)], bytes(255, 0, 5, 5, 5, 5, 5, 5, 7)]],
  "i8x16.eq": [[[bytes(1, 2), bytes(1, 3)], bytes(255, 0)]],
  "i8x16.add": [[[bytes(250, 1), bytes(10, 1)], bytes(4, 2)]],
  "i8x16.sub": [[[bytes(5, 1), bytes(10, 1)], bytes(251, 0)]],
  "i8x16.minU": [[[bytes(200, 1), bytes(10, 2)], bytes(10, 1)]],
  "i8x16.maxU": [[[bytes(200, 1), bytes(10, 2)], bytes(200, 2)]],
  "i8x16.popcnt": [[[bytes(255, 0, 0x81, 7)], bytes(8, 0, 2, 3)]],
  "i8x16.shl": [[[bytes(0x91), 4], bytes(0x10)]],
  "i8x16.shrU": [[[bytes(0x91), 4], bytes(0x09)]],
  "i16x8.const": [[[1, -2, 3, 4, 5, 6, 7, 8], shorts(1, -2, 3, 4, 5, 6, 7, 8)]],
  "i16x8.extaddPairwiseI8x16U": [[[bytes(255, 255, 1, 2, 3)], shorts(510, 3, 6)]],
  "i16x8.extendLowI8x16S": [[[bytes(255, 2, 3, 4, 5, 6, 7, 8, 9)], shorts(-1, 2, 3, 4, 5, 6, 7, 8)]],
  "i16x8.extendHighI8x16S": [[[bytes(255, 2, 3, 4, 5, 6, 7, 8, 254, 9)], shorts(-2, 9)]],
  "i16x8.extendLowI8x16U": [[[bytes(255, 2, 3, 4, 5, 6, 7, 8, 9)], shorts(255, 2, 3, 4, 5, 6, 7, 8)]],
  "i16x8.extendHighI8x16U": [[[bytes(255, 2, 3, 4, 5, 6, 7, 8, 254, 9)], shorts(254, 9)]],
  "i16x8.narrowI32x4S": [[[ints(40000, -40000, 5), ints(-7)], shorts(32767, -32768, 5, 5, -7)]],
  "i16x8.narrowI32x4U": [[[ints(40000, -1, 5), ints(7)], shorts(40000 - 65536, 0, 5, 5, 7)]],
  "i16x8.add": [[[shorts(32767, 1), shorts(1)], shorts(-32768, 2)]],
  "i16x8.shl": [[[shorts(3), 15], shorts(-32768)]],
  "i16x8.shrU": [[[shorts(-1), 12], shorts(15)]],
  "i32x4.const": [[[1, -2, 3, 4], ints(1, -2, 3, 4)]],
  "i32x4.splat": [[[-9], ints(-9)]],
  "i32x4.extractLane": [[[ints(4, 5, -6, 7), 2], -6]],
  "i32x4.extaddPairwiseI16x8U": [[[shorts(-1, 1, 2, 3, 4)], ints(65536, 5, 8)]],
  "i32x4.extendLowI16x8S": [[[shorts(-1, 2, 3, 4, 5)], ints(-1, 2, 3, 4)]],
  "i32x4.extendHighI16x8S": [[[shorts(1, 2, 3, 4, -5, 6)], ints(-5, 6)]],
  "i32x4.truncSatF32x4S": [[[floats(-1.9, 3e9, nan, 2.5)], ints(-1, 2147483647, 0, 2)]],
  "i32x4.relaxedTruncF32x4S": [[[floats(-1.9, 16777215, 0, 2.5)], ints(-1, 16777215, 0, 2)]],
  "i32x4.allTrue": [
    [[ints(1, 2, 3, 4)], 1],
    [[ints(1, 0, 3, 4)], 0],
  ],
  "i32x4.bitmask": [[[ints(all, 0, 0, all)], 9]],
  "i32x4.shl": [[[ints(3), 4], ints(48)]],
  "i32x4.shrS": [[[ints(-16), 2], ints(-4)]],
  "i32x4.shrU": [[[ints(-16), 28], ints(15)]],
  "i32x4.eq": [[[ints(1, 2), ints(1, 3)], ints(all, 0)]],
  "i32x4.ne": [[[ints(1, 2), ints(1, 3)], ints(0, all)]],
  "i32x4.ltS": [[[ints(-1, 2), ints(1)], ints(all, 0)]],
  "i32x4.gtS": [[[ints(-1, 2), ints(1)], ints(0, all)]],
  "i32x4.add": [[[ints(2147483647, 2), ints(1)], ints(-2147483648, 3)]],
  "i32x4.sub": [[[ints(1, 5), ints(3)], ints(-2, 2)]],
  "i32x4.mul": [[[ints(-3, 4), ints(5)], ints(-15, 20)]],
  "i32x4.minS": [[[ints(-3, 4), ints(1)], ints(-3, 1)]],
  "i32x4.maxS": [[[ints(-3, 4), ints(1)], ints(1, 4)]],
  "i32x4.maxU": [[[ints(-3, 4), ints(1)], ints(-3, 4)]],
  "i32x4.dotI16x8S": [
    [[shorts(-32768, -32768, 1, 2, 3), shorts(32767, 32767, 10, 100, -1)], ints(-2147418112, 210, -6)],
  ],
  "i32x4.relaxedDotI8x16I7x16AddS": [
    [
      [bytes(0x80, 0x80, 0x80, 0x80, 1, 2, 3, 4, 0xff), bytes(127, 127, 127, 127, 1, 10, 100, 0, 5), ints(1000, 7, 0)],
      ints(-64024, 328, -20),
    ],
  ],
  "f32x4.const": [[[1, -0, nan, 0.5], floats(1, -0, nan, 0.5)]],
  "f32x4.splat": [[[0.5], floats(0.5)]],
  "f32x4.extractLane": [[[floats(1, 2, 3, 4), 3], 4]],
  "f32x4.floor": [[[floats(-0.5, 2.9, -0, 1)], floats(-1, 2, -0, 1)]],
  "f32x4.nearest": [[[floats(0.5, 1.5, -2.5, -0.2)], floats(0, 2, -2, -0)]],
  "f32x4.abs": [[[floats(-1, 2, -0, -infinity)], floats(1, 2, 0, infinity)]],
  "f32x4.neg": [[[floats(-1, 2, 0)], floats(1, -2, -0)]],
  "f32x4.convertI32x4S": [[[ints(-5, 16777217)], floats(-5, 16777216)]],
  "f32x4.convertI32x4U": [[[ints(-1, 5)], floats(4294967296, 5)]],
  "f32x4.demoteF64x2Zero": [[[doubles(0.1, 1e300)], floats(0.1, infinity, 0)]],
  "f32x4.eq": [[[floats(1, nan, 0), floats(1, nan, -0)], ints(all, 0, all)]],
  "f32x4.ne": [[[floats(1, nan, 0), floats(1, nan, -0)], ints(0, all, 0)]],
  "f32x4.lt": [[[floats(1, 2, 3), floats(2)], ints(all, 0, 0)]],
  "f32x4.gt": [[[floats(1, 2, 3), floats(2)], ints(0, 0, all)]],
  "f32x4.le": [[[floats(1, 2, 3), floats(2)], ints(all, all, 0)]],
  "f32x4.ge": [[[floats(1, 2, 3), floats(2)], ints(0, all, all)]],
  "f32x4.add": [[[floats(16777216, 1), floats(1)], floats(16777216, 2)]],
  "f32x4.sub": [[[floats(1, 3), floats(2)], floats(-1, 1)]],
  "f32x4.mul": [
    [[floats(3, 1e-30), floats(0.5, 1e-10)], floats(1.5, Math.fround(Math.fround(1e-30) * Math.fround(1e-10)))],
  ],
  "f32x4.div": [[[floats(1, -1), floats(3, 0)], floats(Math.fround(1 / 3), -infinity)]],
  "f32x4.pmin": [[[floats(1, 5, nan, 2), floats(3, 3, 3, nan)], floats(1, 3, nan, 2)]],
  "f32x4.pmax": [[[floats(1, 5, nan, 2), floats(3, 3, 3, nan)], floats(3, 5, nan, 2)]],
  "f32x4.relaxedMadd": [[[floats(3, 0.5), floats(4, 8), floats(1, -1)], floats(13, 3)]],
  "f64x2.const": [[[0.1, -2], doubles(0.1, -2)]],
  "f64x2.splat": [[[0.1], doubles(0.1)]],
  "f64x2.extractLane": [[[doubles(0.1, 0.2), 1], 0.2]],
  "f64x2.promoteLowF32x4": [[[floats(0.1, -2, 3, 4)], doubles(Math.fround(0.1), -2)]],
  "f64x2.add": [[[doubles(0.1, 1), doubles(0.2)], doubles(0.1 + 0.2, 1.2)]],
  "f64x2.sub": [[[doubles(0.3, 1), doubles(0.1)], doubles(0.3 - 0.1, 0.9)]],
  "f64x2.mul": [[[doubles(0.1, 1), doubles(3)], doubles(0.1 * 3, 3)]],
};

const groups = { i32, f32, f64, v128, i8x16, i16x8, i32x4, f32x4, f64x2 };
type Make = (...operands: never[]) => Value;
const instructions = Object.entries(groups).flatMap(([group, family]) =>
  Object.entries<Make>(family).map(([name, make]) => [`${group}.${name}`, make] as const),
);

/** How many numbers an instruction takes at run time; what follows is written into it. All others take all of theirs. */
const written: Readonly<Record<string, number>> = { const: 0, extractLane: 0, shuffle: 0, load: 1 };
const familyOf = (name: string): string => name.replace(/^.*\./, "").replace(/^load.*/, "load");

/** The type of an instruction's plain number. */
function typeOf(name: string, index: number): ValueType {
  if (/load|shl|shr|reinterpretI32/.test(name) || (name.endsWith(".select") && index === 2)) return "i32";
  if (/reinterpretF32|promoteF32|^f32/.test(name)) return name === "f32.demoteF64" ? "f64" : "f32";
  return name.startsWith("f64") ? "f64" : "i32";
}

/** Runs one instruction: vectors come from memory, numbers are parameters, so that engines compute and do not fold. */
function run(name: string, make: Make, operands: readonly (Lanes | number)[], answer: Lanes | number): Lanes | number {
  const store = new WebAssembly.Memory({ initial: 1 });
  new Uint8Array(store.buffer).set(memory);
  const numbers = operands
    .filter((operand) => typeof operand === "number")
    .slice(0, written[familyOf(name)] ?? operands.length);
  const parameters = Object.fromEntries(numbers.map((_, i) => [`p${i}`, typeOf(name, i)]));
  const body = (locals: Readonly<Record<string, Value>>): Value => {
    let [vectors, scalars] = [0, 0];
    const values = operands.map((operand) => {
      if (typeof operand === "number") return locals[`p${scalars++}`] ?? operand;
      const at = 64 + 16 * vectors++;
      new Uint8Array(store.buffer).set(new Uint8Array(operand.buffer, operand.byteOffset, 16), at);
      return v128.load(at);
    });
    return make(...(values as never[]));
  };
  const scalar = answers[name][0][1];
  const result = typeof scalar !== "number" ? undefined : resultOf(name);
  const bytes = assemble(
    {},
    {
      run:
        result === undefined
          ? func(parameters, undefined, (f, locals) => f.store.v128(256, valueOf("v128", body(locals))))
          : func(parameters, result, (_, locals) => body(locals) as Value<typeof result>),
    },
  );
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: store } });
  const returned = (exports.run as (...parameters: number[]) => number)(...numbers);
  if (typeof answer === "number") return returned;
  return new (answer.constructor as new (buffer: ArrayBuffer) => Lanes)(store.buffer.slice(256, 272));
}

/** The type of a number that an instruction gives. */
function resultOf(name: string): "i32" | "f32" | "f64" {
  if (/\.(eqz?|ne|[lg][te][SU]?|anyTrue|allTrue|bitmask)$/.test(name) || name.startsWith("i32")) return "i32";
  return name.startsWith("f32") ? "f32" : "f64";
}

describe.each(instructions)("%s", (name, make) => {
  const relaxed = /relaxed/.test(name);
  test.skipIf(relaxed && webAssemblyFeatures()?.relaxedSimd !== true)("gives the known answer", () => {
    expect(answers[name], "no known answer").toBeDefined();
    for (const [operands, answer] of answers[name]) expect(run(name, make, operands, answer)).toEqual(answer);
  });
});

test("a known answer belongs to an instruction", () => {
  expect(Object.keys(answers).sort()).toEqual(instructions.map(([name]) => name).sort());
});

test("an operand of another type is refused by TypeScript, and by name where TypeScript does not look", () => {
  // @ts-expect-error a vector is no number
  expect(() => f32.add(f32x4.const(1), 2)).toThrow("an operand of type f32 is wanted, not v128");
  // @ts-expect-error two operands are wanted
  expect(() => i32.add(2)).toThrow("2 operands are wanted, not 1");
  // @ts-expect-error a number does not become a vector
  expect(() => v128.not(5)).toThrow("5 is no constant of type v128");
  expect(() => i32.add(0.5, 1)).toThrow("0.5 is no constant of type i32");
  expect(() => i32x4.extractLane(i32x4.const(0), 4)).toThrow("there is no lane 4 among 4");
  expect(() => i16x8.const(1, 2)).toThrow("a constant of 8 lanes is not made of 2 numbers");
});
