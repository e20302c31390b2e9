"""Trains the network on the rendered images; writes glyphs.onnx and the facts about it, glyphs.json.

    node examples/glyphs/render.mjs --out examples/glyphs/data
    python examples/glyphs/train.py

Needs torch, onnx and onnxruntime; a few minutes on one thread.
"""

import argparse
import hashlib
import json
import pathlib
import time

import onnxruntime
import torch
from torch import nn

from dataset import load, read_idx
from network import INPUT, Glyphs, to_onnx

HERE = pathlib.Path(__file__).parent
DATA_SEED = 1  # of render.mjs; test/glyphs.test.ts holds the hashes in glyphs.json to it


def train(model, images, labels, epochs, batch=100, peak_rate=5e-3):
    images, labels = torch.from_numpy(images), torch.from_numpy(labels)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak_rate, epochs * len(images) // batch)
    model.train()
    for epoch in range(epochs):
        began, total = time.time(), 0.0
        for chosen in torch.randperm(len(images)).split(batch):
            loss = nn.functional.cross_entropy(model(images[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(chosen)
        print(f"epoch {epoch + 1}: loss {total / len(images):.4f}, {time.time() - began:.0f} s", flush=True)
    return model.eval()


def accuracy(path, images, labels):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"image": images})
    return float((logits.argmax(1) == labels).mean())


def main():
    flags = argparse.ArgumentParser()
    flags.add_argument("--epochs", type=int, default=8)
    flags.add_argument("--seed", type=int, default=1)
    flags = flags.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(flags.seed)

    model = train(Glyphs(), *load("train"), flags.epochs)
    made, macs = to_onnx(model)
    file = HERE / "glyphs.onnx"
    file.write_bytes(made.SerializeToString(deterministic=True))

    images, labels = load("test")
    right = accuracy(file, images, labels)
    print(f"test accuracy {right:.4f} (onnxruntime, {len(labels)} images)")
    facts = {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "macs": macs,
        "bytes": file.stat().st_size,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "accuracy": right,
        "training": {"epochs": flags.epochs, "seed": flags.seed, "torch": torch.__version__},
        "data": {"seed": DATA_SEED, "size": INPUT["size"]},
    }
    for split in ["train", "test", "calibration"]:
        pixels = read_idx(f"{split}-images-idx3-ubyte.gz")
        facts["data"][split] = {"count": len(pixels), "imagesSha256": hashlib.sha256(pixels.tobytes()).hexdigest()}
    (HERE / "glyphs.json").write_text(json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    main()
