#!/usr/bin/env python3
"""The peer: onnxruntime.quantization's static int8 (QDQ, per-channel weights, uint8 activations) on the inputs in a .npy file.
One JSON line: seconds (its pre-processing included) and peak memory of this process.

  pip install onnxruntime==1.30.0 onnx sympy numpy
  python ort_quantize.py MODEL CALIBRATION.npy OUTPUT --method minmax|percentile|entropy
"""
import argparse, json, os, resource, tempfile, time
import numpy as np, onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("calibration")
parser.add_argument("output")
parser.add_argument("--method", default="minmax")
args = parser.parse_args()


class Reader(CalibrationDataReader):
    def __init__(self, rows, name):
        self.rows, self.name = iter(rows), name

    def get_next(self):
        row = next(self.rows, None)
        return None if row is None else {self.name: row}


graph = onnx.load(args.model).graph
weights = {tensor.name for tensor in graph.initializer}
name = [value.name for value in graph.input if value.name not in weights][0]
samples = np.load(args.calibration)
start = time.perf_counter()
with tempfile.TemporaryDirectory() as folder:
    prepared = os.path.join(folder, "prepared.onnx")
    quant_pre_process(args.model, prepared)
    quantize_static(
        prepared,
        args.output,
        Reader(samples, name),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        calibrate_method=dict(minmax=CalibrationMethod.MinMax, percentile=CalibrationMethod.Percentile, entropy=CalibrationMethod.Entropy)[args.method],
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
seconds = time.perf_counter() - start
print(json.dumps(dict(method=args.method, seconds=seconds, peakRssMB=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)))
