/** What ONNX Runtime says when it refuses → our error. It has messages and no codes, so this is where they are read. */
import { type ErrorCode, LowbitError } from "#base/errors";

interface Row {
  readonly says: RegExp;
  readonly code: ErrorCode;
  readonly hint: string;
}

const rows: readonly Row[] = [
  {
    says: /bad_alloc|failed to allocate|out of memory|allocation failed|shape is too large|integer overflow/i,
    code: "runtime/memory",
    hint: "the model wants more memory than it may have; raise memoryBytes, or give smaller batches",
  },
  {
    // a WebAssembly trap leaves the instance in an unknown state
    says: /^(RuntimeError|CompileError):|unreachable executed|memory access out of bounds|^\w*:? ?Aborted\(/,
    code: "runtime/crash",
    hint: "try another runtime, and report the model to the runtime's maintainers",
  },
  {
    says: /unsupported data type|unsupported type|is not currently registered or supported/i,
    code: "runtime/load",
    hint: "ONNX Runtime cannot exchange this type: put a Cast to float32 between it and the graph's edge",
  },
  {
    says: /is under development|max supported IR version/,
    code: "runtime/load",
    hint: "the file is newer than this ONNX Runtime; write it with an older opset",
  },
  {
    says: /protobuf parsing failed/i,
    code: "runtime/load",
    hint: "the file is not ONNX, or is damaged; compare its size with the original's",
  },
  {
    says: /not a registered function|No Op registered|Could not find an implementation/,
    code: "runtime/load",
    hint: "this runtime has no kernel for an operator of the model, or not for this type; try another runtime",
  },
];

/** `what` is the clause of what was being done: "loading model.onnx", "running model.onnx". */
export function refusal(error: { readonly name: string; readonly message: string }, what: string): LowbitError {
  const said = `${error.name}: ${error.message}`;
  const loading = !what.startsWith("running");
  const row = rows.find(({ says, code }) => says.test(said) && (loading || code !== "runtime/load"));
  const message = error.message
    .replace(/^Load model from .*? failed:/s, "")
    .replace(/^.*?ERROR_MESSAGE: /s, "")
    // a path of the machine that built the runtime, and a C++ signature
    .replaceAll(/\/\S+\.(?:cc|h):\d+ [^\n]*?\) /g, "")
    .trim();
  return new LowbitError(row?.code ?? (loading ? "runtime/load" : "runtime/run"), `${what}: ${message}`, {
    hint:
      row?.hint ?? (loading ? "check the model with the ONNX checker" : "check the shapes and values of the inputs"),
  });
}
