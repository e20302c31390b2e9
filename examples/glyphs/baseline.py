"""What plain quantization does to glyphs.onnx: the figures to beat. Top-1 on the test images, in ONNX Runtime (Python).

    python examples/glyphs/baseline.py

int8 is ONNX Runtime's own quantize_static (QDQ, min-max on the calibration images). The weight-only rows fold the
BatchNormalizations, then round every Conv and Gemm weight to nearest, symmetric, with the scale at the largest value.
"""

import pathlib
import tempfile

import numpy
import onnx
import onnxruntime
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from dataset import load

MODEL = pathlib.Path(__file__).parent / "glyphs.onnx"


class Calibration(CalibrationDataReader):
    def __init__(self, images):
        self.batches = iter([{"image": images}])

    def get_next(self):
        return next(self.batches, None)


def logits(model, images):
    session = onnxruntime.InferenceSession(str(model) if isinstance(model, pathlib.Path) else model.SerializeToString())
    return session.run(["logits"], {"image": images})[0]


def round_weights(model, bits, per_channel):
    rounded = onnx.ModelProto()
    rounded.CopyFrom(model)
    for tensor in rounded.graph.initializer:
        if len(tensor.dims) < 2:
            continue
        w = numpy_helper.to_array(tensor)
        top = 2 ** (bits - 1) - 1
        axes = tuple(range(1, w.ndim)) if per_channel else None
        scale = numpy.abs(w).max(axes, keepdims=True) / top
        tensor.CopyFrom(numpy_helper.from_array((numpy.rint(w / scale) * scale).astype(numpy.float32), tensor.name))
    return rounded


def main():
    images, labels = load("test")
    calibration, _ = load("calibration")
    reference = logits(MODEL, images)

    def row(name, quantized):
        noise = numpy.square(quantized - reference).sum()
        sqnr = 10 * numpy.log10(numpy.square(reference).sum() / noise) if noise else numpy.inf
        top1, agreement = (quantized.argmax(1) == labels).mean(), (quantized.argmax(1) == reference.argmax(1)).mean()
        print(f"{name:32} top-1 {top1:.4f}   agreement {agreement:.4f}   logit SQNR {sqnr:5.1f} dB", flush=True)

    row("float32", reference)
    with tempfile.TemporaryDirectory() as folder:
        folded, written = pathlib.Path(folder) / "folded.onnx", pathlib.Path(folder) / "int8.onnx"
        quant_pre_process(str(MODEL), str(folded))
        types = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8}
        for per_channel in [True, False]:
            quantize_static(str(folded), str(written), Calibration(calibration), per_channel=per_channel, **types)
            row(f"w8a8, weights per {'channel' if per_channel else 'tensor'}", logits(written, images))
        model = onnx.load(folded)
    for per_channel in [True, False]:
        for bits in [8, 4, 3, 2]:
            row(f"w{bits}, per {'channel' if per_channel else 'tensor'}", logits(round_weights(model, bits, per_channel), images))


if __name__ == "__main__":
    main()
