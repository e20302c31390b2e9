#!/usr/bin/env python3
"""The peer: scikit-learn's KMeans(n_init=10) on one column of numbers. Reads a request a line from standard input,

  {"path": FLOATS, "offset": NUMBER OF FLOATS BEFORE, "count": N, "clusters": K, "seed": S}

and answers each with a line: seconds of fit alone, and the sum of squared errors in float64, of labels and centers as it gives them.

  pip install scikit-learn numpy
"""
import json, sys, time
import numpy as np
from sklearn.cluster import KMeans

for line in sys.stdin:
    request = json.loads(line)
    x = np.fromfile(request["path"], np.float32, request["count"], offset=4 * request["offset"]).reshape(-1, 1)
    start = time.perf_counter()
    fitted = KMeans(request["clusters"], n_init=10, random_state=request["seed"]).fit(x)
    seconds = time.perf_counter() - start
    centers = fitted.cluster_centers_.astype(np.float64)
    error = float(((x.astype(np.float64) - centers[fitted.labels_]) ** 2).sum())
    print(json.dumps({"seconds": seconds, "error": error}), flush=True)
