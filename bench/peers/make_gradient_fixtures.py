#!/usr/bin/env python3
"""Golden losses and whole-model gradients of PyTorch in float64: test/golden/gradients/*.json.

  pip install torch==2.15.0 onnx==1.23.2 numpy
  python bench/peers/make_gradient_fixtures.py [losses] [stories260K] [resnet20] [mobilenetv2]     (from the repository root)

Losses: torch.nn.functional of small seeded arrays, with their gradients.
Models: an executor of a dozen lines per family below runs the file's graph in torch, weights as leaves; loss = cross-entropy of one
batch. Of every float weight that the loss depends on: the gradient's length (L2), and some of its elements. Inputs are those of
xorshift32 below, which the test makes again.
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


def numbers(count, seed):
    """count uniform numbers in [0, 1) of 24 bits: xorshift32 (Marsaglia 2003)."""
    x, all = seed, []
    for _ in range(count):
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        all.append((x >> 8) / 0x1000000)
    return all


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


if __name__ == "__main__":
    chosen = sys.argv[1:] or ["losses", "stories260K", "resnet20", "mobilenetv2"]
    for name in chosen:
        globals()[name]()
