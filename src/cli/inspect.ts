import { print, terminal } from "#cli/show";
import { inspectFile, inspectText } from "#node";

export async function inspect(model: string, { json }: { readonly json?: boolean }): Promise<void> {
  const inspection = await inspectFile(model);
  print(json === true ? JSON.stringify(inspection) : inspectText(inspection, terminal()));
}
