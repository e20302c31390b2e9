import { test } from "vitest";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { bytesSource } from "#base/bytes";
import { LowbitError } from "#base/errors";
import { parseTensorProto, readOnnx } from "#formats/onnx/index";
import { interpret } from "#model/interpreter";
import { inferShapes } from "#model/shapes";
import { findOp } from "#model/ops/index";
import { reachableNodes } from "#model/functions";
import { readWeight } from "#model/weights";
import { toNumbers, type Tensor } from "#model/tensor";

const root = "/tmp/opsA/data/onnx/backend/test/data";
const only = process.env.ONLY;

function differ(a: Tensor, b: Tensor): string | undefined {
  if (a === undefined) return "missing";
  if (a.type !== b.type) return `type ${a.type} ≠ ${b.type}`;
  if (JSON.stringify(a.dims) !== JSON.stringify(b.dims))
    return `dims ${JSON.stringify(a.dims)} ≠ ${JSON.stringify(b.dims)}`;
  if (a.type === "string") return JSON.stringify(a.data) === JSON.stringify(b.data) ? undefined : "strings";
  if (a.data instanceof BigInt64Array || a.data instanceof BigUint64Array) {
    for (let i = 0; i < a.data.length; i++) if (a.data[i] !== b.data[i]) return `[${i}] ${a.data[i]} ≠ ${b.data[i]}`;
    return undefined;
  }
  const [x, y] = [toNumbers(a), toNumbers(b)];
  const float = /float|complex/.test(a.type);
  const rtol = !float
    ? 0
    : a.type === "float16"
      ? 1e-3
      : a.type === "bfloat16"
        ? 1e-2
        : a.type.startsWith("float8")
          ? 0
          : 1e-3;
  for (let i = 0; i < x.length; i++) {
    if (Object.is(x[i], y[i]) || x[i] === y[i]) continue;
    if (!(Math.abs(x[i] - y[i]) <= (float ? 1e-7 : 0) + rtol * Math.abs(y[i]))) return `[${i}] ${x[i]} ≠ ${y[i]}`;
  }
}

test("run", { timeout: 600_000 }, async () => {
  const stats = { total: 0, ours: 0, passed: 0 };
  const skipped = new Map<string, number>();
  const out: string[] = [];
  for (const suite of ["simple", "node", "pytorch-operator", "pytorch-converted"]) {
    for (const name of readdirSync(`${root}/${suite}`).sort()) {
      const dir = `${root}/${suite}/${name}`;
      if (!existsSync(`${dir}/model.onnx`)) continue;
      if (only && !name.includes(only)) continue;
      stats.total++;
      let stage = "read";
      try {
        const model = await readOnnx(bytesSource(new Uint8Array(readFileSync(`${dir}/model.onnx`)), name));
        const missing = reachableNodes(model)
          .filter((n) => !findOp(n.domain, n.op)?.forward)
          .map((n) => `${n.domain}:${n.op}`);
        if (missing.length) {
          for (const m of new Set(missing)) skipped.set(m, (skipped.get(m) ?? 0) + 1);
          continue;
        }
        if ([...model.graph.inputs, ...model.graph.outputs].some((v) => v.type?.kind !== "tensor")) {
          skipped.set("(non-tensor)", (skipped.get("(non-tensor)") ?? 0) + 1);
          continue;
        }
        stats.ours++;
        const sets = readdirSync(dir).filter((d) => d.startsWith("test_data_set"));
        for (const set of sets) {
          stage = "data";
          const feeds: Record<string, Tensor> = {};
          for (const [i, input] of model.graph.inputs.entries()) {
            const p = `${dir}/${set}/input_${i}.pb`;
            if (existsSync(p)) feeds[input.name] = await readWeight(parseTensorProto(new Uint8Array(readFileSync(p))));
          }
          stage = "shapes";
          const shapes = await inferShapes(model);
          stage = "run";
          const res = (await interpret(model)).run(feeds);
          stage = "compare";
          for (const [i, o] of model.graph.outputs.entries()) {
            const want = await readWeight(
              parseTensorProto(new Uint8Array(readFileSync(`${dir}/${set}/output_${i}.pb`))),
            );
            const d = differ(res[o.name], want);
            if (d) throw new Error(`output ${o.name}: ${d}`);
          }
          stage = "infer";
          const known = shapes;
          for (const [n, t] of Object.entries(res)) {
            const k = known.get(n);
            if (k === undefined) throw new Error(`nothing of ${n}`);
            if (k.element !== undefined && k.element !== t.type)
              throw new Error(`${n} element ${k.element} vs ${t.type}`);
            if (
              k.shape &&
              (k.shape.length !== t.dims.length || k.shape.some((d, i) => typeof d === "number" && d !== t.dims[i]))
            )
              throw new Error(`${n} shape ${JSON.stringify(k.shape)} vs ${JSON.stringify(t.dims)}`);
          }
        }
        stats.passed++;
      } catch (e) {
        const err = e as LowbitError;
        out.push(
          `${suite}/${name} [${stage}] ${err.code ?? err.name}: ${err.message} ${err.at ? JSON.stringify(err.at) : ""} ${
            err.code === "runtime/run" || !err.code
              ? String(((err as any).cause ?? err)?.stack)
                  .split("\n")
                  .slice(1, 3)
                  .join("|")
              : ""
          }`,
        );
      }
    }
  }
  console.log(JSON.stringify(stats));
  console.log(
    [...skipped]
      .sort((a, b) => b[1] - a[1])
      .map(([k, v]) => `${k} ${v}`)
      .join(", "),
  );
  console.log(out.join("\n"));
});
