import { LowbitError } from "#base/errors";
import type { Runtime } from "#runtimes/types";

/** What "auto" tries, best first: the deployment runtime where it is installed, else the one that is always there. */
const preferred = ["ort-node", "ort-web"];

/** The runtime of this name, or with "auto" the best one that can run here. Rejects with `runtime/unavailable`, saying why. */
export async function chooseRuntime(name: string, among: Readonly<Record<string, Runtime>>): Promise<Runtime> {
  const names = name === "auto" ? preferred.filter((key) => key in among) : [name];
  const reasons: string[] = [];
  for (const key of names) {
    if (!Object.hasOwn(among, key)) {
      throw new LowbitError("usage/argument", `there is no runtime ${key}`, {
        hint: `choose auto, ${Object.keys(among).join(", ")}`,
      });
    }
    const why = await among[key].why();
    if (why === undefined) return among[key];
    reasons.push(`${key}: ${why}`);
  }
  throw new LowbitError("runtime/unavailable", reasons.join("; "), {
    hint: `install one: npm install --ignore-scripts onnxruntime-node@1.30.0`,
  });
}
