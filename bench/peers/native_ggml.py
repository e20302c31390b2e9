"""ggml's own library, for the scripts beside this one: quantize and dequantize of C, called through ctypes.

The library is libggml-base.so of the npm package @node-llama-cpp/linux-x64 (llama.cpp built for x86-64, without fused
multiply-add), fetched with `npm pack` into a folder below the system's temporary one; or any other one, named by GGML_LIBRARY.
"""
import ctypes, os, subprocess, tempfile
import numpy as np

PACKAGE = "@node-llama-cpp/linux-x64@3.22.1"
#        name: (id, elements, bytes, name of the C functions)
TYPES = {"f32": (0, 1, 4, None), "f16": (1, 1, 2, None), "bf16": (30, 1, 2, None),
         "q4_0": (2, 32, 18, "q4_0"), "q4_1": (3, 32, 20, "q4_1"), "q5_0": (6, 32, 22, "q5_0"), "q5_1": (7, 32, 24, "q5_1"),
         "q8_0": (8, 32, 34, "q8_0"), "q8_1": (9, 32, 36, "q8_1"), "q2_k": (10, 256, 84, "q2_K"), "q3_k": (11, 256, 110, "q3_K"),
         "q4_k": (12, 256, 144, "q4_K"), "q5_k": (13, 256, 176, "q5_K"), "q6_k": (14, 256, 210, "q6_K"),
         "q8_k": (15, 256, 292, "q8_K"), "iq4_nl": (20, 32, 18, "iq4_nl"), "iq4_xs": (23, 256, 136, "iq4_xs"),
         "tq1_0": (34, 256, 54, "tq1_0"), "tq2_0": (35, 256, 66, "tq2_0"), "mxfp4": (39, 32, 17, "mxfp4")}
INTERNAL = {"q8_1", "q8_k"}  # no ggml_quantize_chunk for these
SEARCHING = ["q4_0", "q4_1", "q5_0", "q5_1", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq4_nl", "iq4_xs"]  # heed an importance matrix


def _path():
    if "GGML_LIBRARY" in os.environ:
        return os.environ["GGML_LIBRARY"]
    folder = os.path.join(tempfile.gettempdir(), "lowbit-native-ggml")
    path = os.path.join(folder, "package", "bins", "linux-x64", "libggml-base.so")
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        archive = subprocess.run(["npm", "pack", PACKAGE], cwd=folder, check=True, capture_output=True, text=True).stdout.split()[-1]
        subprocess.run(["tar", "xzf", archive], cwd=folder, check=True)
    return path


library = ctypes.CDLL(_path())
library.ggml_quantize_chunk.restype = ctypes.c_size_t
library.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [ctypes.c_void_p]
library.ggml_version.restype = library.ggml_commit.restype = ctypes.c_char_p
library.ggml_fp16_to_fp32_row.argtypes = library.ggml_bf16_to_fp32_row.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
SOURCE = f"ggml {library.ggml_version().decode()} ({library.ggml_commit().decode()}), libggml-base.so of {PACKAGE}"


def quantize(name, x, importance=None):
    """x: float32 [rows, columns]; importance: float32 [columns]. → uint8 [rows, bytes]."""
    id, elements, size, function = TYPES[name]
    x = np.ascontiguousarray(x, np.float32)
    rows, columns = x.shape
    out = np.zeros((rows, columns // elements * size), np.uint8)
    if name in INTERNAL:
        f = getattr(library, f"quantize_row_{function}_ref")
        f.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
        f.restype = None
        f(x.ctypes.data, out.ctypes.data, x.size)
    else:
        weights = None if importance is None else np.ascontiguousarray(importance, np.float32)
        library.ggml_quantize_chunk(id, x.ctypes.data, out.ctypes.data, 0, rows, columns, None if weights is None else weights.ctypes.data)
    return out


def dequantize(name, blocks):
    """blocks: uint8 [count, bytes]. → float32 [count, elements]."""
    _, elements, _, function = TYPES[name]
    blocks = np.ascontiguousarray(blocks, np.uint8)
    out = np.zeros((len(blocks), elements), np.float32)
    if name == "f32":
        return blocks.view(np.float32)
    if name in ("f16", "bf16"):
        f = getattr(library, f"ggml_{name.replace('f16', 'fp16') if name == 'f16' else name}_to_fp32_row")
    elif name == "q8_1":  # ggml has no function for it: d·q
        return blocks[:, :2].copy().view(np.float16).astype(np.float32) * blocks[:, 4:].view(np.int8)
    else:
        f = getattr(library, f"dequantize_row_{function}")
    f.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    f.restype = None
    f(blocks.ctypes.data, out.ctypes.data, out.size)
    return out
