import { RUN_LABEL } from '../core/docker/container-spec.ts'
import { AgentError } from '../core/errors.ts'
import { isAnotherHost } from '../core/host-identity.ts'
import type { RunState } from '../journal/run-state.ts'
import type { RunStore } from '../journal/store.ts'
import type { Docker } from '../ports/docker.ts'
import { replacedBy, replacedControllers } from './replaced.ts'

interface Here {
  runs: Pick<RunStore, 'host' | 'pathOf'>
  ports: { docker: Pick<Docker, 'inspectContainer' | 'listContainers'> }
}

/**
 * A state directory may come from a disk image or backup of another host: its journals do not describe this one.
 * @throws AgentError `journal-copied`
 */
export async function refuseCopied(run: RunState, here: Here): Promise<void> {
  const problem = await copiedProblem(run, here)
  if (problem) throw problem
}

/** Null if the run belongs to this host, or if that is not known. */
export async function copiedProblem(run: RunState, { runs, ports }: Here): Promise<AgentError | null> {
  const { plan, host } = run
  if (!isAnotherHost(host, runs.host) || (await isAnyHere(run, ports))) return null
  const file = runs.pathOf(plan.run)
  return new AgentError(
    'journal-copied',
    `cannot continue run ${plan.run}: it belongs to host ${host?.name ?? ''}, and none of its containers are here`,
    { fix: `the state directory was copied: move ${file} and the other journals away` },
  )
}

/** A host that got another name and machine-id in the middle of a run still has its containers. */
async function isAnyHere(run: RunState, { docker }: Here['ports']): Promise<boolean> {
  const old = [replacedBy(run), replacedControllers(run)].flatMap((container) => container ?? [])
  const found = await Promise.all(old.map(({ id }) => docker.inspectContainer(id)))
  if (found.some((container) => container !== undefined)) return true
  return (await docker.listContainers(`${RUN_LABEL}=${run.plan.run}`)).length > 0
}
