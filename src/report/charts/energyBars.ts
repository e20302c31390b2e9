/** What a prediction costs in energy, by a model of the hardware: never a measurement, and drawn so. */
import { barRows } from "#report/charts/barRows";
import { type ChartOptions, svg } from "#report/charts/svg";
import { compared, savingWords } from "#report/comparison";
import { formatMilliJoule } from "#report/format";
import type { Table } from "#report/table";
import type { EnergyReport } from "#report/types";

export function energyBars(energy: EnergyReport, options: ChartOptions = {}): string {
  const { floatMilliJoule, quantizedMilliJoule, model } = energy;
  const most = Math.max(floatMilliJoule, quantizedMilliJoule);
  const format = (value: number) => formatMilliJoule(value, most);
  const row = (name: string, value: number, role: "float" | "quantized") => ({
    name,
    bars: [{ value, role, modelled: true }],
    label: format(value),
    hover: `${name}: ${format(value)}, modelled`,
  });
  const rows = [row("float", floatMilliJoule, "float"), row("quantized", quantizedMilliJoule, "quantized")];
  const words = {
    title: "Energy of one inference, modelled",
    subtitle: `${compared(floatMilliJoule / quantizedMilliJoule, savingWords)}. Not measured: ${model}.`,
    description: rows.map((each) => `${each.hover}.`).join(" "),
  };
  return svg(words, options, (width) =>
    barRows(rows, width, { thickness: 18, format, axisTitle: "modelled energy of one inference" }),
  );
}

export function energyBarsTable(energy: EnergyReport): Table {
  return {
    columns: [{ name: "Modelled" }, { name: "Energy", align: "right" }],
    rows: [
      ["float", formatMilliJoule(energy.floatMilliJoule)],
      ["quantized", formatMilliJoule(energy.quantizedMilliJoule)],
    ],
  };
}
