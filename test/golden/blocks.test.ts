/** Block quantization against ONNX Runtime's quantizer, byte for byte; bench/peers/make_nbits_fixtures.py makes the files. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { quantizeBlocks } from "#quant/quantizeBlocks";

interface GoldenFile {
  readonly source: string;
  readonly matrices: readonly {
    readonly k: number;
    readonly n: number;
    /** Base64 of float32 [K, N]. */
    readonly w: string;
    readonly cases: readonly {
      readonly bits: 2 | 4 | 8;
      readonly size: number;
      readonly symmetric: boolean;
      readonly codes: string;
      readonly scales: string;
      readonly zeroPoints: string | null;
    }[];
  }[];
}

const folder = new URL("./matmul-nbits/", import.meta.url);
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));
const floatsOf = (text: string): Float32Array => new Float32Array(bytesOf(text).buffer);
const bitsOf = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer);

function transpose(w: Float32Array, k: number, n: number): Float32Array {
  return Float32Array.from(w, (_, i) => w[(i % k) * n + Math.floor(i / k)]);
}

for (const file of readdirSync(folder)) {
  const { source, matrices } = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as GoldenFile;
  describe(`${file.replace(".json", "")} matrices become the bytes of ${source}`, () => {
    for (const { k, n, w, cases } of matrices) {
      const values = floatsOf(w);
      const lying = transpose(values, k, n);
      test.each(cases)(`${k}×${n}, $bits bits in blocks of $size, symmetric $symmetric`, (golden) => {
        for (const transposed of [false, true]) {
          const made = quantizeBlocks(transposed ? lying : values, { k, n, transposed }, golden);
          expect(bitsOf(made.scales)).toEqual(bitsOf(floatsOf(golden.scales)));
          expect(made.codes).toEqual(bytesOf(golden.codes));
          expect(made.zeroPoints).toEqual(golden.zeroPoints === null ? undefined : bytesOf(golden.zeroPoints));
        }
      });
    }
  });
}
