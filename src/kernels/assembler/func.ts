/**
 * The body of a function, written statement by statement: locals, stores, and structured control. What is written comes out in
 * that order; nothing is moved, merged or left out, because engines' own optimizers do best with code as it was meant.
 */
import { unsigned } from "#kernels/assembler/encoding";
import { apply, type Operand, type Value, valueOf, type ValueType, valueTypes } from "#kernels/assembler/value";

/** A variable. Used as a value it reads itself where it stands; `set` of the function changes it. */
export interface Local<T extends ValueType = ValueType> extends Value<T> {
  readonly index: number;
}

/** A place to branch to: a loop's start, or a block's end. */
export interface Label {
  readonly depth: number;
}

type Store<T extends ValueType> = (address: Operand<"i32">, value: Operand<T>, offset?: number) => void;
type StoreLane = (address: Operand<"i32">, value: Value<"v128">, lane: number, offset?: number) => void;

/** Takes statements. Made by `assemble`, which hands it to the function's author. */
export class FunctionBody {
  readonly #types: ValueType[];
  readonly #parameters: number;
  readonly #code: number[] = [];
  #depth = 0;

  constructor(parameters: readonly ValueType[]) {
    this.#types = [...parameters];
    this.#parameters = parameters.length;
  }

  /** A new variable, set to `initial`; without one it is 0 when the function is entered. */
  local<T extends ValueType>(type: T, initial?: Operand<T>): Local<T> {
    const local = localAt(this.#types.push(type) - 1, type);
    if (initial !== undefined) this.set(local, initial);
    return local;
  }

  set<T extends ValueType>(local: Local<T>, value: Operand<NoInfer<T>>): void {
    this.#write([...valueOf(local.type, value).code, 0x21, ...unsigned(local.index)]);
  }

  /** local += by. */
  increase(local: Local<"i32">, by: Operand<"i32">): void {
    this.set(local, apply("i32", ["i32", "i32"], [local, by], [0x6a]));
  }

  /** Writes memory at `address` + `offset`, by the width that is written; a whole number's lowest bits. */
  readonly store: {
    readonly i32: Store<"i32">;
    readonly i64: Store<"i64">;
    readonly f32: Store<"f32">;
    readonly f64: Store<"f64">;
    readonly v128: Store<"v128">;
    readonly i8: Store<"i32">;
    readonly i16: Store<"i32">;
    /** One lane of a vector. */
    readonly lane8: StoreLane;
    readonly lane32: StoreLane;
    readonly lane64: StoreLane;
  } = {
    i32: this.#store("i32", [0x36]),
    i64: this.#store("i64", [0x37]),
    f32: this.#store("f32", [0x38]),
    f64: this.#store("f64", [0x39]),
    v128: this.#store("v128", [0xfd, 11]),
    i8: this.#store("i32", [0x3a]),
    i16: this.#store("i32", [0x3b]),
    lane8: this.#storeLane(88),
    lane32: this.#storeLane(90),
    lane64: this.#storeLane(91),
  };

  /** Statements that `out` leaves. */
  block(body: (out: Label) => void): void {
    this.#structure([0x02, 0x40], body);
  }

  /** Statements that `again` starts over; reaching their end leaves the loop. */
  loop(body: (again: Label) => void): void {
    this.#structure([0x03, 0x40], body);
  }

  branch(label: Label): void {
    this.#write([0x0c, ...unsigned(this.#depth - label.depth)]);
  }

  branchIf(label: Label, condition: Operand<"i32">): void {
    this.#write([...valueOf("i32", condition).code, 0x0d, ...unsigned(this.#depth - label.depth)]);
  }

  if(condition: Operand<"i32">, then: () => void, otherwise?: () => void): void {
    this.#write(valueOf("i32", condition).code);
    this.#structure([0x04, 0x40], () => {
      then();
      if (otherwise === undefined) return;
      this.#write([0x05]);
      otherwise();
    });
  }

  /** Repeats while the condition holds; asks it once before, then at the end of each round, so a round has one branch. */
  while(condition: Operand<"i32">, body: () => void): void {
    this.if(condition, () => this.doWhile(condition, body));
  }

  /** Does it, then repeats while the condition holds. */
  doWhile(condition: Operand<"i32">, body: () => void): void {
    this.loop((again) => {
      body();
      this.branchIf(again, condition);
    });
  }

  /** The function as its entry in the code section: locals, code, and the value it returns. */
  finish(result: Value | undefined): number[] {
    const own = this.#types.slice(this.#parameters).map((type) => [1, valueTypes[type]]);
    return [...unsigned(own.length), ...own.flat(), ...this.#code, ...(result?.code ?? []), 0x0b];
  }

  #structure(head: readonly number[], body: (label: Label) => void): void {
    this.#write(head);
    body({ depth: ++this.#depth });
    this.#depth--;
    this.#write([0x0b]);
  }

  #store<T extends ValueType>(type: T, opcode: readonly number[]): Store<T> {
    return (address, value, offset = 0) => {
      const operands = [...valueOf("i32", address).code, ...valueOf(type, value).code];
      this.#write([...operands, ...opcode, 0, ...unsigned(offset)]);
    };
  }

  #storeLane(opcode: number): StoreLane {
    return (address, value, lane, offset = 0) => {
      const operands = [...valueOf("i32", address).code, ...valueOf("v128", value).code];
      this.#write([...operands, 0xfd, opcode, 0, ...unsigned(offset), lane]);
    };
  }

  #write(code: readonly number[]): void {
    for (const byte of code) this.#code.push(byte);
  }
}

/** The variable at an index: parameters come first. */
export function localAt<T extends ValueType>(index: number, type: T): Local<T> {
  return { type, index, code: [0x20, ...unsigned(index)] };
}
