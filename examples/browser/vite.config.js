import { defineConfig } from "vite";

// a page has threads only when it is isolated; without these headers all else works
const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

export default defineConfig({
  server: { headers },
  preview: { headers },
  // the development server must not pack these into one file, which would lose their worker and their .wasm file
  optimizeDeps: { exclude: ["lowbit", "onnxruntime-web"] },
});
