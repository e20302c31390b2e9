/** Which samples calibrate and which judge. */
import type { Diagnostic } from "#base/errors";
import { spread, take, without } from "#data/spread";
import type { Dataset } from "#data/types";
import type { CalibrationData } from "#methods/calibrate/calibrate";
import type { Tensors } from "#model/session";

export interface Split {
  readonly calibration: CalibrationData;
  readonly evaluation: Dataset;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * `calibrate` samples spread evenly over the data for calibration, all others for judging. Data too small for that does both,
 * with a diagnostic: then the judgement is too kind.
 */
export function splitData(data: Dataset, calibrate: number): Split {
  const enough = data.length > calibrate;
  const picked = enough ? spread(data.length, calibrate) : spread(data.length, data.length);
  const diagnostics: Diagnostic[] = [...data.diagnostics];
  if (!enough) {
    diagnostics.push({
      code: "data/same-samples",
      level: "warning",
      message: `${data.name} has ${data.length} samples: all of them both calibrate and judge, which flatters the result`,
      hint: `give more data, or calibrate on fewer (--calibrate ${Math.max(1, Math.floor(data.length / 5))})`,
    });
  }
  return {
    calibration: calibrationData(take(data, picked)),
    evaluation: enough ? take(data, without(data.length, picked)) : data,
    diagnostics,
  };
}

/** Samples up to this many bytes are kept after the first pass: decoding a photo takes longer than running most models on it. */
const keptBytes = 256 * 2 ** 20;

function calibrationData(data: Dataset): CalibrationData {
  const kept = new Map<number, Tensors>();
  let bytes = 0;
  return {
    name: data.name,
    length: data.length,
    async feeds(index) {
      const known = kept.get(index);
      if (known !== undefined) return known;
      const { inputs } = await data.sample(index);
      const size = Object.values(inputs).reduce(
        (sum, { data: values }) => sum + (ArrayBuffer.isView(values) ? values.byteLength : 0),
        0,
      );
      if (bytes + size <= keptBytes) {
        kept.set(index, inputs);
        bytes += size;
      }
      return inputs;
    },
  };
}
