"""Times steps of training in PyTorch on one thread, for bench/gradients.mjs.

Reads lines "WORKLOAD BATCH STEPS" and answers each with the milliseconds of CPU time of every step, as JSON. A step is forward,
cross-entropy, backward, and SGD with momentum.

    python torch_step.py < requests
"""

import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)


class Block(nn.Module):
    """Of ResNet-20 for CIFAR-10 (He et al. 2015, section 4.2), shortcuts without weights."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.more = (outputs - inputs) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.more:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.more, self.more))
        return F.relu(x + y)


def resnet20():
    blocks, inputs = [], 16
    for outputs in (16, 32, 64):
        for i in range(3):
            blocks.append(Block(inputs, outputs, 2 if i == 0 and outputs > 16 else 1))
            inputs = outputs
    stem = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    return nn.Sequential(*stem, *blocks, nn.AvgPool2d(8), nn.Flatten(), nn.Linear(64, 10)), (3, 32, 32)


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    ), (1, 28, 28)  # fmt: skip


def inverted(inputs, outputs, stride):
    wide = inputs * 6
    body = nn.Sequential(
        nn.Conv2d(inputs, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(),
        nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(),
        nn.Conv2d(wide, outputs, 1, bias=False), nn.BatchNorm2d(outputs),
    )  # fmt: skip
    return Residual(body) if stride == 1 and inputs == outputs else body


class Residual(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return x + self.body(x)


def mobilenet():
    """A stem and two inverted residual blocks of MobileNetV2 (Sandler et al. 2018), at 16×16."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU6(),
        inverted(16, 16, 1), inverted(16, 24, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 10),
    ), (3, 16, 16)  # fmt: skip


class Encoder(nn.Module):
    """A layer that normalizes first: attention, then two projections."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, length, width)
        x = x + self.out(mixed)
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Mean(nn.Module):
    def forward(self, x):
        return x.mean(1)


def transformer():
    layers = [Encoder(256, 8) for _ in range(4)]
    return nn.Sequential(nn.Embedding(256, 256), *layers, nn.LayerNorm(256), Mean(), nn.Linear(256, 10)), (128,)


workloads = {"resnet20": resnet20, "lenet": lenet, "mobilenet": mobilenet, "transformer": transformer}
ready = {}

for line in sys.stdin:
    name, batch, steps = line.split()
    if name not in ready:
        torch.manual_seed(1)
        model, shape = workloads[name]()
        ready[name] = model, torch.optim.SGD(model.parameters(), 0.01, 0.9), shape
    model, optimizer, shape = ready[name]
    size = int(batch), *shape
    x = torch.randn(size) if len(shape) > 1 else torch.randint(256, size)
    labels = torch.randint(10, size[:1])
    times = []
    for _ in range(int(steps)):
        start = time.process_time()
        optimizer.zero_grad()
        F.cross_entropy(model(x), labels).backward()
        optimizer.step()
        times.append((time.process_time() - start) * 1e3)
    print(json.dumps(times), flush=True)
