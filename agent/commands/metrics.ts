import type { ArgumentsCamelCase, CommandModule } from 'yargs'
import { AgentError, type ExitCode, type Problem } from '../core/errors.ts'
import { emptyMetricsReport, type MetricsReport } from '../core/report/metrics.ts'
import { shownJson } from '../report/json.ts'
import { renderProblems } from '../report/status.ts'
import type { Environment } from './environment.ts'
import { type CommonArgs, type CommonOptions, withCommon } from './options.ts'

interface MetricsArgs extends CommonArgs {
  output: string | undefined
}

export function metricsCommand(environment: Environment): CommandModule<object, MetricsArgs> {
  return {
    command: 'metrics',
    describe: "print this host's metrics, for node_exporter's textfile collector",
    builder: (yargs) =>
      withCommon(yargs)
        .option('output', {
          type: 'string',
          requiresArg: true,
          describe: 'replace this `FILE` in one rename, for everyone to read, instead of printing them',
        })
        .example('$0 metrics', 'see the metrics')
        .example(
          '$0 metrics --output /var/lib/prometheus/node-exporter/calico-agent.prom',
          'write them for node_exporter, as calico-agent-metrics.timer does',
        ),
    handler: (options) => show(environment, options),
  }
}

async function show(
  environment: Environment,
  { output, ...options }: ArgumentsCamelCase<MetricsArgs>,
): Promise<void> {
  const { print, writeFile } = environment
  try {
    const { report, text } = await collect(environment, options)
    if (output !== undefined) await writeFile(output, text, 0o644)
    if (options.json) print(shownJson(report))
    else if (output === undefined) print(text.trimEnd())
    if (!options.json) warn(environment, report.problems)
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    fail(environment, options, error.asProblems(), error.exitCode)
  }
}

async function collect(
  { version, open, loadConfig, figures }: Environment,
  options: CommonOptions,
): Promise<{ report: MetricsReport; text: string }> {
  // Loaded when it is needed: every other command starts without it.
  const { gather } = await import('../service/metrics/gather.ts')
  const { exposition, reportOf } = await import('../service/metrics/exposition.ts')
  const { metricsOf } = await import('../service/metrics/metrics.ts')
  const { facts, problems } = await gather({
    version,
    loadConfig: () => loadConfig(options),
    figures: figures(options),
    open: (config, emit, signal) =>
      open(options, { target: false, progress: false }, { config, emit, signal, wait: null }),
  })
  const metrics = metricsOf(facts)
  const { text } = await exposition(metrics, 'prometheus')
  return { report: { schema: 1, metrics: reportOf(metrics), problems }, text }
}

/** Stdout has the metrics. */
function warn({ text: { color } }: Environment, problems: Problem[]): void {
  if (problems.length > 0) process.stderr.write(`${renderProblems(problems, { color })}\n`)
}

function fail(
  environment: Environment,
  { json }: CommonOptions,
  problems: Problem[],
  exitCode: ExitCode,
): void {
  if (json) environment.print(shownJson(emptyMetricsReport(problems)))
  else warn(environment, problems)
  environment.exit(exitCode)
}
