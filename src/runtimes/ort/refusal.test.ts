import { expect, test } from "vitest";
import { refusal } from "#runtimes/ort/refusal";

/** Messages as ONNX Runtime 1.30 writes them, and as V8 does. */
const overflow =
  "Can't create a session. ERROR_CODE: 1, ERROR_MESSAGE: /mnt/azure_nvme_temp/_work/1/s/onnxruntime/core/common/safeint.h:17 static void SafeIntExceptionHandler<onnxruntime::OnnxRuntimeException>::SafeIntOnOverflow() Integer overflow";

test.each([
  ["loading m.onnx", "Error", "Load model from m.onnx failed:Protobuf parsing failed.", "runtime/load"],
  ["loading m.onnx", "Error", "Unsupported data type: 16", "runtime/load"],
  ["loading m.onnx", "Error", "anything else", "runtime/load"],
  ["loading m.onnx", "Error", overflow, "runtime/memory"],
  ["loading m.onnx", "RangeError", "Array buffer allocation failed", "runtime/memory"],
  [
    "running m.onnx",
    "Error",
    "failed to call OrtRun(). ERROR_CODE: 6, ERROR_MESSAGE: std::bad_alloc",
    "runtime/memory",
  ],
  ["running m.onnx", "RuntimeError", "memory access out of bounds", "runtime/crash"],
  ["running m.onnx", "RuntimeError", "Aborted(). Build with -sASSERTIONS for more info.", "runtime/crash"],
  ["running m.onnx", "Error", "Got invalid dimensions for input: x", "runtime/run"],
])("while %s, %s: %s", (what, name, message, code) => {
  const error = refusal({ name, message }, what);
  expect(error.code).toBe(code);
  expect(error.message.startsWith(`${what}: `)).toBe(true);
  expect(error.hint).toBeTruthy();
});

test.each([
  [overflow, "Integer overflow"],
  ["Load model from /tmp/lowbit-1-a b/model.onnx failed:Protobuf parsing failed.", "Protobuf parsing failed."],
  [
    "Load model from m.onnx failed:/onnxruntime_src/onnxruntime/core/graph/model.cc:202 onnxruntime::Model::Model(onnx::ModelProto&&, const onnxruntime::PathString&) Unsupported model IR version: 20, max supported IR version: 13\n",
    "Unsupported model IR version: 20, max supported IR version: 13",
  ],
  [
    "Could not find an implementation for Relu(14) node with name ''",
    "Could not find an implementation for Relu(14) node with name ''",
  ],
])("what the runtime says is shown without the paths of the machines it was built and run on", (said, shown) => {
  expect(refusal({ name: "Error", message: said }, "loading m.onnx").message).toBe(`loading m.onnx: ${shown}`);
});
