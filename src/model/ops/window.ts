/**
 * The sliding window of convolutions and pools, for any number of spatial axes: which input elements does each output
 * element see?
 *
 * Kernel position q of output p lies over input p·stride + q·dilation − padBegin on each axis, if that is inside the
 * input.
 */
import { LowbitError } from "#base/errors";
import { intAttribute, intsAttribute, stringAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";

/** One number per spatial axis in every field. */
export interface Window {
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padBegin: readonly number[];
  readonly padEnd: readonly number[];
}

/** A window as far as it is known before dims are: `input` and `output` may hold symbols. */
export type KnownWindow = Omit<Window, "input" | "output"> & {
  readonly input: readonly Dim[];
  readonly output: readonly Dim[];
};

/**
 * Reads auto_pad, strides, dilations, pads and ceil_mode of a convolution or pool. SAME_* gives ⌈input/stride⌉ outputs,
 * the odd pad element after (UPPER) or before (LOWER); a last window that would start in the end padding is dropped.
 */
export function knownWindow(node: Node, input: readonly Dim[], kernel: readonly number[]): KnownWindow {
  const rank = input.length;
  const strides = spatial(node, "strides", rank, 1);
  const dilations = spatial(node, "dilations", rank, 1);
  const autoPad = stringAttribute(node, "auto_pad", "NOTSET");
  const ceil = intAttribute(node, "ceil_mode", 0) !== 0;
  const pads = autoPad === "NOTSET" ? intsAttribute(node, "pads") : undefined;
  const output: Dim[] = [];
  const padBegin: number[] = [];
  const padEnd: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const [size, stride] = [input[axis], strides[axis]];
    const extent = (kernel[axis] - 1) * dilations[axis] + 1;
    if (autoPad.startsWith("SAME")) {
      const out = typeof size === "number" ? Math.ceil(size / stride) : stride === 1 ? size : null;
      // with stride 1 the padding does not depend on the size
      const total =
        typeof size === "number" && typeof out === "number" ? (out - 1) * stride + extent - size : extent - 1;
      const small = Math.max(total, 0) >> 1;
      const large = Math.max(total, 0) - small;
      output.push(out);
      padBegin.push(autoPad === "SAME_LOWER" ? large : small);
      padEnd.push(autoPad === "SAME_LOWER" ? small : large);
    } else {
      padBegin.push(pads?.[axis] ?? 0);
      padEnd.push(pads?.[axis + rank] ?? 0);
      const padding = padBegin[axis] + padEnd[axis];
      if (typeof size === "number") {
        const steps = (size + padding - extent) / stride;
        let count = (ceil && autoPad !== "VALID" ? Math.ceil(steps) : Math.floor(steps)) + 1;
        if (ceil && count > 1 && (count - 1) * stride >= size + padBegin[axis]) count--;
        output.push(Math.max(count, 0));
      } else output.push(stride === 1 && padding === extent - 1 ? size : null);
    }
  }
  return { input, output, kernel, strides, dilations, padBegin, padEnd };
}

/** `knownWindow` of concrete dims. Throws model/shape where the kernel does not fit into the padded input. */
export function slidingWindow(node: Node, input: readonly number[], kernel: readonly number[]): Window {
  if (kernel.length !== input.length)
    throw new LowbitError(
      "model/shape",
      `${node.op} has a kernel of ${kernel.length} axes for an input of ${input.length}`,
      { at: { node: node.name || node.outputs[0], op: node.op } },
    );
  const window = knownWindow(node, input, kernel) as Window;
  const short = window.output.findIndex((size, axis) => size === 0 && input[axis] > 0);
  if (short >= 0)
    throw new LowbitError("model/shape", `kernel [${kernel.join(", ")}] does not fit into [${input.join(", ")}]`, {
      at: { node: node.name || node.outputs[0], op: node.op },
    });
  return window;
}

/** An attribute of one number per spatial axis. */
export function spatial(node: Node, name: string, rank: number, fallback: number): number[] {
  const values = intsAttribute(node, name) ?? Array.from({ length: rank }, () => fallback);
  if (values.length !== rank)
    throw new LowbitError("model/attribute", `${name} of ${node.op} has ${values.length} values for ${rank} axes`, {
      at: { node: node.name || node.outputs[0], op: node.op },
    });
  return values;
}

/**
 * Every product of a sweep, as runs along the last axis. A run is four numbers: kernel position, first output, first
 * input, length; inside it the output advances by 1 and the input by the last stride. Positions are flat within one
 * plane.
 */
export function windowRuns(window: Window): Int32Array {
  const { input, output, kernel, strides, dilations, padBegin } = window;
  const last = kernel.length - 1;
  const runs: number[] = [];
  const walk = (axis: number, k: number, o: number, i: number): void => {
    const stride = strides[axis];
    for (let q = 0; q < kernel[axis]; q++) {
      const shift = q * dilations[axis] - padBegin[axis];
      const first = Math.max(0, Math.ceil(-shift / stride));
      const end = Math.min(output[axis], Math.floor((input[axis] - 1 - shift) / stride) + 1);
      const at = k * kernel[axis] + q;
      if (axis === last) {
        if (end > first) runs.push(at, o * output[axis] + first, i * input[axis] + first * stride + shift, end - first);
      } else {
        for (let p = first; p < end; p++)
          walk(axis + 1, at, o * output[axis] + p, i * input[axis] + p * stride + shift);
      }
    }
  };
  walk(0, 0, 0, 0);
  return Int32Array.from(runs);
}

/** The same sweep with fewer axes: axes of size 1 are dropped, and a window of single points sees one long row. */
export function simplifyWindow(window: Window): Window {
  const { input, output, kernel, strides, padBegin, padEnd } = window;
  const pointwise = kernel.every(
    (k, a) => k === 1 && padBegin[a] === 0 && input[a] === output[a] && (strides[a] === 1 || input[a] === 1),
  );
  if (pointwise) {
    const size = [input.reduce((product, dim) => product * dim, 1)];
    return { input: size, output: size, kernel: [1], strides: [1], dilations: [1], padBegin: [0], padEnd: [0] };
  }
  const kept = [...input.keys()].filter(
    (a) => input[a] !== 1 || output[a] !== 1 || kernel[a] !== 1 || padBegin[a] !== 0,
  );
  const pick = (values: readonly number[]): number[] => kept.map((a) => values[a]);
  return {
    input: pick(input),
    output: pick(output),
    kernel: pick(kernel),
    strides: pick(strides),
    dilations: pick(window.dilations),
    padBegin: pick(padBegin),
    padEnd: pick(padEnd),
  };
}
