import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assemble, type Func, func } from "#kernels/assembler/assemble";
import { signed, unsigned } from "#kernels/assembler/encoding";
import { f32, f64, i32 } from "#kernels/assembler/scalar";
import { i32x4, i8x16, v128 } from "#kernels/assembler/vector";

function instantiate(functions: Readonly<Record<string, Func>>) {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const bytes = assemble({}, functions);
  expect(WebAssembly.validate(bytes)).toBe(true);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return { memory, call: exports as Readonly<Record<string, (...numbers: number[]) => number>> };
}

describe("numbers in the binary format", () => {
  test("are as long as they must be", () => {
    expect(unsigned(127)).toEqual([0x7f]);
    expect(unsigned(128)).toEqual([0x80, 0x01]);
    expect(unsigned(624485)).toEqual([0xe5, 0x8e, 0x26]); // the example of DWARF and of the specification
    expect(signed(-123456)).toEqual([0xc0, 0xbb, 0x78]);
    expect(signed(63)).toEqual([0x3f]);
    expect(signed(64)).toEqual([0xc0, 0x00]);
    expect(signed(-(2n ** 63n))).toHaveLength(10);
  });

  test("come back from an engine as they went in", () => {
    fc.assert(
      fc.property(fc.integer(), fc.float(), fc.double(), (whole, single, double) => {
        const { call } = instantiate({
          whole: func({}, "i32", () => whole),
          single: func({}, "f32", () => single),
          double: func({}, "f64", () => double),
        });
        expect([call.whole(), call.single(), call.double()]).toEqual([whole, single, double]);
      }),
      { numRuns: 50 },
    );
  });
});

describe("control", () => {
  test("while asks before the first round", () => {
    const { call } = instantiate({
      triangle: func({ n: "i32" }, "i32", (f, { n }) => {
        const sum = f.local("i32", 0);
        f.while(i32.gtS(n, 0), () => {
          f.increase(sum, n);
          f.set(n, i32.sub(n, 1));
        });
        return sum;
      }),
    });
    expect([-3, 0, 1, 100].map((n) => call.triangle(n))).toEqual([0, 0, 1, 5050]);
  });

  test("doWhile does it once in any case", () => {
    const { call } = instantiate({
      rounds: func({ n: "i32" }, "i32", (f, { n }) => {
        const done = f.local("i32");
        f.doWhile(i32.ltS(done, n), () => f.increase(done, 1));
        return done;
      }),
    });
    expect([-1, 0, 1, 7].map((n) => call.rounds(n))).toEqual([1, 1, 1, 7]);
  });

  test("if takes one of two ways, and may have only one", () => {
    const { call } = instantiate({
      sign: func({ x: "f32" }, "i32", (f, { x }) => {
        const sign = f.local("i32", 0);
        f.if(
          f32.lt(x, 0),
          () => f.set(sign, -1),
          () => f.if(f32.gt(x, 0), () => f.set(sign, 1)),
        );
        return sign;
      }),
    });
    expect([-2, 0, 3, Number.NaN].map((x) => call.sign(x))).toEqual([-1, 0, 1, 0]);
  });

  test("branches find their label from any depth", () => {
    const { call } = instantiate({
      // the first multiple of 7 above n that is no multiple of 5; −1 beyond 1000
      search: func({ n: "i32" }, "i32", (f, { n }) => {
        const found = f.local("i32", -1);
        f.block((out) => {
          f.loop((again) => {
            f.increase(n, 1);
            f.branchIf(out, i32.gtS(n, 1000));
            f.if(i32.eqz(i32.remU(n, 7)), () => {
              f.branchIf(again, i32.eqz(i32.remU(n, 5)));
              f.set(found, n);
              f.branch(out);
            });
            f.branch(again);
          });
        });
        return found;
      }),
    });
    expect([0, 7, 33, 34, 2000].map((n) => call.search(n))).toEqual([7, 14, 42, 42, -1]);
  });
});

describe("memory", () => {
  test("is written as wide as the store says", () => {
    const { call, memory } = instantiate({
      write: func({ at: "i32" }, undefined, (f, { at }) => {
        f.store.i8(at, 0x1ff);
        f.store.i16(at, 0x12345, 2);
        f.store.i32(at, -2, 4);
        f.store.f32(at, 0.5, 8);
        f.store.f64(at, 0.1, 16);
        f.store.v128(at, i8x16.const(7), 32);
        f.store.lane8(at, i8x16.const(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), 9, 50);
        f.store.lane32(at, i32x4.const(4, 5, 6, 7), 2, 52);
        f.store.lane64(at, i32x4.const(4, 5, 6, 7), 1, 56);
      }),
    });
    call.write(8);
    const view = new DataView(memory.buffer, 8);
    expect([view.getUint8(0), view.getUint8(1), view.getUint32(2, true) & 0xffff]).toEqual([0xff, 0, 0x2345]);
    expect([view.getInt32(4, true), view.getFloat32(8, true), view.getFloat64(16, true)]).toEqual([-2, 0.5, 0.1]);
    expect([...new Uint8Array(memory.buffer, 40, 20)]).toEqual([...Array(16).fill(7), 0, 0, 9, 0]);
    expect([52, 56, 60].map((at) => view.getInt32(at, true))).toEqual([6, 6, 7]);
  });

  test("may be shared between threads", () => {
    const bytes = assemble({ shared: true }, { peek: func({}, "i32", () => i32.load(0)) });
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    new Int32Array(memory.buffer)[0] = 42;
    expect((exports.peek as () => number)()).toBe(42);
  });
});

test("locals of all types begin as 0", () => {
  const { call } = instantiate({
    zeros: func({ x: "f64" }, "f64", (f, { x }) => {
      const [a, b, c] = [f.local("i32"), f.local("v128"), f.local("f64")];
      f.set(a, i32.add(a, v128.anyTrue(b)));
      f.if(a, () => f.set(c, 1));
      return f64.add(x, c);
    }),
  });
  expect(call.zeros(2.5)).toBe(2.5);
});

test("a function that returns another type than it says does not compile", () => {
  const author = () => i32.const(1);
  // @ts-expect-error f32 is promised, i32 returned
  expect(() => func({}, "f32", author)).toThrow("an operand of type f32 is wanted, not i32");
});
