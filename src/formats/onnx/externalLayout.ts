/** Where each weight lies in an external data file. */
import { LowbitError } from "#base/errors";
import { locationProblem } from "#base/location";
import type { ExternalPlace } from "#formats/onnx/externalData";
import type { TensorData, TensorRef } from "#model/model";
import { weightBytes } from "#model/weights";

/** From this size on a tensor starts on a page, so that it can be mapped: ONNX asks for multiples of 4,096. */
const pagedBytes = 64 * 1024;
const pageBytes = 4096;
/** Smaller ones start on a cache line, which wastes less than a page would. */
const lineBytes = 64;

/**
 * Offsets are given in the order in which weights are asked for. Two initializers with the same content (tied weights read from
 * one range, or one array used twice) share one place.
 */
export class ExternalLayout {
  readonly location: string;
  length = 0;
  readonly parts: (Uint8Array | TensorData)[] = [];
  readonly #threshold: number;
  /** Where a content lies: by the file or array it is in, then by its place there. */
  readonly #places = new Map<object, Map<string, number>>();

  constructor(location: string, threshold = 1024) {
    const problem = locationProblem(location);
    if (problem !== undefined) {
      throw new LowbitError(
        "onnx/external-data",
        `a model cannot refer to ${JSON.stringify(location)}, which ${problem}`,
        {
          hint: "save under a plain file name",
        },
      );
    }
    this.location = location;
    this.#threshold = threshold;
  }

  /** Undefined: the weight stays in the model. */
  place(ref: TensorRef): ExternalPlace | undefined {
    const length = weightBytes(ref);
    if (ref.data.kind === "strings" || length === 0 || length < this.#threshold) return undefined;
    const { home, range } = contentOf(ref.data);
    const places = this.#places.get(home) ?? new Map<string, number>();
    const known = places.get(range);
    if (known !== undefined) return { location: this.location, offset: known };
    const alignment = length >= pagedBytes ? pageBytes : lineBytes;
    const offset = Math.ceil(this.length / alignment) * alignment;
    if (offset > this.length) this.parts.push(new Uint8Array(offset - this.length));
    this.parts.push(ref.data);
    this.length = offset + length;
    this.#places.set(home, places.set(range, offset));
    return { location: this.location, offset };
  }
}

/** What tells two contents apart without reading them. */
function contentOf(data: TensorData): { readonly home: object; readonly range: string } {
  if (data.kind === "range") return { home: data.source, range: `${data.offset} ${data.length}` };
  if (data.kind === "bytes")
    return { home: data.bytes.buffer, range: `${data.bytes.byteOffset} ${data.bytes.byteLength}` };
  return { home: data, range: "" };
}
