import { type Parsed, picked } from "#cli/options";
import { watched } from "#cli/progress";
import { print, terminal } from "#cli/show";
import { benchKernels, kernelBenchText } from "#node";

/** `lowbit bench kernels`. */
export async function bench(parsed: Parsed): Promise<void> {
  const report = await watched(parsed.quiet === true, (job) => benchKernels({ ...picked(parsed, ["only"]), ...job }));
  print(parsed.json === true ? JSON.stringify(report) : kernelBenchText(report, terminal()));
}
