import type { Place } from "#base/errors";
import { fullName } from "#report/ellipsis";

/**
 * Where a diagnostic points, in words; "" when it does not say.
 * → "node conv1 (Conv), tensor conv1.weight, byte 88214 of a.onnx"
 */
export function placeInWords(at: Place | undefined): string {
  if (at === undefined) return "";
  const { file, tensor, node, op, byte, line } = at;
  const kind = op === undefined ? "" : fullName(op);
  const within = [
    node === undefined ? kind : `node ${fullName(node)}${kind === "" ? "" : ` (${kind})`}`,
    tensor === undefined ? "" : `tensor ${fullName(tensor)}`,
    byte === undefined ? "" : `byte ${byte}`,
    line === undefined ? "" : `line ${line}`,
  ]
    .filter((part) => part !== "")
    .join(", ");
  if (file === undefined) return within;
  return within === "" ? fullName(file) : `${within} of ${fullName(file)}`;
}
