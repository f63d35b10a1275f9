import type { ArgumentsCamelCase, CommandModule } from 'yargs'
import { AgentError } from '../core/errors.ts'
import { HOW_TO_RESUME } from '../core/fleet/group.ts'
import type { FleetView } from '../core/fleet/view.ts'
import { renderFleet } from '../report/fleet.ts'
import { fleetPage } from '../report/fleet-page.ts'
import { shownJson } from '../report/json.ts'
import { renderProblems } from '../report/status.ts'
import type { App } from '../stories/app.ts'
import { controlOf, fleetOf } from '../stories/fleet/control.ts'
import type { Environment } from './environment.ts'
import { type CommonArgs, type CommonOptions, withCommon } from './options.ts'
import { UsageError } from './usage-error.ts'
import { watchFleet } from './watch-fleet.ts'

interface StatusArgs extends CommonArgs {
  watch: boolean
  html: string | undefined
}

export function fleetCommand(environment: Environment): CommandModule {
  return {
    command: 'fleet',
    describe: 'show the rollout from any host, halt it, release a slot',
    builder: (yargs) =>
      yargs
        .command(statusCommand(environment))
        .command(releaseCommand(environment))
        .command(haltCommand(environment))
        .command(resumeCommand(environment))
        .demandCommand(1, 'name what to do: fleet status, release HOST, halt or resume')
        .example('$0 fleet status --watch', 'follow the rollout from any host')
        .example("$0 fleet halt 'packet loss in rack 4'", 'let no other host start, and say why')
        .example('$0 fleet resume', 'end the halt')
        .example('$0 fleet release node-17', 'this host is gone for good: free its slot'),
    handler: () => undefined,
  }
}

function statusCommand(environment: Environment): CommandModule<object, StatusArgs> {
  return {
    command: 'status',
    describe: 'show which hosts are done, at work, waiting or failed, and why',
    builder: (yargs) =>
      withCommon(yargs)
        .option('watch', { type: 'boolean', default: false, describe: 'go on showing it as it changes' })
        .option('html', {
          type: 'string',
          requiresArg: true,
          describe: 'draw the rollout into this HTML `FILE`',
        })
        .check(({ watch, html }) => {
          if (watch && html !== undefined) throw new UsageError('use --watch or --html, not both')
          return true
        }),
    handler: (options) => act(environment, options, (app) => showStatus(environment, options, app)),
  }
}

async function showStatus(
  environment: Environment,
  { watch, html, json }: ArgumentsCamelCase<StatusArgs>,
  app: App,
): Promise<void> {
  const { print, text } = environment
  const control = controlOf(app)
  if (watch) {
    await watchFleet(environment, () => control.view(), json)
    return
  }
  const view = await control.view()
  if (html !== undefined)
    await environment.writeFile(html, fleetPage(view, app.ports.clock.date(), app.runs.host?.name ?? null))
  if (json) print(shownJson(documentOf(view)))
  else if (html === undefined) print(renderFleet(view, { ...text, now: app.ports.clock.date() }))
  else print(`wrote the rollout of group ${view.group} to ${html}`)
}

function releaseCommand(
  environment: Environment,
): CommandModule<object, CommonArgs & { host: string | undefined }> {
  return {
    command: 'release <host>',
    describe: 'free the slot of a HOST that does not come back',
    builder: (yargs) =>
      withCommon(yargs).positional('host', { type: 'string', describe: 'as fleet status shows it' }),
    handler: (options) =>
      change(environment, options, async (app) => {
        const fleet = fleetOf(app)
        const host = options.host ?? ''
        await fleet.release(host)
        return { text: `${host} has no slot of ${fleet.name} any more: another host may start` }
      }),
  }
}

function haltCommand(
  environment: Environment,
): CommandModule<object, CommonArgs & { reason: string | undefined }> {
  return {
    command: 'halt [reason]',
    describe: 'stop further hosts from starting; hosts at work finish',
    builder: (yargs) =>
      withCommon(yargs).positional('reason', { type: 'string', describe: 'shown to whoever asks why' }),
    handler: (options) =>
      change(environment, options, async (app) => {
        await controlOf(app).halt(options.reason ?? 'halted by an operator')
        return { text: `${fleetOf(app).name} is halted; ${HOW_TO_RESUME}` }
      }),
  }
}

function resumeCommand(environment: Environment): CommandModule<object, CommonArgs> {
  return {
    command: 'resume',
    describe: 'let the hosts start again, also with a target that has failed',
    builder: withCommon,
    handler: (options) =>
      change(environment, options, async (app) => {
        const wasHalted = await controlOf(app).resume()
        const { name } = fleetOf(app)
        return {
          text: wasHalted ? `${name} is no longer halted` : `${name} was not halted`,
          changed: wasHalted,
        }
      }),
  }
}

/** Changes what the hosts share, and says what has come of it. */
async function change(
  environment: Environment,
  options: CommonOptions,
  work: (app: App) => Promise<{ text: string; changed?: boolean }>,
): Promise<void> {
  await act(environment, options, async (app) => {
    const { text, changed = true } = await work(app)
    environment.print(options.json ? shownJson({ schema: 1, changed, text, problems: [] }) : text)
  })
}

function documentOf(view: FleetView): object {
  return { schema: 1, ...view, problems: [] }
}

async function act(
  { open, print, exit, text }: Environment,
  options: CommonOptions,
  work: (app: App) => Promise<void>,
): Promise<void> {
  try {
    const { app, end } = await open(options, { target: false, withoutManifest: true, progress: false })
    await work(app)
    end()
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    const problems = error.asProblems()
    print(options.json ? shownJson({ schema: 1, changed: false, problems }) : renderProblems(problems, text))
    exit(error.exitCode)
  }
}
