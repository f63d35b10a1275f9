import type { ArgumentsCamelCase, Argv } from 'yargs'
import { PARTS } from '../core/wanted.ts'
import { COMMON_OPTIONS } from './help/help.ts'

export interface CommonArgs {
  config: string | undefined
  json: boolean
  'log-level': LogLevel | undefined
  'state-dir': string
  'docker-socket': string | undefined
}

interface WindowArgs {
  window: number | undefined
}

interface SwapArgs extends WindowArgs {
  allow: string[]
}

/** The images to upgrade to. */
interface ImageArgs extends CommonArgs {
  to: string | undefined
  node: string | undefined
  cni: string | undefined
  controllers: string | undefined
}

/** The flags that have a key in the config. */
export type ConfigFlagArgs = ImageArgs & WindowArgs

export interface TargetArgs extends ImageArgs {
  only: string | undefined
}

export interface PlanArgs extends TargetArgs, SwapArgs {
  diff: boolean
}

export interface UpgradeArgs extends PlanArgs {
  check: boolean
  wait: string | undefined
}

export interface RollbackArgs extends CommonArgs, SwapArgs {
  run: string | undefined
  check: boolean
}

/** What a command gets: what every command has, and what some have. */
export type CommonOptions = ArgumentsCamelCase<CommonArgs & Partial<TargetArgs & UpgradeArgs>>

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
type LogLevel = (typeof LOG_LEVELS)[number]

export const DEFAULT_CONFIG = '/etc/calico-agent/agent.yaml'
export const DEFAULT_STATE_DIR = '/var/lib/calico-agent'

export function withCommon<T>(yargs: Argv<T>): Argv<T & CommonArgs> {
  return yargs
    .option('config', {
      type: 'string',
      requiresArg: true,
      describe: `config \`FILE\` (default ${DEFAULT_CONFIG})`,
    })
    .option('json', { type: 'boolean', default: false, describe: 'print one JSON document on stdout' })
    .option('log-level', {
      choices: LOG_LEVELS,
      describe: 'lowest `LEVEL` to log on stderr: debug, info, warn, error or silent',
    })
    .option('state-dir', {
      type: 'string',
      requiresArg: true,
      default: DEFAULT_STATE_DIR,
      describe: `\`DIR\` of the journals and the lock (default ${DEFAULT_STATE_DIR})`,
    })
    .option('docker-socket', {
      type: 'string',
      requiresArg: true,
      describe: "`PATH` of the Docker Engine's socket",
    })
    .group(['config', 'json', 'log-level', 'state-dir', 'docker-socket', 'help', 'version'], COMMON_OPTIONS)
}

export function withConfigFlags<T>(yargs: Argv<T>): Argv<T & ConfigFlagArgs> {
  return withWindow(withImages(yargs))
}

export function withTarget<T>(yargs: Argv<T>): Argv<T & TargetArgs> {
  return withImages(yargs).option('only', {
    type: 'string',
    requiresArg: true,
    describe: `only these \`PARTS\`, comma-separated: ${PARTS.join(', ')}`,
  })
}

function withImages<T>(yargs: Argv<T>): Argv<T & ImageArgs> {
  return withCommon(yargs)
    .option('to', {
      type: 'string',
      requiresArg: true,
      describe: 'Calico `RELEASE` to upgrade to, such as v2.6.12',
    })
    .option('node', {
      type: 'string',
      requiresArg: true,
      describe: 'calico/node `IMAGE`, by tag or digest; overrides --to',
    })
    .option('cni', {
      type: 'string',
      requiresArg: true,
      describe: '`SOURCE` of the CNI plugins: an image, a directory or an archive',
    })
    .option('controllers', {
      type: 'string',
      requiresArg: true,
      describe: 'kube-controllers `IMAGE`, by tag or digest; overrides --to',
    })
}

export function withPlan<T>(yargs: Argv<T>): Argv<T & PlanArgs> {
  return withSwap(withTarget(yargs)).option('diff', {
    type: 'boolean',
    default: false,
    describe: 'show every container field that would change',
  })
}

export function withRollback<T>(yargs: Argv<T>): Argv<T & RollbackArgs> {
  return withSwap(withCommon(yargs))
    .positional('run', { type: 'string', describe: 'a committed run, as history lists it' })
    .option('check', {
      type: 'boolean',
      default: false,
      describe: 'only show what would be put back',
    })
}

function withSwap<T>(yargs: Argv<T>): Argv<T & SwapArgs> {
  return withWindow(yargs).option('allow', {
    type: 'string',
    array: true,
    // One value each time: a run's name behind it is not one more rule.
    nargs: 1,
    default: [] as string[],
    requiresArg: true,
    describe: 'turn this preflight `RULE` into a warning (repeatable)',
  })
}

function withWindow<T>(yargs: Argv<T>): Argv<T & WindowArgs> {
  return yargs.option('window', {
    type: 'number',
    requiresArg: true,
    describe: 'longest window in `SECONDS`: at most 90, and at most the restart time that BIRD announces',
  })
}
