import { test } from "vitest";
import { readFileSync, readdirSync } from "node:fs";
import { bytesSource } from "#base/bytes";
import { readOnnx } from "#formats/onnx/index";
import { interpret } from "#model/interpreter";
import { inferShapes } from "#model/shapes";
import { foldConstants } from "#model/constantFolding";
import { createRng } from "#base/rng";
import * as ort from "onnxruntime-node";
import { tensor, type Tensor, allocate, sizeOf } from "#model/tensor";

const root = "/work/shared/models";
const only = process.env.ONLY;
const sizes: Record<string, number> = { N: 1, batch: 1, seq: 6, sequence: 6, length: 9, frames: 4, batch_size: 1, samples: 3200, height: 64, width: 96 };
test("zoo", { timeout: 900_000 }, async () => {
  for (const dir of readdirSync(root)) for (const file of readdirSync(`${root}/${dir}`)) {
    if (!file.endsWith(".onnx") || (only && !file.includes(only))) continue;
    const bytes = new Uint8Array(readFileSync(`${root}/${dir}/${file}`));
    const line: string[] = [file];
    try {
      const model = await readOnnx(bytesSource(bytes, file));
      let t = performance.now();
      const shapes = await inferShapes(model);
      line.push(`infer ${(performance.now() - t).toFixed(0)}ms`);
      const all = model.graph.nodes.flatMap((n) => n.outputs).filter((n) => n !== "");
      const rank = all.filter((n) => shapes.get(n)?.shape).length, full = all.filter((n) => shapes.get(n)?.shape?.every((d) => d !== null)).length, el = all.filter((n) => shapes.get(n)?.element).length;
      line.push(`values ${all.length} element ${el} rank ${rank} full ${full}`);
      const open = all.filter((n) => !shapes.get(n)?.shape?.every((d) => d !== null)).slice(0, 3).map((n) => { const p = model.graph.nodes.find((x) => x.outputs.includes(n)); return `${p?.op}:${n}:${JSON.stringify(shapes.get(n)?.shape)}`; });
      line.push(open.join(" "));
      t = performance.now();
      const folded = await foldConstants(model);
      line.push(`fold ${(performance.now() - t).toFixed(0)}ms ${model.graph.nodes.length}→${folded.graph.nodes.length}`);
      const rng = createRng(1);
      const feeds: Record<string, Tensor> = {}; const ortFeeds: Record<string, ort.Tensor> = {};
      for (const i of model.graph.inputs) {
        if (i.type?.kind !== "tensor") throw new Error("type");
        const dims = (i.type.shape ?? []).map((d, axis) => typeof d === "number" && d > 0 ? d : (sizes[String(d)] ?? (axis === 0 ? 1 : 64)));
        const el = i.type.element!;
        if (file.startsWith('silero') && i.name === 'input') dims[1] = 576; const data = allocate(el, sizeOf(dims)) as any;
        for (let k = 0; k < data.length; k++) data[k] = el.startsWith("int") ? (typeof data[0] === "bigint" ? BigInt(i.name === "sr" ? 16000 : rng.below(2)) : rng.below(2)) : rng.uniform();
        feeds[i.name] = tensor(el, dims, data);
        ortFeeds[i.name] = new ort.Tensor(el as any, data, dims);
      }
      const session = await ort.InferenceSession.create(bytes, { graphOptimizationLevel: "disabled", logSeverityLevel: 4 });
      const want = await session.run(ortFeeds);
      const bad: string[] = [];
      for (const [label, m] of [["orig", model], ["fold", folded]] as const) {
        t = performance.now();
        const run = (await interpret(m));
        const names = m.graph.nodes.flatMap((n) => n.outputs).filter((n) => n !== "");
        const res = run.run(feeds, { fetches: [...new Set([...(label === "orig" ? names : []), ...m.graph.outputs.map((o) => o.name)])] });
        line.push(`${label} ${((performance.now() - t) / 1000).toFixed(1)}s`);
        let worst = 0;
        for (const o of m.graph.outputs) {
          const a = res[o.name], b = want[o.name];
          if (JSON.stringify(a.dims) !== JSON.stringify(b.dims)) bad.push(`${o.name} dims ${a.dims} vs ${b.dims}`);
          let scale = 1e-6; for (const v of b.data as any) scale = Math.max(scale, Math.abs(Number(v)));
          let w0 = 0; for (let k = 0; k < a.data.length; k++) w0 = Math.max(w0, Math.abs(Number(a.data[k]) - Number((b.data as any)[k])) / scale); if (w0 > 1e-4 && label === 'orig') line.push(`${o.name} ${w0} of ${scale}`); for (let k = 0; k < a.data.length; k++) worst = Math.max(worst, Math.abs(Number(a.data[k]) - Number((b.data as any)[k])) / scale);
        }
        line.push(`err ${worst.toExponential(1)}`);
        if (label === "orig") {
          const bind = new Map<string, number>();
          for (const [n, t] of Object.entries({ ...feeds, ...res })) {
            const k = shapes.get(n); if (!k) { bad.push(`none ${n}`); continue; }
            if (k.element && k.element !== t.type) bad.push(`${n} ${k.element}≠${t.type}`);
            if (k.shape) { if (k.shape.length !== t.dims.length) bad.push(`${n} rank`); k.shape.forEach((d, i) => { if (typeof d === "string") { if (!bind.has(d)) bind.set(d, t.dims[i]); d = bind.get(d)!; } if (d !== null && d !== t.dims[i]) bad.push(`${n} ${JSON.stringify(k.shape)} vs ${t.dims}`); }); }
            const c = k.content; if (c) c.forEach((d, i) => { if (typeof d === "string") d = bind.get(d) ?? d; if (typeof d !== "number") return; if (Number(t.data[i]) !== d) bad.push(`${n} content ${d} vs ${t.data[i]}`); });
          }
        }
      }
      if (bad.length) line.push(`BAD ${bad.length}: ${bad.slice(0, 5).join("; ")}`);
    } catch (e) { line.push(`!! ${(e as any).code} ${(e as Error).message} ${(e as any).code ? "" : (e as Error).stack?.split("\n").slice(1,4).join("|")}`); }
    console.log(line.join(" | "));
  }
});
