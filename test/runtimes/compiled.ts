/** The package as Node runs it, compiled into a directory of its own: for tests of whole programs. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

export interface Compiled {
  readonly path: string;
  /** Starts a program, in a process group of its own, that may import "#runtimes/…". */
  start(program: string): ChildProcess;
  /** Ends what is still running and removes the directory. */
  remove(): void;
}

/** Compiles src/ and links the dependencies named. */
export function compilePackage(dependencies: readonly string[]): Compiled {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "compiled-")));
  // the compiler writes its output also when a file elsewhere in src/ does not type-check
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", join(path, "dist")], { cwd: root });
  cpSync(join(root, "package.json"), join(path, "package.json"));
  mkdirSync(join(path, "node_modules"));
  for (const name of dependencies)
    symlinkSync(join(root, "node_modules", name), join(path, "node_modules", name), "junction");
  const started: ChildProcess[] = [];
  return {
    path,
    start(program) {
      const file = join(path, "program.mjs");
      writeFileSync(file, program);
      const child = spawn(process.execPath, [file], {
        cwd: path,
        detached: true,
        stdio: ["ignore", "pipe", "inherit"],
      });
      started.push(child);
      return child;
    },
    remove() {
      for (const child of started) child.kill("SIGKILL"); // a test that failed may have left it
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** What a program printed and how it ended. */
export async function finished(
  program: ChildProcess,
): Promise<{ output: string; code: number | null; signal: string | null }> {
  let output = "";
  program.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  return new Promise((resolve) => program.once("close", (code, signal) => resolve({ output, code, signal })));
}

/** Resolves when the program has printed `word`. */
export async function printed(program: ChildProcess, word: string): Promise<void> {
  let output = "";
  await new Promise<void>((resolve, reject) => {
    program.stdout?.on("data", (chunk: Uint8Array) => {
      output += new TextDecoder().decode(chunk);
      if (output.includes(word)) resolve();
    });
    program.once("close", () => reject(new Error(`the program ended before it said ${word}: ${output}`)));
  });
}
