/** GGUF's fields, little-endian, into bytes that grow at the end. */
import { ByteBuilder } from "#base/byteBuilder";
import { numberIds, arrayId, stringId } from "#formats/gguf/valueTypes";
import { type MetadataArray, type MetadataNumberType, type MetadataValue, numberArray } from "#model/metadata";

export class FieldWriter {
  readonly #out = new ByteBuilder(4096);

  get length(): number {
    return this.#out.length;
  }

  uint32(value: number): void {
    this.#out.append(new Uint8Array(Uint32Array.of(value).buffer));
  }

  uint64(value: number): void {
    this.#out.append(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer));
  }

  text(value: string | Uint8Array): void {
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
    this.uint64(bytes.byteLength);
    this.#out.append(bytes);
  }

  /** A value with its type. */
  value(value: MetadataValue): void {
    if (value.type === "array") {
      this.uint32(arrayId);
      this.#array(value);
    } else if (value.type === "string") {
      this.uint32(stringId);
      this.text(value.value);
    } else {
      this.uint32(idOf(value.type));
      const number = typeof value.value === "boolean" ? Number(value.value) : value.value;
      const array = new (numberArray(value.type) as Float64ArrayConstructor)(1);
      array[0] = number as number; // a type's array takes that type's numbers
      this.#out.append(new Uint8Array(array.buffer));
    }
  }

  /** Zeros. */
  pad(count: number): void {
    this.#out.append(new Uint8Array(count));
  }

  bytes(): Uint8Array {
    return this.#out.bytes();
  }

  #array(array: MetadataArray): void {
    this.uint32(array.of === "string" ? stringId : array.of === "array" ? arrayId : idOf(array.of));
    this.uint64(array.values.length);
    if (array.of === "string") for (const text of array.values) this.text(text);
    else if (array.of === "array") for (const each of array.values) this.#array(each);
    else this.#out.append(new Uint8Array(array.values.buffer, array.values.byteOffset, array.values.byteLength));
  }
}

function idOf(type: MetadataNumberType): number {
  return numberIds.get(type) as number; // every number type has an id
}
