import { type Tensor, toNumbers } from "#model/tensor";

/** How many answers are right: the largest element of each row of `scores`, against a label, or against the teacher's largest. */
export function countAnswers(
  scores: Tensor,
  wanted: Tensor,
  classes: number,
): { readonly right: number; readonly judged: number } {
  const values = toNumbers(scores);
  const goal = toNumbers(wanted);
  const labels = goal.length * classes === values.length;
  let right = 0;
  let judged = 0;
  for (let at = 0, row = 0; at < values.length; at += classes, row++) {
    const goalClass = labels ? goal[row] : largest(goal, at, classes);
    if (goalClass < 0) continue; // does not count
    judged++;
    if (largest(values, at, classes) === goalClass) right++;
  }
  return { right, judged };
}

/** Index of the largest of `count` elements from `at`; the first of equal ones. */
function largest(values: ArrayLike<number>, at: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (values[at + i] > values[at + best]) best = i;
  return best;
}
