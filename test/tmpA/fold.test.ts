import { test } from "vitest";
import { readFileSync } from "node:fs";
import { bytesSource } from "#base/bytes";
import { readOnnx } from "#formats/onnx/index";
import { foldConstants } from "#model/constantFolding";
const hist = (g: any) => { const h: Record<string, number> = {}; for (const n of g.nodes) h[n.op] = (h[n.op] ?? 0) + 1; return JSON.stringify(h); };
test("f", async () => {
  for (const f of ["cifar10/cifar10_resnet20", "zoo/ppocr_mobile_v1.1_det_paddle", "zoo/tfbert_qa_keras2onnx", "lm/stories260K", "zoo/tiny_bert_test_op11", "zoo/silero_vad_16k_op15","zoo/ultraface_rfb320_op9","zoo/road_segmentation_adas_0001_tf2onnx","imagenet/tf2_mobilenet_v2_1.0_224_ptq_qdq", "zoo/dtln_model1_onnxmltools","zoo/yunet_n_dynamic_op11"]) {
    const m = await readOnnx(bytesSource(new Uint8Array(readFileSync(`/work/shared/models/${f}.onnx`)), f));
    const r = await foldConstants(m);
    const bytes = (g: any) => [...g.initializers.values()].reduce((s: number, r: any) => s + (r.data.length ?? r.data.bytes?.length ?? 0), 0);
    console.log(f, bytes(m.graph), bytes(r.graph), m.graph.nodes.length, r.graph.nodes.length, "\n", hist(m.graph), "\n", hist(r.graph));
  }
});
