/** Pages in a real Chromium, served from this machine and cut off from every other. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome"];

/** Chromium's program: $CHROMIUM, or the one that is installed; undefined where there is none. */
export const executablePath =
  process.env.CHROMIUM ||
  names.map((name) => spawnSync("which", [name], { encoding: "utf8" }).stdout?.trim()).find((path) => path);

const types: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/** What lets a page have threads: without it there is no SharedArrayBuffer. */
export const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export interface Site {
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly requests: readonly string[];
  close(): void;
}

/** Serves a folder on a free port of 127.0.0.1. */
export async function serve(folder: string, headers: Readonly<Record<string, string>> = isolation): Promise<Site> {
  const requests: string[] = [];
  const server: Server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://127.0.0.1");
    requests.push(pathname);
    try {
      const body = readFileSync(join(folder, pathname.endsWith("/") ? `${pathname}index.html` : pathname));
      response.setHeader("Content-Type", types[extname(pathname) || ".html"] ?? "application/octet-stream");
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
      const part = range === null ? body : body.subarray(Number(range[1]), Number(range[2]) + 1);
      response.writeHead(range === null ? 200 : 206, { "Content-Length": part.byteLength });
      response.end(request.method === "HEAD" ? undefined : part);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    close: () => void server.close(),
  };
}

export interface Visitor {
  /** Opens a page in a profile of its own. */
  visit(url: string): Promise<Visit>;
  close(): Promise<void>;
}

export interface Visit {
  readonly page: Page;
  /** What the page wrote to its console, and errors nobody caught. */
  readonly complaints: readonly string[];
  /** Requests for anything but this machine; they were refused. */
  readonly foreign: readonly string[];
}

/** Starts Chromium. It resolves no name, so whatever a page or its workers ask of the world fails. */
export async function openChromium(): Promise<Visitor> {
  const browser: Browser = await chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
  });
  return {
    close: () => browser.close(),
    async visit(url) {
      const context = await browser.newContext();
      const page = await context.newPage();
      const complaints: string[] = [];
      const foreign: string[] = [];
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
      context.on("request", (request) => {
        const { protocol, hostname } = new URL(request.url());
        if (/^(http|ws)s?:$/.test(protocol) && hostname !== "127.0.0.1") foreign.push(request.url());
      });
      await page.goto(url);
      return { page, complaints, foreign };
    },
  };
}
