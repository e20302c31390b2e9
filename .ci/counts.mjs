// "PASSED FAILED" of a vitest run, from its JSON report and its exit status. A file that could not be loaded counts as one failure,
// and so does a run that failed without saying what.
import { readFileSync } from "node:fs";

const [, , path, status] = process.argv;
let passed = 0;
let failed = 0;
try {
  const report = JSON.parse(readFileSync(path, "utf8"));
  passed = report.numPassedTests;
  failed = report.numFailedTests;
  for (const file of report.testResults)
    if (file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed")) failed++;
} catch (error) {
  console.error(`no counts: ${error}`);
}
if (status !== "0" && failed === 0) failed = 1;
console.log(passed, failed);
