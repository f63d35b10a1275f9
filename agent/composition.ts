import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { writeFileAtomic } from './adapters/atomic-file.ts'
import { createBird } from './adapters/bird/bird.ts'
import { createClock } from './adapters/clock.ts'
import { createCniBinaries } from './adapters/cni-binaries/cni-binaries.ts'
import { createCniConfigs } from './adapters/cni-config.ts'
import { createDatastore } from './adapters/datastore.ts'
import { createDialGuard } from './adapters/dial-guard.ts'
import { connectDocker } from './adapters/docker/engine.ts'
import { readHostIdentity } from './adapters/host-identity.ts'
import { acquireHostLock, type HostLock, hostLockHolder } from './adapters/host-lock/host-lock.ts'
import { createKernelRoutes } from './adapters/kernel-routes.ts'
import { createKubelet } from './adapters/kubelet.ts'
import { createKubernetes } from './adapters/kubernetes/kubernetes.ts'
import { createManifests } from './adapters/manifests/manifests.ts'
import { readOwnNamespace } from './adapters/pods/own-namespace.ts'
import { createPodRuntime } from './adapters/pods/pods.ts'
import { createProbe } from './adapters/probe.ts'
import { readRegularFile } from './adapters/read-file.ts'
import { openStateDir, runsDir } from './adapters/state-dir.ts'
import { createSystemd } from './adapters/systemd/systemctl.ts'
import { createUnitFiles } from './adapters/unit-files/unit-files.ts'
import { runCli } from './commands/cli.ts'
import type { Environment, Given, Need, Opened } from './commands/environment.ts'
import { type CommonOptions, DEFAULT_CONFIG } from './commands/options.ts'
import { documentOfFailure } from './commands/usage-error.ts'
import { waitSignal } from './commands/wait-option.ts'
import type { Config } from './config/schema.ts'
import type { HostIdentity } from './core/host-identity.ts'
import { checkAllowed } from './core/preflight.ts'
import { type JournalFiles, RunStore, runName } from './journal/store.ts'
import { type ChosenRuntime, chooseRuntime } from './observe/runtime.ts'
import type { Alerts } from './ports/alerts.ts'
import type { Bird } from './ports/bird.ts'
import type { Clock } from './ports/clock.ts'
import type { CniBinaries } from './ports/cni-binaries.ts'
import type { CniConfigs } from './ports/cni-config.ts'
import type { DialGuard } from './ports/dial-guard.ts'
import type { Docker } from './ports/docker.ts'
import type { Fleet } from './ports/fleet.ts'
import type { KernelRoutes } from './ports/kernel-routes.ts'
import type { Kubelet } from './ports/kubelet.ts'
import type { Kubernetes, Watches } from './ports/kubernetes.ts'
import type { Manifests } from './ports/manifests.ts'
import type { Systemd } from './ports/systemd.ts'
import type { UnitFiles } from './ports/unit-files.ts'
import { OpenRuns } from './program/open-runs.ts'
import { nameProcess } from './program/process-name.ts'
import { Program } from './program/program.ts'
import { createLog, createRunDisplay } from './program/run-display.ts'
import { isTerminal, terminalSize, textOptions } from './program/terminal.ts'
import { bindStep } from './steps/registry.ts'
import type { App } from './stories/app.ts'
import { mayStart, startRules } from './stories/fleet/may-start.ts'
import { pastRuns } from './stories/history/past-runs.ts'

declare const AGENT_VERSION: string | undefined
const version = typeof AGENT_VERSION === 'string' ? AGENT_VERSION : '0.0.0-dev'

/** The adapters by which the agent changes things. */
export interface Outside {
  docker: Docker
  bird: Bird
  routes: KernelRoutes
  dialGuard: DialGuard
  cni: CniBinaries
  configs: CniConfigs
  kubelet: Kubelet
  kubernetes: (Kubernetes & Watches) | null
  /** Null where hosts do not wait for each other. */
  fleet: Fleet | null
  manifests: Manifests
  systemd: Systemd
  unitFiles: UnitFiles
  journals: JournalFiles
}

/**
 * Runs the command line: the only place that constructs adapters. `decorate` may wrap them; test builds put fault
 * points there.
 */
