/** The command line as people run it: a process of its own, with its own cache, in a folder of its own. */
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compilePackage } from "../runtimes/compiled";

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Lowbit {
  /** Holds the folder `work`, where commands run, and the cost table. */
  readonly work: string;
  start(args: readonly string[], options?: SpawnOptions): ChildProcess;
  run(args: readonly string[], options?: SpawnOptions): Promise<Finished>;
  /** Empties `work`. */
  clear(): void;
  remove(): void;
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const dependencies = ["commander", "valibot", "onnxruntime-node", "onnxruntime-web", "onnxruntime-common", "sharp"];

/** The package's own dist/ where it is as new as src/, or else one compiled for this test. */
export function installLowbit(): Lowbit {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "cli-test-")));
  const compiled = isBuilt() ? undefined : compilePackage(dependencies);
  const main = join(compiled?.path ?? root, "dist/cli/main.js");
  const work = join(base, "work");
  const started = new Set<ChildProcess>();
  const start = (args: readonly string[], options: SpawnOptions = {}): ChildProcess => {
    const env = { ...process.env, NO_COLOR: "1", LOWBIT_CACHE: join(base, "cache"), ...options.env };
    const child = spawn(process.execPath, [main, ...args], { stdio: "pipe", cwd: base, ...options, env });
    started.add(child);
    child.once("close", () => started.delete(child));
    return child;
  };
  return {
    work,
    start,
    run: (args, options) => finished(start(args, options)),
    clear() {
      rmSync(work, { recursive: true, force: true });
    },
    remove() {
      for (const child of started) child.kill("SIGKILL"); // a test that failed may have left it
      compiled?.remove();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

export function finished(child: ChildProcess): Promise<Finished> {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

function isBuilt(): boolean {
  const main = join(root, "dist/cli/main.js");
  if (!existsSync(main)) return false;
  const built = statSync(main).mtimeMs;
  return readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).every(
    (file) => file.endsWith(".test.ts") || statSync(join(root, "src", file)).mtimeMs <= built,
  );
}
