/**
 * Floats to codes and back, on the bits of float32. Normal numbers lose their last mantissa bits, with ties to even, and move their
 * exponent to the new bias. Numbers that become subnormal are added to a power of two so large that the sum's last bit is the
 * format's least step: the processor then rounds. The way back multiplies, which makes subnormals normal again.
 */
import { func } from "#kernels/assembler/assemble";
import type { Local } from "#kernels/assembler/func";
import type { Value } from "#kernels/assembler/value";
import { f32x4, i16x8, i32x4, i8x16, v128 } from "#kernels/assembler/vector";
import type { Engine } from "#kernels/engine";
import { decodeFloats, encodeFloats } from "#kernels/floatCodes/reference";
import { at, forEachStep } from "#kernels/steps";
import { encodeMinifloat, hasSign, type Minifloat } from "#math/minifloat";

const infinity = 0x7f800000;
const nan = 0x7fc00000;
const withoutSign = 0x7fffffff;

const encodeModule = (format: Minifloat, saturate: boolean, width: 1 | 2) => () => ({
  encode: func({ x: "i32", count: "i32", codes: "i32" }, undefined, (f, { x, count, codes }) => {
    const { bits, mantissaBits, bias, special } = format;
    const shift = 23 - mantissaBits;
    const leastNormal = (128 - bias) << 23;
    /** 2²³ least steps: a power of two whose last bit is worth one step. */
    const steps = (151 - bias - mantissaBits) << 23;
    const largest = encodeMinifloat(format, Number.POSITIVE_INFINITY, true);
    const beyond = encodeMinifloat(format, Number.POSITIVE_INFINITY, saturate);
    const signedBeyond = encodeMinifloat(format, Number.NEGATIVE_INFINITY, saturate) !== beyond;
    const nanCode = encodeMinifloat(format, Number.NaN);
    const [sign, magnitude, code] = [f.local("v128"), f.local("v128"), f.local("v128")];
    const results = [0, 1, 2, 3].map(() => f.local("v128"));
    const from = f.local("i32");

    forEachStep(f, count, 16, (index) => {
      f.set(from, at(x, index, 4));
      results.forEach((result, j) => {
        f.set(code, v128.load(from, 16 * j));
        f.set(sign, v128.and(i32x4.shrU(code, 32 - bits), i32x4.const(1 << (bits - 1))));
        f.set(magnitude, v128.and(code, i32x4.const(withoutSign)));
        const odd = v128.and(i32x4.shrU(magnitude, shift), i32x4.const(1));
        const rounded = i32x4.shrU(i32x4.add(i32x4.add(magnitude, odd), i32x4.const((1 << (shift - 1)) - 1)), shift);
        const normal = i32x4.sub(rounded, i32x4.const((127 - bias) << mantissaBits));
        const subnormal = i32x4.sub(f32x4.add(magnitude, i32x4.const(steps)), i32x4.const(steps));
        f.set(code, v128.bitselect(subnormal, normal, i32x4.ltS(magnitude, i32x4.const(leastNormal))));
        // no −0 there
        if (special === "fnuz") f.set(sign, v128.andnot(sign, i32x4.eq(code, i32x4.const(0))));
        const signed = v128.or(code, sign);
        const over = signedBeyond ? v128.or(i32x4.const(beyond), sign) : i32x4.const(beyond);
        f.set(result, v128.bitselect(over, signed, i32x4.gtS(code, i32x4.const(largest))));
        const strange = i32x4.gtS(magnitude, i32x4.const(infinity));
        f.set(result, v128.bitselect(i32x4.const(nanCode), result, strange));
      });
      const narrow = width === 1 ? i16x8.narrowI32x4S : i16x8.narrowI32x4U;
      const [low, high] = [narrow(results[0], results[1]), narrow(results[2], results[3])];
      const to = at(codes, index, width);
      if (width === 1) f.store.v128(to, i8x16.narrowI16x8U(low, high));
      else {
        f.store.v128(to, low);
        f.store.v128(to, high, 16);
      }
    });
  }),
});

