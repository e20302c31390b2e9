"""Trajectories of PyTorch's optimizers on a tiny problem: loss = mean((x @ w + b - y)^2), float64, five steps.

    pip install torch numpy; python bench/peers/make_optimizer_fixtures.py > test/golden/optimizers/torch.json
"""
import json

import torch

torch.set_default_dtype(torch.float64)
x = torch.tensor([[0.5, -1.0, 2.0], [1.5, 0.25, -0.5], [-2.0, 1.0, 0.75], [0.1, 0.2, 0.3]])
y = torch.tensor([[1.0, -1.0], [0.5, 2.0], [-1.5, 0.0], [0.25, 0.75]])
w0 = torch.tensor([[0.1, -0.2], [0.3, 0.4], [-0.5, 0.6]])
b0 = torch.tensor([0.05, -0.05])
cases = [
    ("sgd", {"momentum": 0, "nesterov": False, "weightDecay": 0}, 0.1, None),
    ("sgd", {"momentum": 0.9, "nesterov": False, "weightDecay": 0.01}, 0.05, None),
    ("sgd", {"momentum": 0.9, "nesterov": True, "weightDecay": 0.01}, 0.05, None),
    ("sgd", {"momentum": 0.9, "nesterov": False, "weightDecay": 0}, 0.05, 0.5),
    ("adam", {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weightDecay": 0, "decoupled": True}, 0.1, None),
    ("adam", {"beta1": 0.8, "beta2": 0.99, "epsilon": 1e-6, "weightDecay": 0.1, "decoupled": True}, 0.1, None),
    ("adam", {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weightDecay": 0.1, "decoupled": False}, 0.1, None),
]


def make(name, options, rate, parameters):
    decay = options["weightDecay"]
    if name == "sgd":
        return torch.optim.SGD(parameters, rate, options["momentum"], weight_decay=decay, nesterov=options["nesterov"])
    kind = torch.optim.AdamW if options["decoupled"] else torch.optim.Adam
    # AdamW multiplies the decay with the rate, as we do
    return kind(parameters, rate, (options["beta1"], options["beta2"]), options["epsilon"], weight_decay=decay)


rows = []
for name, options, rate, clip in cases:
    w, b = w0.clone().requires_grad_(), b0.clone().requires_grad_()
    optimizer = make(name, options, rate, [w, b])
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = ((x @ w + b - y) ** 2).mean()
        loss.backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_([w, b], clip)
        optimizer.step()
        losses.append(loss.item())
    rows.append({"name": name, "options": options, "learningRate": rate, "clipNorm": clip, "losses": losses,
                 "w": w.detach().flatten().tolist(), "b": b.detach().tolist()})
print(json.dumps({"source": f"PyTorch {torch.__version__}, float64", "x": x.flatten().tolist(), "y": y.flatten().tolist(),
                  "w": w0.flatten().tolist(), "b": b0.tolist(), "cases": rows}, indent=1))
