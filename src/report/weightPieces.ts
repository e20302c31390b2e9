import type { TensorRef } from "#model/model";
import { elementTypes, toNumbers, unpackTensor } from "#model/tensor";
import { readWeightBytes } from "#model/weights";

/** Bytes read at once; a multiple of every element's width. */
const pieceBytes = 4 * 2 ** 20;

/**
 * The packed bytes of a tensor, in order, a few megabytes at a time, so that a tensor of any size is looked at in little memory. What is
 * not a range of a file comes as one piece. A tensor of strings has none.
 */
export async function* weightPieces(ref: TensorRef): AsyncGenerator<Uint8Array> {
  const { data } = ref;
  if (data.kind === "strings") return;
  if (data.kind === "range" && data.length > pieceBytes) {
    for (let at = 0; at < data.length; at += pieceBytes) {
      yield await data.source.read(data.offset + at, Math.min(pieceBytes, data.length - at));
    }
  } else yield await readWeightBytes(ref);
}

/** The elements of a tensor as numbers, a piece at a time. */
export async function* numberPieces(ref: TensorRef): AsyncGenerator<Float32Array | Float64Array> {
  let left = ref.dims.reduce((product, dim) => product * dim, 1);
  for await (const bytes of weightPieces(ref)) {
    const count = Math.min(left, Math.floor((bytes.byteLength * 8) / elementTypes[ref.element].bits));
    left -= count;
    yield toNumbers(unpackTensor(ref.element, [count], bytes));
  }
}
