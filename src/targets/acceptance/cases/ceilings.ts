/** How new a file may be: operator sets and file versions (IR), tried with the simplest of models. */
import { Sketch } from "#targets/acceptance/sketch";
import type { AcceptanceCase } from "#targets/acceptance/types";

const opsets = [7, 13, 17, 20, 21, 22, 23, 24, 25, 26, 27, 28];
const irVersions = [3, 8, 10, 11, 12, 13, 14, 15];

function simplest(
  id: string,
  about: string,
  options: { readonly opset: number; readonly irVersion?: number },
): AcceptanceCase {
  const sketch = new Sketch(id, options);
  const x = sketch.input(sketch.floats([4]));
  sketch.output(sketch.node("Add", [x, x]));
  return sketch.finish(about, 0);
}

export const ceilingCases: readonly AcceptanceCase[] = [
  ...opsets.map((opset) =>
    simplest(`opset/${opset}`, `operator set ${opset}`, { opset, ...(opset > 25 ? { irVersion: 13 } : {}) }),
  ),
  ...irVersions.map((irVersion) =>
    simplest(`ir/${irVersion}`, `file version (IR) ${irVersion}`, { opset: 7, irVersion }),
  ),
];