const decodeModule = (format: Minifloat, width: 1 | 2) => () => ({
  decode: func({ codes: "i32", count: "i32", x: "i32" }, undefined, (f, { codes, count, x }) => {
    const { bits, mantissaBits, bias, special } = format;
    const [sixteen, eight, code, magnitude, value] = [
      f.local("v128"),
      f.local("v128"),
      f.local("v128"),
      f.local("v128"),
      f.local("v128"),
    ];
    const [from, to] = [f.local("i32"), f.local("i32")];
    const top = (1 << (bits - 1)) - 1;
    const infinite = top - (1 << mantissaBits) + 1;
    const four = (j: number): Value<"v128"> => {
      if (width === 2) return j % 2 === 0 ? extendLow(eight) : extendHigh(eight);
      f.set(eight, j < 2 ? i16x8.extendLowI8x16U(sixteen) : i16x8.extendHighI8x16U(sixteen));
      return j % 2 === 0 ? extendLow(eight) : extendHigh(eight);
    };
    /** 16 bits without a sign to 32. */
    const extendLow = (v: Local<"v128">) => v128.and(i32x4.extendLowI16x8S(v), i32x4.const(0xffff));
    const extendHigh = (v: Local<"v128">) => v128.and(i32x4.extendHighI16x8S(v), i32x4.const(0xffff));
    const replace = (when: Value<"v128">, by: number): void =>
      f.set(value, v128.bitselect(i32x4.const(by), value, when));

    forEachStep(f, count, 16, (index) => {
      f.set(from, at(codes, index, width));
      f.set(to, at(x, index, 4));
      if (width === 1) f.set(sixteen, v128.load(from));
      for (let j = 0; j < 4; j++) {
        if (width === 2 && j % 2 === 0) f.set(eight, v128.load(from, 8 * j));
        f.set(code, four(j));
        f.set(magnitude, v128.and(code, i32x4.const(top)));
        f.set(value, f32x4.mul(i32x4.shl(magnitude, 23 - mantissaBits), f32x4.const(2 ** (127 - bias))));
        if (special === "ieee") replace(i32x4.eq(magnitude, i32x4.const(infinite)), infinity);
        f.set(value, v128.or(value, i32x4.shl(v128.and(code, i32x4.const(1 << (bits - 1))), 32 - bits)));
        if (special === "ieee") replace(i32x4.gtS(magnitude, i32x4.const(infinite)), nan);
        if (special === "fn") replace(i32x4.eq(magnitude, i32x4.const(top)), nan);
        if (special === "fnuz") replace(i32x4.eq(code, i32x4.const(1 << (bits - 1))), nan);
        f.store.v128(to, value, 16 * j);
      }
    });
  }),
});

/** Formats whose numbers are a part of float32's, with a sign and a mantissa. */
function suits(format: Minifloat): boolean {
  const { bits, exponentBits, mantissaBits, bias } = format;
  return hasSign(format) && bits <= 16 && mantissaBits >= 1 && exponentBits >= 1 && bias >= 0 && bias <= 127;
}

function nameOf({ exponentBits, mantissaBits, bias, special }: Minifloat): string {
  return `e${exponentBits}m${mantissaBits} bias ${bias} ${special}`;
}

/** The kernel on an engine; see reference.ts. */
export function fastEncodeFloats(engine: Engine): typeof encodeFloats {
  return (x, format, saturate, codes) => {
    if (!suits(format) || x.length < 16) return encodeFloats(x, format, saturate, codes);
    const width = codes.BYTES_PER_ELEMENT as 1 | 2; // of the two arrays that codes may be
    const name = `encodeFloats ${nameOf(format)} ${saturate ? "saturated" : ""} ${8 * width}`;
    const kernel = engine.load(name, encodeModule(format, saturate, width));
    const tile = engine.tile(x, codes);
    for (let first = 0; first < x.length; first += tile) {
      const end = Math.min(x.length, first + tile);
      const [from, to] = [x.subarray(first, end), codes.subarray(first, end)];
      if (end - first < 16) return encodeFloats(from, format, saturate, to);
      engine.clear();
      const target = engine.target(to);
      kernel.encode(engine.enter(from), end - first, target);
      engine.leave(to, target);
    }
  };
}

/** The kernel on an engine; see reference.ts. */
export function fastDecodeFloats(engine: Engine): typeof decodeFloats {
  return (codes, format, x) => {
    if (!suits(format) || codes.length < 16) return decodeFloats(codes, format, x);
    const width = codes.BYTES_PER_ELEMENT as 1 | 2; // of the two arrays that codes may be
    const kernel = engine.load(`decodeFloats ${nameOf(format)} ${8 * width}`, decodeModule(format, width));
    const tile = engine.tile(x, codes);
    for (let first = 0; first < codes.length; first += tile) {
      const end = Math.min(codes.length, first + tile);
      const [from, to] = [codes.subarray(first, end), x.subarray(first, end)];
      if (end - first < 16) return decodeFloats(from, format, to);
      engine.clear();
      const target = engine.target(to);
      kernel.decode(engine.enter(from), end - first, target);
      engine.leave(to, target);
    }
  };
}
