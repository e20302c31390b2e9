import { blockCases } from "#targets/acceptance/cases/blocks";
import { ceilingCases } from "#targets/acceptance/cases/ceilings";
import { decodingCases } from "#targets/acceptance/cases/decoding";
import { fusionCases } from "#targets/acceptance/cases/fusion";
import { integerCases } from "#targets/acceptance/cases/integer";
import { linearCases } from "#targets/acceptance/cases/linear";
import { matMulNBitsCases } from "#targets/acceptance/cases/matMulNBits";
import { quirkCases } from "#targets/acceptance/cases/quirks";
import { standardCases } from "#targets/acceptance/cases/standard";
import type { AcceptanceCase } from "#targets/acceptance/types";

/** Every question that runtimes are asked, in the order of the tables. */
export const acceptanceCases: readonly AcceptanceCase[] = [
  ...fusionCases,
  ...linearCases,
  ...integerCases,
  ...matMulNBitsCases,
  ...blockCases,
  ...decodingCases,
  ...standardCases,
  ...quirkCases,
  ...ceilingCases,
];
