import { type Parsed, picked } from "#cli/options";
import { watched } from "#cli/progress";
import { print, terminal } from "#cli/show";
import { doctor as examine, doctorText } from "#node";

export async function doctor(parsed: Parsed): Promise<void> {
  const report = await watched(parsed.quiet === true, (job) =>
    examine({ ...picked(parsed, ["target", "refresh"]), ...job }),
  );
  print(parsed.json === true ? JSON.stringify(report) : doctorText(report, terminal()));
}