export async function runAgent(decorate = (outside: Outside): Outside => outside): Promise<void> {
  nameProcess()
  const argv = process.argv.slice(2)
  const known = new Map<string, Outside>()
  const openRuns = new OpenRuns()
  const program = new Program({
    journald: process.env['JOURNAL_STREAM'] !== undefined,
    isRunOpen: () => openRuns.any,
    documentOf: (failure) => documentOfFailure(argv, failure),
  })
  const outsideFor = async (config: Config, options: CommonOptions): Promise<Found> => {
    const { isGuess, ...found } = await outsideOf(config, options, openRuns)
    return { ...decorate(found), isGuess }
  }
  const environment: Environment = {
    version,
    text: textOptions,
    loadConfig: (options) => loadConfigOf(options),
    readConfigFile,
    open: (options, need, given) =>
      open(options, need, { connect: connections(options, known, outsideFor), program }, given),
    stopSignal: () => program.stops.listen(),
    log: ({ logLevel }, level) => createLog(logLevel ?? level, program),
    print: (text) => {
      program.print(text)
    },
    stdout: program.screen,
    terminal: () => (isTerminal ? { output: program.screen, size: terminalSize } : null),
    figures: ({ stateDir }) => {
      const runs = new RunStore(runsDir(stateDir), createClock())
      return () => runs.figures()
    },
    pastRuns: (stateDir) => pastRuns(new RunStore(runsDir(stateDir), createClock())),
    writeFile: (path, text, mode) => writeFileAtomic(resolve(path), text, mode === undefined ? {} : { mode }),
    exit: (code) => {
      program.exit(code)
    },
  }
  await program.run(() => runCli(argv, environment))
}

/** The config file with the flags over it. */
async function loadConfigOf(options: CommonOptions, withoutManifest = false): Promise<Config> {
  // Loaded when it is needed: --help and --version read no config.
  const { loadConfig, MAX_MANIFEST_BYTES, mergeFlags, withManifest } = await import('./config/load.ts')
  const file = options.config ?? DEFAULT_CONFIG
  const config = await loadConfig(file, options.config !== undefined, readConfigFile)
  const merged = mergeFlags(config, options)
  if (withoutManifest) return merged
  return await withManifest(merged, (path) => readRegularFile(path, { maxBytes: MAX_MANIFEST_BYTES }))
}

async function readConfigFile(path: string): Promise<Uint8Array | undefined> {
  const { MAX_CONFIG_BYTES } = await import('./config/load.ts')
  return await readRegularFile(path, { maxBytes: MAX_CONFIG_BYTES })
}

async function open(
  options: CommonOptions,
  need: Need,
  { connect, program }: { connect: (config: Config) => Promise<Outside>; program: Program },
  given?: Given,
): Promise<Opened> {
  const { checkTarget, partsOf, wantedOf } = await import('./config/wanted.ts')
  const config = given?.config ?? (await loadConfigOf(options, need.withoutManifest))
  checkAllowed(options.allow ?? [])
  const only = partsOf(options.only)
  const wanted = wantedOf(config, options.allow ?? [], only)
  if (need.target) checkTarget(wanted, options.config ?? DEFAULT_CONFIG, only)

  const clock = createClock()
  const display = given
    ? { emit: given.emit, end: () => undefined }
    : createRunDisplay({ ...options, progress: need.progress }, (step) => bindStep(step).summary, program)
  const { journals, fleet, ...outside } = await connect(config)
  const signal = given?.signal ?? (need.progress ? program.stops.listen() : new AbortController().signal)
  let lock: HostLock | undefined
  const app: App = {
    version,
    fleet,
    wait: await waitOf(config, options, signal, clock, given),
    ports: { ...outside, probe: createProbe(), datastore: createDatastore(), clock },
    runs: new RunStore(journals, clock, await readHostIdentity()),
    lock: async (command) => {
      await openStateDir(options.stateDir)
      lock = await acquireHostLock(options.stateDir, given ? `daemon (${command})` : command)
    },
    unlock: () => {
      lock?.release()
      lock = undefined
    },
    lockHolder: () => hostLockHolder(options.stateDir),
    newRun: () => runName(clock.date(), randomBytes(2).toString('hex')),
    keepRuns: config.retention.runs,
    emit: display.emit,
    signal,
  }
  const end = (): void => {
    display.end()
    lock?.release()
  }
  return { app, wanted, end }
}

