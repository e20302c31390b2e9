/**
 * WebAssembly modules, written in TypeScript. No toolchain and no binary in git: a kernel is a function of this repository that
 * writes the module when it is first needed, specialised as the host language allows.
 *
 *   const bytes = assemble({}, {
 *     sum: func({ at: "i32", end: "i32" }, "f32", (f, { at, end }) => {
 *       const sum = f.local("f32");
 *       f.while(i32.ltU(at, end), () => {
 *         f.set(sum, f32.add(sum, f32.load(at)));
 *         f.increase(at, 4);
 *       });
 *       return sum;
 *     }),
 *   });
 *
 * Sections and their order: core specification §5.5.
 */
import { list, sized, text, unsigned } from "#kernels/assembler/encoding";
import { FunctionBody, type Local, localAt } from "#kernels/assembler/func";
import { type Operand, type Value, valueOf, type ValueType, valueTypes } from "#kernels/assembler/value";

/** A function to be assembled: its type, and what writes it. */
export interface Func {
  readonly parameters: readonly ValueType[];
  readonly result: ValueType | undefined;
  /** Its entry in the code section. */
  readonly code: readonly number[];
}

type Parameters = Readonly<Record<string, ValueType>>;
type Author<P extends Parameters, Result> = (
  body: FunctionBody,
  parameters: { readonly [N in keyof P]: Local<P[N]> },
) => Result;

/** Writes a function. Parameters are variables by name; what the author returns is the result. */
export function func<const P extends Parameters, R extends ValueType>(
  parameters: P,
  result: R,
  author: Author<P, Operand<NoInfer<R>>>,
): Func;
export function func<const P extends Parameters>(parameters: P, result: undefined, author: Author<P, void>): Func;
export function func(
  parameters: Parameters,
  result: ValueType | undefined,
  author: Author<Parameters, Value | number | bigint | void>,
): Func {
  const types = Object.values(parameters);
  const body = new FunctionBody(types);
  const returned = author(
    body,
    Object.fromEntries(Object.keys(parameters).map((name, i) => [name, localAt(i, types[i])])),
  );
  const value = result === undefined || returned === undefined ? undefined : valueOf(result, returned);
  return { parameters: types, result, code: body.finish(value) };
}

export interface AssembleOptions {
  /** Whether the memory that the module works on is shared between threads. Default false. */
  readonly shared?: boolean;
}

/** A module that imports `env.memory` and exports the functions by name. */
export function assemble(options: AssembleOptions, functions: Readonly<Record<string, Func>>): Uint8Array<ArrayBuffer> {
  const names = Object.keys(functions);
  const all = Object.values(functions);
  // shared memory needs a maximum, and takes any memory whose own is not above it
  const limits = options.shared === true ? [0x03, 1, ...unsigned(65536)] : [0x00, 1];
  const type = ({ parameters, result }: Func): number[] => [
    0x60,
    ...list(parameters.map((name) => [valueTypes[name]])),
    ...list(result === undefined ? [] : [[valueTypes[result]]]),
  ];
  return Uint8Array.from([
    ...header,
    ...section(1, list(all.map(type))),
    ...section(2, list([[...text("env"), ...text("memory"), 0x02, ...limits]])),
    ...section(3, list(all.map((_, i) => unsigned(i)))),
    ...section(7, list(names.map((name, i) => [...text(name), 0x00, ...unsigned(i)]))),
    ...section(10, list(all.map(({ code }) => sized(code)))),
  ]);
}

/** "\0asm", version 1. */
const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

function section(id: number, content: readonly number[]): number[] {
  return [id, ...sized(content)];
}
