"""network.json as a PyTorch module, and the trained module as an ONNX model.

The graph is written node by node, and not by PyTorch's exporter, which folds BatchNormalization into the convolutions:
a quantizer should meet it, and fold it itself.
"""

import json
import pathlib

import torch
from onnx import TensorProto, checker, helper, numpy_helper
from torch import nn

NETWORK = json.loads((pathlib.Path(__file__).parent / "network.json").read_text())
INPUT, LAYERS, OUTPUT = NETWORK["input"], NETWORK["layers"], NETWORK["output"]
EPSILON = 1e-5  # of BatchNormalization


class Glyphs(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.ModuleDict(), nn.ModuleDict()
        channels = INPUT["channels"]
        for layer in LAYERS:
            out, kernel = layer["channels"], layer["kernel"]
            options = {"stride": layer.get("stride", 1), "groups": layer.get("groups", 1)}
            self.conv[key(layer)] = nn.Conv2d(channels, out, kernel, padding=kernel // 2, bias=False, **options)
            self.bn[key(layer)] = nn.BatchNorm2d(out, eps=EPSILON)
            channels = out
        self.classifier = nn.Linear(channels, OUTPUT["classes"])

    def forward(self, x):
        outputs = {}
        for layer in LAYERS:
            x = self.bn[key(layer)](self.conv[key(layer)](x))
            if "add" in layer:
                x = x + outputs[layer["add"]]
            if "activation" in layer:
                x = getattr(nn.functional, layer["activation"])(x)
            outputs[layer["name"]] = x
        return self.classifier(x.mean((2, 3)))


def key(layer):
    return layer["name"].replace(".", "_")  # PyTorch allows no dot in a module's name


def to_onnx(model):
    """→ the ONNX model, and the multiply-accumulates of its Conv and Gemm nodes for one image."""
    nodes, weights, outputs, macs = [], {}, {}, 0

    def emit(op, name, *inputs, **attributes):
        nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def weight(name, tensor):
        weights[name] = tensor
        return name

    x, size = INPUT["name"], INPUT["size"]
    for layer in LAYERS:
        name, conv, bn = layer["name"], model.conv[key(layer)], model.bn[key(layer)]
        kernel, stride = layer["kernel"], layer.get("stride", 1)
        size //= stride
        macs += conv.weight.numel() * size * size
        geometry = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [kernel // 2] * 4}
        x = emit("Conv", f"{name}.conv", x, weight(f"{name}.conv.weight", conv.weight), group=conv.groups, **geometry)
        parts = {"scale": bn.weight, "bias": bn.bias, "mean": bn.running_mean, "var": bn.running_var}
        statistics = [weight(f"{name}.bn.{part}", tensor) for part, tensor in parts.items()]
        x = emit("BatchNormalization", f"{name}.bn", x, *statistics, epsilon=EPSILON)
        if "add" in layer:
            x = emit("Add", f"{name}.add", x, outputs[layer["add"]])
        if layer.get("activation") == "relu":
            x = emit("Relu", f"{name}.relu", x)
        if layer.get("activation") == "relu6":
            bounds = weight("relu6.min", torch.tensor(0.0)), weight("relu6.max", torch.tensor(6.0))
            x = emit("Clip", f"{name}.relu6", x, *bounds)
        outputs[name] = x

    last = OUTPUT["classifier"]
    x = emit("Flatten", "flatten", emit("GlobalAveragePool", "pool", x), axis=1)
    gemm = weight(f"{last}.weight", model.classifier.weight), weight(f"{last}.bias", model.classifier.bias)
    nodes.append(helper.make_node("Gemm", [x, *gemm], [OUTPUT["name"]], name=last, transB=1))
    macs += model.classifier.weight.numel()

    graph = helper.make_graph(
        nodes,
        "glyphs",
        [helper.make_tensor_value_info(INPUT["name"], TensorProto.FLOAT, ["N", INPUT["channels"], INPUT["size"], INPUT["size"]])],
        [helper.make_tensor_value_info(OUTPUT["name"], TensorProto.FLOAT, ["N", OUTPUT["classes"]])],
        [numpy_helper.from_array(tensor.detach().numpy(), name) for name, tensor in weights.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="lowbit glyphs")
    checker.check_model(made, full_check=True)
    return made, macs
