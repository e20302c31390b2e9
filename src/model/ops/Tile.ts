import type { Dim } from "#model/model";
import { normalizeAxis } from "#model/ops/axes";
import { isStatic, multiplyDims } from "#model/ops/dims";
import { contentOf, integersOf, unknownDims } from "#model/ops/known";
import { movement, type MoveContext, unplanned } from "#model/ops/move";
import { offsetsOf, stridesOf } from "#model/ops/strides";

/** The input repeated on every axis. Before operator set 6: `tiles` times on one `axis`, both inputs. */
export const Tile = movement("Tile", (context) => {
  const { shape } = context.x;
  if (shape === undefined) return unplanned;
  const repeats = repeatsOf(context, shape.length);
  if (repeats === undefined) return { shape: unknownDims(shape.length) };
  const dims: readonly Dim[] = shape.map((dim, axis) => multiplyDims(dim, repeats[axis] ?? null));
  if (!isStatic(shape) || !isStatic(dims)) return { shape: dims };
  const strides = stridesOf(shape);
  const terms = () => dims.map((dim, a) => Int32Array.from({ length: dim }, (_, i) => (i % shape[a]) * strides[a]));
  return { shape: dims, offsets: () => offsetsOf(terms()) };
});

function repeatsOf({ node, opset, inputs }: MoveContext, rank: number): readonly Dim[] | undefined {
  if (opset >= 6) return contentOf(inputs[1]);
  const [tiles, axis] = [integersOf(inputs[1])?.[0], integersOf(inputs[2])?.[0]];
  if (tiles === undefined || axis === undefined) return undefined;
  const tiled = normalizeAxis(node, axis, rank);
  return Array.from({ length: rank }, (_, a) => (a === tiled ? tiles : 1));
}
