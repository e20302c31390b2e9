import { expect, test } from "vitest";
import { chooseRuntime } from "#runtimes/chooseRuntime";
import type { Runtime } from "#runtimes/types";

function runtime(name: string, why?: string): Runtime {
  const open = () => Promise.reject(new Error("not opened in this test"));
  return { name, open, version: async () => (why === undefined ? "1" : undefined), why: async () => why };
}
const reference = runtime("reference");
const native = runtime("ort-node");
const web = runtime("ort-web");
const missing = runtime("ort-node", "not installed (npm install it)");
const broken = runtime("ort-web", "no WebAssembly here");

test("auto takes the native runtime where it can run, else the WebAssembly one", async () => {
  expect(await chooseRuntime("auto", { reference, "ort-web": web, "ort-node": native })).toBe(native);
  expect(await chooseRuntime("auto", { reference, "ort-web": web, "ort-node": missing })).toBe(web);
  expect(await chooseRuntime("auto", { reference, "ort-web": web })).toBe(web);
});

test("auto never falls back to the slow reference; it says what is wrong with the others", async () => {
  await expect(chooseRuntime("auto", { reference, "ort-web": broken, "ort-node": missing })).rejects.toMatchObject({
    code: "runtime/unavailable",
    message: expect.stringMatching(/not installed.*no WebAssembly/),
    hint: expect.stringContaining("npm install"),
  });
});

test("a runtime that is asked for by name is that one or an error", async () => {
  const among = { reference, "ort-web": web, "ort-node": missing };
  expect(await chooseRuntime("reference", among)).toBe(reference);
  await expect(chooseRuntime("ort-node", among)).rejects.toMatchObject({ code: "runtime/unavailable" });
  await expect(chooseRuntime("onnx", among)).rejects.toMatchObject({
    code: "usage/argument",
    hint: expect.stringContaining("ort-web"),
  });
  await expect(chooseRuntime("constructor", among)).rejects.toMatchObject({ code: "usage/argument" });
});
