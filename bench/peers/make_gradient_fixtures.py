#!/usr/bin/env python3
"""Golden losses and whole-model gradients of PyTorch in float64: test/golden/gradients/*.json.

  pip install torch==2.15.0 onnx==1.23.2 numpy
  python bench/peers/make_gradient_fixtures.py [losses] [stories260K] [resnet20] [mobilenetv2]     (from the repository root)

Losses: torch.nn.functional of small seeded arrays, with their gradients.
Models: an executor of a dozen lines per family below runs the file's graph in torch, weights as leaves; loss = cross-entropy of one
batch. Of every float weight that the loss depends on: the gradient's length (L2), and sums of it with random signs. Inputs are
made of the hash below, which the test makes again.
"""
import json, os, sys
import numpy as np, onnx, torch
import torch.nn.functional as F
from onnx import numpy_helper

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
OUT = os.path.join(ROOT, "test", "golden", "gradients")
MODELS = os.path.join(ROOT, "..", "shared", "models")
torch.set_num_threads(1)


def save(name, content):
    os.makedirs(OUT, exist_ok=True)
    head = dict(program=f"PyTorch {torch.__version__}", command=f"bench/peers/make_gradient_fixtures.py {name}")
    with open(os.path.join(OUT, f"{name}.json"), "w") as out:
        json.dump({**head, **content}, out, indent=1)
        out.write("\n")


