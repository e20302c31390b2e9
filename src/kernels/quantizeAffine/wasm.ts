/**
 * Affine codes, sixteen at a time: divide, clamp to what the codes reach (whole numbers, so before rounding as well as after), and
 * round by adding 1.5·2²³: the sum's last bits are then the code, by IEEE 754's own ties-to-even.
 */
import { func } from "#kernels/assembler/assemble";
import type { FunctionBody, Local } from "#kernels/assembler/func";
import type { Value } from "#kernels/assembler/value";
import { f32x4, i16x8, i32x4, i8x16, v128 } from "#kernels/assembler/vector";
import type { Engine } from "#kernels/engine";
import { forEachPiece } from "#kernels/pieces";
import { type Codes, quantizeAffine } from "#kernels/quantizeAffine/reference";
import { at, forEachStep } from "#kernels/steps";

const magic = 12582912;
const magicBits = 0x4b400000;

interface CodeType {
  readonly width: 1 | 2 | 4;
  readonly signed: boolean;
}

/** Parameters of four neighbours. */
interface Four {
  readonly scale: Local<"v128">;
  /** Least and greatest quotient, and what remains to be taken from the bits of a rounded one. */
  readonly low: Local<"v128">;
  readonly high: Local<"v128">;
  readonly offset: Local<"v128">;
}

function fourOf(f: FunctionBody): Four {
  const [scale, low, high, offset] = [f.local("v128"), f.local("v128"), f.local("v128"), f.local("v128")];
  return { scale, low, high, offset };
}

/** Reads parameters: one for all four from a scalar's splat, or four. */
function setFour(
  f: FunctionBody,
  four: Four,
  scale: Value<"v128">,
  zero: Value<"v128">,
  min: Local<"i32">,
  max: Local<"i32">,
): void {
  f.set(four.scale, scale);
  f.set(four.offset, zero);
  f.set(four.low, f32x4.convertI32x4S(i32x4.sub(i32x4.splat(min), four.offset)));
  f.set(four.high, f32x4.convertI32x4S(i32x4.sub(i32x4.splat(max), four.offset)));
  f.set(four.offset, i32x4.sub(i32x4.const(magicBits), four.offset));
}

function codesOf(x: Value<"v128">, { scale, low, high, offset }: Four): Value<"v128"> {
  const quotient = f32x4.div(x, scale);
  // low first: a NaN then gives low
  const clamped = f32x4.pmin(high, f32x4.pmax(low, quotient));
  return i32x4.sub(f32x4.add(clamped, f32x4.const(magic)), offset);
}

/** Stores sixteen codes, four in each vector, as wide as they are. */
function storeCodes(
  f: FunctionBody,
  { width, signed }: CodeType,
  to: Value<"i32">,
  codes: readonly Value<"v128">[],
): void {
  if (width === 4) return codes.forEach((four, j) => f.store.v128(to, four, 16 * j));
  const narrow = signed || width === 1 ? i16x8.narrowI32x4S : i16x8.narrowI32x4U;
  const [a, b] = [narrow(codes[0], codes[1]), narrow(codes[2], codes[3])];
  if (width === 1) return f.store.v128(to, (signed ? i8x16.narrowI16x8S : i8x16.narrowI16x8U)(a, b));
  f.store.v128(to, a);
  f.store.v128(to, b, 16);
}

