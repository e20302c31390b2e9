// Every example of test/pictures on one page: `node scripts/gallery.mjs` → out/gallery.html. With --accept, pictures
// that a test run found changed replace their goldens: look at the page first, then accept.
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const pictures = `${root}test/pictures/`;
const golden = `${pictures}golden/`;

/** @param {string} folder */
const changedIn = (folder) => readdirSync(folder).filter((name) => name.includes("-changed."));
const changed = changedIn(golden);
if (process.argv.includes("--accept")) {
  for (const folder of [golden, `${root}test/report/golden/`]) {
    for (const name of changedIn(folder)) {
      renameSync(folder + name, folder + name.replace("-changed.", "."));
      console.log(`accepted ${name}`);
    }
  }
  process.exit(0);
}

const alias = [{ find: /^#(.+)$/, replacement: `${root}src/$1.ts` }];
const server = await createServer({
  root,
  configFile: false,
  logLevel: "error",
  resolve: { alias },
  server: { middlewareMode: true, hmr: false, ws: false },
  appType: "custom",
});
/** @param {string} path */
const load = (path) => server.ssrLoadModule(path);
const sections = [];
for (const file of readdirSync(pictures)
  .filter((name) => name.endsWith(".ts"))
  .sort()) {
  const chart = file.replace(/\.ts$/, "");
  const isChart = readFileSync(pictures + file, "utf8").includes(`from "#report/charts/${chart}"`);
  if (!isChart) continue;
  const examples = Object.entries(await load(`${pictures}${file}`));
  const figures = examples.map(([name, draw]) => {
    const before = changed.includes(`${chart}-${name}-changed.svg`)
      ? image(readFileSync(`${golden}${chart}-${name}.svg`, "utf8"))
      : "";
    return `<figure><figcaption>${name}${before === "" ? "" : ": before and now"}</figcaption>${before}${image(draw())}</figure>`;
  });
  sections.push(`<section><h2>${chart}</h2>${figures.join("\n")}</section>`);
}
const { reportHtml } = await load(`${root}src/report/html.ts`);
const { fixtureReport } = await load(`${root}test/report/fixtureReport.ts`);
await server.close();

mkdirSync(`${root}out`, { recursive: true });
writeFileSync(`${root}out/report.html`, reportHtml(fixtureReport));
writeFileSync(
  `${root}out/gallery.html`,
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>lowbit: pictures</title>
<style>:root{color-scheme:light dark}body{font:15px system-ui,sans-serif;margin:2rem}figure{margin:0 0 2rem}img{max-width:100%;border:1px solid #8884;border-radius:6px}figcaption{margin:.3rem 0;opacity:.7}</style>
<h1>Pictures</h1><p>The HTML report of the fixture: <a href="report.html">report.html</a>.</p>
${sections.join("\n")}</html>
`,
);
console.log(`out/gallery.html: ${sections.length} charts${changed.length === 0 ? "" : `, ${changed.length} changed`}`);

/**
 * As an image, so that each picture is alone with its style, as in a README.
 * @param {string} svg
 */
function image(svg) {
  return `<img alt="" src="data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}">`;
}
