#!/usr/bin/env python3
"""The peers of bench/ggml.mjs: gguf-py, and ggml's own library (native_ggml.py tells which). Reads a request a line,

  {"who": "gguf-py" or "ggml", "type": NAME, "path": FLOATS, "columns": COLUMNS}

and answers each with seconds of one encoding, on one thread.

  pip install gguf numpy
"""
import json, sys, time
import numpy as np
import gguf
from native_ggml import quantize

for line in sys.stdin:
    request = json.loads(line)
    x = np.fromfile(request["path"], np.float32).reshape(-1, request["columns"])
    name = request["type"]
    start = time.perf_counter()
    if request["who"] == "ggml":
        quantize(name, x)
    else:
        gguf.quants.quantize(x, gguf.GGMLQuantizationType[name.upper()])
    print(json.dumps(time.perf_counter() - start), flush=True)
