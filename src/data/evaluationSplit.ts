const trains = /(^|[/._-])(train|training|data_batch)/i;
const judges = /(^|[/._-])(test|testing|t10k|val|valid|validation|dev|eval)(?![a-z])/i;

/**
 * Of files or folders that are called train… and test… (or val, t10k, …): the latter, which is what accuracy is told on. Where the
 * names do not tell, all of them.
 */
export function evaluationSplit(names: readonly string[]): readonly string[] {
  const judged = names.filter((name) => judges.test(name) && !trains.test(name));
  return judged.length > 0 && names.some((name) => trains.test(name)) ? judged : names;
}
