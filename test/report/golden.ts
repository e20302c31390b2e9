/**
 * Compares with a file that a person has looked at. What differs is written beside it as `-changed`, so that both can be
 * opened; `node scripts/gallery.mjs` shows changed pictures next to the old ones, and `--accept` makes them the golden.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect } from "vitest";

export function expectGolden(path: string, text: string): void {
  const changed = path.replace(/(\.\w+)$/, "-changed$1");
  if (existsSync(path) && readFileSync(path, "utf8") === text) {
    rmSync(changed, { force: true });
    return;
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(changed, text);
  expect.fail(`${path} is not what is drawn now: compare it with ${changed}, and if that is right accept it`);
}
