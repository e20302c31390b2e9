/** The small file of weights that docs/files.md and tests of the command line work on. */
import { bytesSource } from "#base/bytes";
import { createRng } from "#base/rng";
import { safetensorsBytes } from "#formats/safetensors/writeSafetensors";
import { normal } from "#math/normal";
import { castTensor } from "#model/castTensor";
import { textValue } from "#model/metadata";
import { packTensor } from "#model/tensor";
import { type StoredTensor, storageOf } from "#model/tensorFile";

function weights(name: string, shape: readonly number[], seed: number): StoredTensor {
  const rng = createRng(seed);
  const count = shape.reduce((size, extent) => size * extent, 1);
  const values = Float32Array.from({ length: count }, () => normal(rng) * 0.02);
  const data = bytesSource(packTensor({ type: "float32", dims: shape, data: values }), name);
  return { name, type: storageOf("float32"), shape, data };
}

export function weightsFile(): Promise<Uint8Array> {
  const tensors = [
    castTensor(weights("model.embed_tokens.weight", [512, 256], 1), "bfloat16"),
    weights("model.layers.0.mlp.up_proj.weight", [688, 256], 2),
    weights("model.norm.weight", [256], 3),
  ];
  return safetensorsBytes({ metadata: new Map([["format", textValue("pt")]]), tensors });
}
