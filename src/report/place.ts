import type { Place } from "#base/errors";

/**
 * Where a diagnostic points, in words; "" when it does not say. → "node conv1 (Conv), tensor conv1.weight, byte 88214
 * of a.onnx"
 */
export function placeInWords(at: Place | undefined): string {
  if (at === undefined) return "";
  const { file, tensor, node, op, byte, line } = at;
  const within = [
    ...(node === undefined ? (op === undefined ? [] : [op]) : [`node ${node}${op === undefined ? "" : ` (${op})`}`]),
    ...(tensor === undefined ? [] : [`tensor ${tensor}`]),
    ...(byte === undefined ? [] : [`byte ${byte}`]),
    ...(line === undefined ? [] : [`line ${line}`]),
  ].join(", ");
  return file === undefined ? within : within === "" ? file : `${within} of ${file}`;
}
