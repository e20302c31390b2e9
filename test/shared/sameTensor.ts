/** Comparing tensors as onnx's own test runner does: floating point within a tolerance, everything else exactly. */
import type { Known } from "#model/ops/types";
import { type Tensor, toNumbers } from "#model/tensor";

/** onnx's runner (onnx/backend/test/runner): |a − b| ≤ 1e-7 + 1e-3·|b|. */
const absolute = 1e-7;
const relative = 1e-3;
/** bfloat16 has 8 bits of precision: one unit in the last place is up to 2⁻⁷ of a number. */
const relativeBfloat16 = 2 ** -7;

function toleranceOf({ type }: Tensor): readonly [absolute: number, relative: number] {
  if (type === "bfloat16") return [absolute, relativeBfloat16];
  // float16: one unit is up to 2⁻¹⁰, just below `relative`. float8 and float4 are codes that somebody chose: exact
  return /^(float(16|32|64)|complex)/.test(type) ? [absolute, relative] : [0, 0];
}

/** What is different, in words; undefined when the tensors are the same. */
export function difference(actual: Tensor | undefined, expected: Tensor): string | undefined {
  if (actual === undefined) return "it was not computed";
  if (actual.type !== expected.type) return `it is ${actual.type}, not ${expected.type}`;
  if (actual.dims.join() !== expected.dims.join())
    return `it is [${actual.dims.join()}], not [${expected.dims.join()}]`;
  if (actual.data.length !== expected.data.length) return `it has ${actual.data.length} elements`;
  const whole = Array.isArray(actual.data) || /^u?int64$/.test(actual.type);
  const [a, b] = whole ? [actual.data, expected.data] : [toNumbers(actual), toNumbers(expected)];
  const [atol, rtol] = toleranceOf(expected);
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i] || Object.is(a[i], b[i])) continue;
    const near = !whole && Math.abs(Number(a[i]) - Number(b[i])) <= atol + rtol * Math.abs(Number(b[i]));
    if (!near) return `element ${i} is ${a[i]}, not ${b[i]}`;
  }
  return undefined;
}

/**
 * Where what was inferred of a value is not what the value turned out to be; undefined where nothing contradicts.
 * `symbols` remembers what each symbol stood for: it must stand for the same everywhere in one run.
 */
export function contradiction(
  known: Known | undefined,
  actual: Tensor,
  symbols: Map<string, number>,
): string | undefined {
  if (known === undefined) return "it was not looked at";
  if (known.element !== undefined && known.element !== actual.type) return `it is ${actual.type}, not ${known.element}`;
  const meet = (dim: number | string | null, size: number): boolean => {
    if (typeof dim !== "string") return dim === null || dim === size;
    if (!symbols.has(dim)) symbols.set(dim, size);
    return symbols.get(dim) === size;
  };
  const { shape, content, value } = known;
  if (
    shape !== undefined &&
    (shape.length !== actual.dims.length || !shape.every((dim, axis) => meet(dim, actual.dims[axis])))
  )
    return `it is [${actual.dims.join()}], not [${shape.join()}]`;
  if (content?.every((dim, i) => meet(dim, Number(actual.data[i]))) === false)
    return `it holds ${actual.data.join()}, not ${content.join()}`;
  const wrong = value === undefined ? undefined : difference(actual, value);
  return wrong === undefined ? undefined : `its value: ${wrong}`;
}
