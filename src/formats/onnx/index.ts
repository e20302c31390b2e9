/** ONNX files: read lazily, written as a stream. */
export { parseTensorProto, type ReadOnnxOptions, readOnnx } from "#formats/onnx/readOnnx";
export { validateModel } from "#formats/onnx/validateModel";
export { onnxBytes, type WriteOnnxOptions, type WrittenOnnx, writeOnnx } from "#formats/onnx/writeOnnx";