const module = (type: CodeType) => () => ({
  /** `runs` runs of `run` numbers, at least 16, each with one parameter. */
  runs: func(
    { x: "i32", codes: "i32", run: "i32", runs: "i32", scale: "i32", zero: "i32", min: "i32", max: "i32" },
    undefined,
    (f, { x, codes, run, runs, scale, zero, min, max }) => {
      const four = fourOf(f);
      const from = f.local("i32");
      f.while(runs, () => {
        setFour(f, four, v128.load32Splat(scale), v128.load32Splat(zero), min, max);
        forEachStep(f, run, 16, (index) => {
          f.set(from, at(x, index, 4));
          storeCodes(
            f,
            type,
            at(codes, index, type.width),
            [0, 1, 2, 3].map((j) => codesOf(v128.load(from, 16 * j), four)),
          );
        });
        f.set(x, at(x, run, 4));
        f.set(codes, at(codes, run, type.width));
        f.increase(scale, 4);
        f.increase(zero, 4);
        f.increase(runs, -1);
      });
    },
  ),
  /** `rows` rows of `columns` numbers, at least 16, each column with its parameter. */
  columns: func(
    { x: "i32", codes: "i32", columns: "i32", rows: "i32", scale: "i32", zero: "i32", min: "i32", max: "i32" },
    undefined,
    (f, { x, codes, columns, rows, scale, zero, min, max }) => {
      const four = fourOf(f);
      const [from, to, row] = [f.local("i32"), f.local("i32"), f.local("i32")];
      const results = [0, 1, 2, 3].map(() => f.local("v128"));
      forEachStep(f, columns, 16, (index) => {
        f.set(from, at(x, index, 4));
        f.set(to, at(codes, index, type.width));
        f.set(row, rows);
        f.while(row, () => {
          results.forEach((result, j) => {
            setFour(f, four, v128.load(at(scale, index, 4), 16 * j), v128.load(at(zero, index, 4), 16 * j), min, max);
            f.set(result, codesOf(v128.load(from, 16 * j), four));
          });
          storeCodes(f, type, to, results);
          f.set(from, at(from, columns, 4));
          f.set(to, at(to, columns, type.width));
          f.increase(row, -1);
        });
      });
    },
  ),
});

function typeOf(codes: Codes): CodeType {
  const width = codes.BYTES_PER_ELEMENT as 1 | 2 | 4; // the widths of the arrays in `Codes`
  return { width, signed: !(codes instanceof Uint8Array || codes instanceof Uint16Array) };
}

/** Rows that are walked down, column by column, stay in the cache. */
const largestTile = 65536;

/** The largest whole number up to which adding `magic` rounds. */
const roundable = 2 ** 22;

/** The kernel on an engine; see reference.ts. */
export function fastQuantizeAffine(engine: Engine): typeof quantizeAffine {
  return (x, parameters, codes) => {
    const { scale, run, min, max } = parameters;
    const count = scale.length;
    const zeroPoint = parameters.zeroPoint ?? new Int32Array(count);
    const reach = zeroPoint.reduce((most, z) => Math.max(most, Math.abs(min - z), Math.abs(max - z)), 0);
    const columns = run === 1;
    if (reach > roundable || (columns ? count : run) < 16 || x.length % (run * count) !== 0)
      return quantizeAffine(x, parameters, codes);
    const type = typeOf(codes);
    const kernel = engine.load(`quantizeAffine ${type.signed ? "int" : "uint"}${8 * type.width}`, module(type));

    /** `lines` lines of `length` numbers from number `first` on, with the parameters from `parameter` on. */
    const piece = (first: number, lines: number, length: number, parameter: number): void => {
      const end = first + lines * length;
      const used = columns ? length : lines;
      const to = codes.subarray(first, end);
      engine.clear();
      const target = engine.target(to);
      const scales = engine.enter(scale.subarray(parameter, parameter + used));
      const zeros = engine.enter(zeroPoint.subarray(parameter, parameter + used));
      const write = columns ? kernel.columns : kernel.runs;
      write(engine.enter(x.subarray(first, end)), target, length, lines, scales, zeros, min, max);
      engine.leave(to, target);
    };
    /** What is shorter than a vector's step. */
    const rest = (first: number, length: number, parameter: number, used: number): void => {
      const [from, to] = [scale.subarray(parameter, parameter + used), zeroPoint.subarray(parameter, parameter + used)];
      const own = { scale: from, zeroPoint: to, run: columns ? 1 : length, min, max };
      quantizeAffine(x.subarray(first, first + length), own, codes.subarray(first, first + length));
    };

    const tile = engine.tile(x, codes);
    if (columns) {
      // rows together while they fit, else each by itself in parts
      const lines = { runs: x.length / count, run: count, tile: Math.min(tile, largestTile), least: 16 };
      forEachPiece(lines, (_, rows, first, length, enough) =>
        enough ? piece(first, rows, length, first % count) : rest(first, length, first % count, length),
      );
    } else {
      for (let cycle = 0; cycle < x.length; cycle += run * count)
        forEachPiece({ runs: count, run, tile, least: 16 }, (r, runs, first, length, enough) =>
          enough ? piece(cycle + first, runs, length, r) : rest(cycle + first, length, r, 1),
        );
    }
  };
}
