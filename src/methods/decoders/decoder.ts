/**
 * A quantized matrix as standard ONNX: a function of standard operators that decodes it, and what a call of it is given. Matrices of
 * one form get one function: sizes are operands, widths and granularities are not. docs/exported-decodings.md has the equations.
 */
import { decodeAffine } from "#methods/decoders/decodeAffine";
import { decodeCodebook } from "#methods/decoders/decodeCodebook";
import { decodeGgml } from "#methods/decoders/decodeGgml";
import { decodeLookup } from "#methods/decoders/decodeLookup";
import { DecoderBody, type Operand } from "#methods/decoders/decoderBody";
import { unrotate } from "#methods/decoders/unrotate";
import type { Node } from "#model/model";
import { dtype } from "#quant/dtype";
import type { GgmlTypeName } from "#quant/ggml/index";
import type { QTensor } from "#quant/qtensor";

export interface Decoder {
  /** What a function of this kind is called: `Lookup3`. Functions that differ may share it. */
  readonly name: string;
  /** Equation of the numbers it gives. */
  readonly about: string;
  readonly nodes: readonly Node[];
  /** Value of the matrix, float32 [rows, columns]. */
  readonly output: string;
  /** Inputs in order, with what this matrix passes. */
  readonly operands: readonly Operand[];
  /** Equal for decoders that are one function. */
  readonly key: string;
  /** Width of a code in each input that holds packed codes. */
  readonly bits: readonly number[];
}

/** The decoder of a matrix, of operators of that operator set of ai.onnx: 13 or newer. */
export function decoderOf(q: QTensor, opset: number): Decoder {
  const body = new DecoderBody(opset, [q.rows, q.columns]);
  const { output: decoded, about, ...more } = decode(body, q);
  const turned = q.rotation !== undefined;
  const output = turned ? unrotate(body, decoded, q.rotation) : decoded;
  const { nodes, operands, key } = body;
  return { ...more, about: turned ? `${about}, rotated back` : about, output, nodes, operands, key };
}

function decode(body: DecoderBody, q: QTensor): Pick<Decoder, "name" | "about" | "bits" | "output"> {
  const { decoding } = q;
  switch (decoding.kind) {
    case "affine": {
      const { bits } = dtype(decoding.dtype);
      const about = "x = (code − zero point) · scale";
      return { name: `Affine${bits}`, about, bits: [bits], output: decodeAffine(body, q, decoding) };
    }
    case "lookup": {
      const { bits, scale } = decoding;
      const about = `x = table[code]${scale === null ? "" : " · scale"}`;
      return { name: `Lookup${bits}`, about, bits: [bits], output: decodeLookup(body, q, decoding) };
    }
    case "codebook": {
      const bits = decoding.stages.map((stage) => stage.bits);
      const about = `x = ${bits.length === 1 ? "" : "Σ "}book[code]: ${decoding.length} neighbours of a row`;
      return { name: `Codebook${bits.join("_")}`, about, bits, output: decodeCodebook(body, q, decoding) };
    }
    case "ggml": {
      const name = `Gguf${decoding.type.toUpperCase()}`;
      const about = "x = d · s · (code − z), or d · s · code − m, by blocks of ggml";
      return { name, about, bits: [blockBits(decoding.type)], output: decodeGgml(body, q, decoding.type) };
    }
  }
}

/** Blocks are bytes; the floats among them are numbers. */
function blockBits(type: GgmlTypeName): number {
  return type === "f16" || type === "bf16" ? 16 : 8;
}
