/** Looks at the machine from outside: which processes and scratch directories are there? Linux only. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const onLinux = existsSync("/proc/self/stat");

/** Ids of running processes whose parent is `parent`. */
function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === parent);
}

/** Whether a process is there and not merely waiting to be counted as dead. */
export const isRunning = (pid: number): boolean => parentOf(pid) !== undefined;

function parentOf(pid: number): number | undefined {
  try {
    // "pid (name) state ppid …": the name may hold anything, also parentheses
    const [state, ppid] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return state === "Z" ? undefined : Number(ppid);
  } catch {
    return undefined; // gone meanwhile
  }
}

/** The session processes of this program. */
export function ortChildren(parent = process.pid): number[] {
  return childrenOf(parent).filter((pid) => {
    try {
      return /ortNode\/child\.js|misbehaving\.mjs/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
    } catch {
      return false;
    }
  });
}

/** Scratch directories of the program with this process id. */
export function scratchOf(pid = process.pid): string[] {
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith("lowbit-") && name.split("-")[2] === String(pid))
    .map((name) => join(tmpdir(), name));
}

/** Waits until `done` holds; says whether it did in time. */
export async function within(ms: number, done: () => boolean): Promise<boolean> {
  for (const start = performance.now(); performance.now() - start < ms; ) {
    if (done()) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return done();
}
