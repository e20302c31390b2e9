import { test } from "vitest";
import { bytesSource } from "#base/bytes";
import { readOnnx } from "#formats/onnx/index";
test("g", async () => { for (const b of [new TextEncoder().encode("this is not a model, and never was one"), new Uint8Array(0), new Uint8Array([8,7,99])]) await readOnnx(bytesSource(b)).catch((e) => console.log(e.code, e.message, e.hint)); });