def mixed(index, seed):
    """32 random bits for each index: the finalizer of MurmurHash3, of index + seed·0x9e3779b9."""
    h = (np.asarray(index, np.uint64) + np.uint64(seed * 0x9E3779B9)) & np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = ((h ^ (h >> np.uint64(shift))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return h ^ (h >> np.uint64(16))


def uniform(shape, seed):
    """In [0, 1), 24 bits."""
    return (mixed(np.arange(np.prod(shape)), seed) >> np.uint64(8)).reshape(shape) / 0x1000000


# losses ----------------------------------------------------------------------------------------------------------------------------


def losses():
    generator = torch.Generator().manual_seed(7)
    random = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)
    cases = []

    def case(name, loss, shape, of, labels=None, others=None, tokens=None):
        x = random(*shape).requires_grad_()
        value = of(x)
        value.backward()
        given = {k: v.tolist() for k, v in dict(labels=labels, tokens=tokens).items() if v is not None}
        others = {} if others is None else {"other": others.flatten().tolist()}
        flat = x.detach().flatten().tolist()
        cases.append(dict(name=name, loss=loss, shape=list(shape), x=flat, **given, **others, value=value.item(),
                          gradient=x.grad.flatten().tolist()))

    labels = torch.tensor([1, 0, 4, 2])
    case("cross-entropy", {"kind": "cross-entropy"}, (4, 5), lambda x: F.cross_entropy(x, labels), labels)
    some = torch.tensor([1, -100, 4, -100])
    case("cross-entropy, some labels ignored", {"kind": "cross-entropy", "ignore": -100}, (4, 5), lambda x: F.cross_entropy(x, some), some)
    pixels = torch.tensor([[[0, 1], [2, 2], [1, 0]]])
    case("cross-entropy of pixels", {"kind": "cross-entropy", "axis": 1}, (1, 3, 3, 2), lambda x: F.cross_entropy(x, pixels), pixels)
    tokens = torch.tensor([[3, 1, 4, 1], [5, 2, 0, 0]])
    shifted = lambda x, ignore: F.cross_entropy(x[:, :-1].reshape(-1, 6), tokens[:, 1:].reshape(-1), ignore_index=ignore)
    case("next token", {"kind": "next-token", "tokens": "tokens"}, (2, 4, 6), lambda x: shifted(x, -100), tokens=tokens)
    case("next token, filling ignored", {"kind": "next-token", "tokens": "tokens", "ignore": 0}, (2, 4, 6), lambda x: shifted(x, 0), tokens=tokens)
    target = random(3, 4)
    case("mean squared error", {"kind": "mse"}, (3, 4), lambda x: F.mse_loss(x, target), others=target)
    teacher = random(3, 4) * 3
    soft = lambda x, t: F.kl_div(F.log_softmax(x / t, -1), F.log_softmax(teacher / t, -1), reduction="batchmean", log_target=True) * t * t
    case("distillation", {"kind": "distillation"}, (3, 4), lambda x: soft(x, 4), others=teacher)
    case("distillation at another temperature", {"kind": "distillation", "temperature": 1.5}, (3, 4), lambda x: soft(x, 1.5), others=teacher)
    feature = random(2, 3, 2)
    relative = lambda x: F.mse_loss(x, feature) / feature.square().mean()
    case("features", {"kind": "features", "values": ["y"]}, (2, 3, 2), relative, others=feature)
    save("losses", dict(cases=cases))


# models ----------------------------------------------------------------------------------------------------------------------------


def attributes(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def ints(t):
    return [int(v) for v in t.reshape(-1)]


def conv(x, w, b=None, pads=None, strides=(1, 1), dilations=(1, 1), group=1, **_):
    p = pads or [0] * 4
    return F.conv2d(F.pad(x, (p[1], p[3], p[0], p[2])), w, b, strides, 0, dilations, group)


def pool(x, kernel_shape, strides=(1, 1), pads=(0,) * 4, **_):
    assert not any(pads)
    return F.avg_pool2d(x, kernel_shape, strides)


def norm(x, scale, bias, mean, var, epsilon=1e-5, **_):
    column = lambda t: t[:, None, None]
    return (x - column(mean)) / torch.sqrt(column(var) + epsilon) * column(scale) + column(bias)


def pad(x, pads, value=None, mode=b"constant"):
    assert mode == b"constant"
    p, n = ints(pads), x.dim()
    return F.pad(x, [v for a in reversed(range(n)) for v in (p[a], p[a + n])], value=0.0 if value is None else float(value))


def cut(x, starts, ends, axes=None, steps=None):
    axes = range(x.dim()) if axes is None else ints(axes)
    for i, (start, end, axis) in enumerate(zip(ints(starts), ints(ends), axes)):
        step = 1 if steps is None else ints(steps)[i]
        index = range(x.shape[axis])[slice(start, None if step < 0 and end < -x.shape[axis] else end, step)]
        x = x.index_select(axis, torch.tensor(list(index), dtype=torch.int64))
    return x


def reshape(x, shape, **_):
    return x.reshape([x.shape[i] if d == 0 else d for i, d in enumerate(ints(shape))])


def unsqueeze(x, axes):
    for axis in sorted(ints(axes)):
        x = x.unsqueeze(axis)
    return x


def cast(x, to):
    return x.to({1: torch.float64, 7: torch.int64}[to])  # the file's float32 is float64 here


OPS = dict(
    Add=torch.add, Sub=torch.sub, Mul=torch.mul, Div=torch.div, Pow=torch.pow, Sqrt=torch.sqrt, Relu=torch.relu, Sigmoid=torch.sigmoid,
    MatMul=torch.matmul, Where=torch.where, Equal=torch.eq, Conv=conv, AveragePool=pool, BatchNormalization=norm, Pad=pad, Slice=cut,
    Reshape=reshape, Unsqueeze=unsqueeze, Cast=cast,
    Softmax=lambda x, axis=-1: torch.softmax(x, axis),
    Clip=lambda x, low, high: torch.clamp(x, low, high),
    Concat=lambda *xs, axis: torch.cat(xs, axis),
    Shape=lambda x: torch.tensor(x.shape, dtype=torch.int64),
    Transpose=lambda x, perm: x.permute(perm),
    Gather=lambda x, i, axis=0: x.index_select(axis, i.reshape(-1)).reshape(x.shape[:axis] + i.shape + x.shape[axis + 1:]),
    ReduceMean=lambda x, axes, keepdims=1: x.mean(axes, bool(keepdims)),
    ConstantOfShape=lambda shape, value: torch.full(ints(shape), numpy_helper.to_array(value).item()),
    Expand=lambda x, shape: x.expand(torch.broadcast_shapes(x.shape, ints(shape))),
    GlobalAveragePool=lambda x: x.mean((2, 3), True),
    Flatten=lambda x, axis=1: x.flatten(axis),
    Gemm=lambda a, b, c, alpha=1.0, beta=1.0, transA=0, transB=0: alpha * (a.T if transA else a) @ (b.T if transB else b) + beta * c,
)


def tensor(proto):
    array = numpy_helper.to_array(proto)
    return torch.tensor(array.astype(np.float64) if array.dtype == np.float32 else array)


def run(file, output, feeds):
    """(value of output, float weights as leaves)"""
    graph = onnx.load(os.path.join(MODELS, file)).graph
    values = {i.name: tensor(i) for i in graph.initializer}
    weights = {name: v.requires_grad_() for name, v in values.items() if v.dtype == torch.float64}
    values.update(feeds)
    for node in graph.node:
        a = attributes(node)
        if node.op_type == "Constant":
            values[node.output[0]] = tensor(a["value"])
        else:
            values[node.output[0]] = OPS[node.op_type](*[values[i] if i else None for i in node.input], **a)
        if node.output[0] == output:
            break
    return values[output], weights


PROJECTIONS = 8


def summary(gradient):
    """Length, and sums with random signs: the mean square of their errors is the square of the error's length (Achlioptas 2003)."""
    flat = gradient.flatten().numpy()
    index = np.arange(flat.size)
    signs = [1 - 2 * (mixed(index, 1000 + k) & np.uint64(1)).astype(np.float64) for k in range(PROJECTIONS)]
    return dict(norm=float(np.linalg.norm(flat)), projections=[float(flat @ s) for s in signs])


def gradients(name, file, loss, weights, **about):
    loss.backward()
    of = {k: summary(v.grad) for k, v in weights.items() if v.grad is not None and "running_" not in k}
    save(name, dict(file=file, **about, loss=loss.item(), gradients=of))


def stories260K():
    ids = torch.tensor((uniform((2, 24), 1) * 512).astype(np.int64))
    logits, weights = run("lm/stories260K.onnx", "logits", dict(input_ids=ids))
    loss = F.cross_entropy(logits[:, :-1].reshape(-1, 512), ids[:, 1:].reshape(-1))
    gradients("stories260K", "lm/stories260K.onnx", loss, weights, input="input_ids", shape=[2, 24], vocabulary=512)


def image(name, file, shape, classes, low):
    x = torch.tensor(uniform(shape, 1) * (1 - low) + low).to(torch.float32).double()
    labels = torch.tensor((uniform((shape[0],), 2) * classes).astype(np.int64))
    logits, weights = run(file, "logits", dict(input=x))
    gradients(name, file, F.cross_entropy(logits, labels), weights, input="input", shape=shape, classes=classes, low=low)


def resnet20():
    image("resnet20", "cifar10/cifar10_resnet20.onnx", [4, 3, 32, 32], 10, -2)


def mobilenetv2():
    image("mobilenetv2", "imagenet/mobilenet_v2_1.0_224_tf.onnx", [2, 3, 224, 224], 1001, -1)


if __name__ == "__main__":
    chosen = sys.argv[1:] or ["losses", "stories260K", "resnet20", "mobilenetv2"]
    for name in chosen:
        globals()[name]()