function kubernetesOf({ kubernetes }: Config): (Kubernetes & Watches) | null {
  if (!kubernetes) return null
  const { kubeconfig = null, inCluster, node } = kubernetes
  return createKubernetes({ kubeconfig, inCluster, node })
}

async function fleetOf(
  { fleet }: Config,
  { docker, kubernetes }: Pick<Outside, 'docker' | 'kubernetes'>,
): Promise<Fleet | null> {
  if (fleet === undefined) return null
  // Loaded when it is needed: most hosts are of no fleet.
  const { createFleet } = await import('./adapters/fleet/create-fleet.ts')
  const host = async (): Promise<HostIdentity> => {
    const identity = await readHostIdentity()
    // in a container the name is the container's
    const name = await docker.info().then(
      (info) => info.name,
      () => identity.name,
    )
    return { ...identity, name: kubernetes ? (await kubernetes.thisNode(name)).metadata.name : name }
  }
  return createFleet(fleet, { kubernetes, clock: createClock(), host })
}

/** The service waits in any case, and by its rules; a command as long as it is told to. */
async function waitOf(
  { fleet }: Config,
  { wait }: CommonOptions,
  signal: AbortSignal,
  clock: Clock,
  given?: Given,
): Promise<App['wait']> {
  if (given) {
    if (given.wait === null || !fleet) return null
    const rules = await startRules(fleet, alertsOf)
    return { signal: AbortSignal.any([signal, given.wait]), mayStart: () => mayStart(rules, clock) }
  }
  if (wait === undefined) return null
  const late = waitSignal(wait, fleet !== undefined)
  return { signal: AbortSignal.any([signal, late]), mayStart: () => Promise.resolve() }
}

async function alertsOf(url: string): Promise<Alerts> {
  const { createPrometheus } = await import('./adapters/prometheus.ts')
  return createPrometheus(url)
}

/** One connection to each Engine for as long as the process lives: a service opens the host many times. */
function connections(
  options: CommonOptions,
  known: Map<string, Outside>,
  outsideFor: (config: Config, options: CommonOptions) => Promise<Found>,
): (config: Config) => Promise<Outside> {
  return async (config) => {
    const key = JSON.stringify([config.docker, config.kubernetes, config.fleet, config.node.container])
    const before = known.get(key)
    if (before) return before
    const { isGuess, ...outside } = await outsideFor(config, options)
    if (!isGuess) known.set(key, outside)
    return outside
  }
}

type Found = Outside & Pick<ChosenRuntime, 'isGuess'>

async function outsideOf(config: Config, { stateDir }: CommonOptions, openRuns: OpenRuns): Promise<Found> {
  const kubernetes = kubernetesOf(config)
  const { runtime: docker, isGuess } = await runtimeOf(config, kubernetes)
  const exec: Docker['exec'] = (container, argv, timeoutMs) => docker.exec(container, argv, timeoutMs)
  return {
    docker,
    isGuess,
    fleet: await fleetOf(config, { docker, kubernetes }),
    bird: createBird(exec),
    routes: createKernelRoutes(),
    dialGuard: createDialGuard(),
    cni: createCniBinaries(docker),
    configs: createCniConfigs(),
    kubelet: createKubelet(),
    kubernetes,
    manifests: createManifests(),
    systemd: createSystemd(),
    unitFiles: createUnitFiles(),
    journals: openRuns.watch(runsDir(stateDir)),
  }
}

/** Docker, except on a host of a cluster whose kubelet has another runtime. */
async function runtimeOf(config: Config, kubernetes: Kubernetes | null): Promise<ChosenRuntime> {
  const docker = connectDocker({ socket: config.docker.socket })
  if (kubernetes === null) return { runtime: docker, isGuess: false }
  const pods = createPodRuntime({ kubernetes, namespace: readOwnNamespace })
  return await chooseRuntime(config.node.container, hostname(), { docker, pods, kubernetes })
}
