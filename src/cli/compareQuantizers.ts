import { writeFile } from "node:fs/promises";
import { type Parsed, picked } from "#cli/options";
import { watched } from "#cli/progress";
import { print, terminal } from "#cli/show";
import { compareQuantizers as compare, compareQuantizersText, open, quantizerPictures } from "#node";

export async function compareQuantizers(path: string, parsed: Parsed): Promise<void> {
  const { json, quiet, svg, schemes } = parsed as { json?: boolean; quiet?: boolean; svg?: string; schemes?: string };
  const chosen = schemes === undefined ? {} : { schemes: schemes.split(",").map((scheme) => scheme.trim()) };
  const model = await open(path);
  const comparison = await watched(quiet === true, (job) =>
    compare(model, { ...picked(parsed, ["layer", "seed"]), ...chosen, ...job }),
  );
  const files: string[] = [];
  if (svg !== undefined) {
    for (const [name, picture] of Object.entries(quantizerPictures(comparison))) {
      const file = name === "rateDistortion" ? svg : svg.replace(/(\.svg)?$/i, `.${name}.svg`);
      await writeFile(file, picture);
      files.push(file);
    }
  }
  if (json === true) return print(JSON.stringify(comparison));
  print(compareQuantizersText(comparison, terminal()));
  for (const file of files) print(`picture: ${file}`);
}
