import type { JobOptions } from "#base/progress";
import { measureHost } from "#methods/plan/measureHost";
import type { OpenSession } from "#model/session";
import type { AcceptanceReport, CostsReport, DoctorReport, PackageReport, RuntimeReport } from "#report/doctorReport";
import type { Runtime } from "#runtimes/types";
import { acceptances, countVerdicts, type TargetName } from "#targets/acceptance/index";
import { changedRows, measureAcceptance } from "#targets/acceptance/measure";
import { emptyCosts, type HostCosts } from "#targets/hostCosts";
import { measureKernelSpeeds } from "#targets/kernelSpeeds";
import { opsetCeiling } from "#targets/opsetCeiling";
import { webAssemblyFeatures } from "#kernels/webAssemblyFeatures";
import { type Environment, sessionOpener } from "#verbs/environment";
import { platformOf } from "#verbs/platform";

export interface DoctorOptions extends JobOptions {
  /** Looks at this runtime only, by its registry name. Default: at all. */
  readonly runtime?: Runtime;
  /**
   * Asks the runtimes all questions of their tables again, forgets all measured costs and measures those of the machine anew: about
   * a minute. Default: costs of the machine are measured where they are not known yet.
   */
  readonly refresh?: boolean;
  /** Optional packages of this platform. */
  readonly packages?: () => Promise<readonly PackageReport[]>;
}

/** What this machine has, what its runtimes can do, and what operators cost on it. Never fails for a runtime that does not work. */
export async function doctor(environment: Environment, options: DoctorOptions = {}): Promise<DoctorReport> {
  const chosen = options.runtime === undefined ? Object.values(environment.runtimes) : [options.runtime];
  const runtimes: RuntimeReport[] = [];
  for (const runtime of chosen) runtimes.push(await examine(environment, runtime, options));
  return {
    version: 1,
    tool: environment.tool,
    platform: platformOf(environment.processor),
    webAssembly: webAssemblyFeatures() ?? null,
    runtimes,
    packages: (await options.packages?.()) ?? [],
  };
}

async function examine(environment: Environment, runtime: Runtime, options: DoctorOptions): Promise<RuntimeReport> {
  const { name } = runtime;
  const version = await runtime.version();
  if (version === undefined) return { name, version: null, why: (await runtime.why()) ?? "it does not say why" };
  if (!isTarget(name)) return { name, version };
  const openSession = sessionOpener(environment, runtime);
  return {
    name,
    version,
    acceptance: await acceptanceOf(name, version, openSession, options),
    costs: await costsOf(environment, `${name} ${version}`, openSession, options),
  };
}

function isTarget(name: string): name is TargetName {
  return Object.hasOwn(acceptances, name);
}

async function acceptanceOf(
  name: TargetName,
  version: string,
  openSession: OpenSession,
  options: DoctorOptions,
): Promise<AcceptanceReport> {
  const { rows, ...asked } = acceptances[name];
  const table = { ...asked, rows };
  const report = {
    asked,
    sameVersion: asked.runtime === `${name} ${version}`,
    counts: countVerdicts(table),
    ceiling: opsetCeiling(table),
  };
  if (options.refresh !== true) return report;
  // only now: the questions are some hundred models
  const { acceptanceCases } = await import("#targets/acceptance/cases");
  const now = await measureAcceptance(acceptanceCases, openSession, asked, options);
  const changes = changedRows(table, now).flatMap(({ id, before, now: row }) =>
    before === undefined || row === undefined ? [] : [{ id, before: before.verdict, now: row }],
  );
  return { ...report, again: { asked: acceptanceCases.length, changes } };
}

async function costsOf(
  environment: Environment,
  runtime: string,
  openSession: OpenSession,
  options: DoctorOptions,
): Promise<CostsReport> {
  const host = `${runtime} · ${environment.processor}`;
  const known = options.refresh === true ? undefined : await environment.costs.load(host);
  const costs = await measured(known ?? emptyCosts(host), openSession, options);
  if (costs !== known) await environment.costs.save(costs);
  return {
    label: "measured",
    when: costs === known ? "before" : "now",
    borders: costs.borders ?? null,
    saturates: costs.saturates ?? false,
    speeds: costs.speeds ?? [],
  };
}

/** The table with what the machine costs; the same object when it holds that already. */
async function measured(known: HostCosts, openSession: OpenSession, options: DoctorOptions): Promise<HostCosts> {
  if (known.saturates !== undefined && known.speeds !== undefined) return known;
  const host = await measureHost(known, openSession);
  return { ...host, speeds: host.speeds ?? (await measureKernelSpeeds(openSession, options)) };
}
