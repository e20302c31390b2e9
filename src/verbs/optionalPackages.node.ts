import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { PackageReport } from "#report/doctorReport";

const optional = [
  { name: "sharp", purpose: "JPEG, WebP and other images", install: "npm install sharp" },
  {
    name: "@huggingface/tokenizers",
    purpose: "text as calibration data",
    install: "npm install @huggingface/tokenizers",
  },
] as const;

/** Optional packages of Node, each loaded once to see that it works: a native package may be there and not fit. */
export function optionalPackages(): Promise<PackageReport[]> {
  return Promise.all(
    optional.map(async (row): Promise<PackageReport> => {
      const version = await installedVersion(row.name);
      if (version === undefined) return { ...row, version: null, why: "not installed" };
      try {
        await import(row.name);
        return { ...row, version };
      } catch (error) {
        const [why] = (error instanceof Error ? error.message : String(error)).split("\n");
        return { ...row, version: null, why };
      }
    }),
  );
}

/** As its package.json says, wherever Node would look for it. */
async function installedVersion(name: string): Promise<string | undefined> {
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    const text = await readFile(join(folder, name, "package.json"), "utf8").catch(() => undefined);
    if (text !== undefined) return String((JSON.parse(text) as { version?: unknown }).version);
  }
  return undefined;
}
