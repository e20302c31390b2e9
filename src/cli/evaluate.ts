import { dataOptions, type Parsed, picked } from "#cli/options";
import { watched } from "#cli/progress";
import { showReport } from "#cli/show";
import { evaluateFile } from "#node";

export async function evaluate(model: string, parsed: Parsed): Promise<void> {
  const against = parsed.against as string | undefined;
  const options = {
    ...dataOptions(parsed),
    ...picked(parsed, ["quantizers"]),
    ...(against === undefined ? {} : { against }),
  };
  showReport(await watched(parsed.quiet === true, (job) => evaluateFile(model, { ...options, ...job })), parsed);
}
