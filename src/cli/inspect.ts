import { print, terminal } from "#cli/show";
import { inspectFile, inspectTensorFile, inspectText, tensorFormat, tensorInspectionText } from "#node";

export async function inspect(model: string, { json = false }: { readonly json?: boolean }): Promise<void> {
  if ((await tensorFormat(model)) === "onnx") {
    const inspection = await inspectFile(model);
    print(json ? JSON.stringify(inspection) : inspectText(inspection, terminal()));
  } else {
    const inspection = await inspectTensorFile(model);
    print(json ? JSON.stringify(inspection) : tensorInspectionText(inspection, terminal()));
  }
}
