import { hasDigest } from '../../core/docker/image-state.ts'
import type { ImageJson } from '../../core/docker/json.ts'
import { AgentError, isError, type Problem } from '../../core/errors.ts'
import type { Judged, StepArgs } from '../../core/plan/plan.ts'
import { pulledProblems } from '../../core/preflight.ts'
import { imagesOf, withImages } from '../../core/release/pulled-images.ts'
import type { Docker } from '../../ports/docker.ts'
import type { Probe } from '../../ports/probe.ts'
import type { Step } from '../step.ts'

export const pullImage: Step<'pull-image'> = {
  moves: false,
  describe: ({ image }) => `pull ${image}`,

  async capture({ image }, { docker, probe }) {
    const { dataRoot, imageRoot } = await docker.info()
    await refuseFull(image, { path: imageRoot, needed: NEEDED_BYTES }, probe)
    await refuseFull(image, { path: dataRoot, needed: DATA_BYTES }, probe)
    return {}
  },

  async do({ image }, _before, { docker, emit, signal }) {
    await docker.pullImage(
      image,
      (progress) => {
        emit({ type: 'pull', image, ...progress })
      },
      signal,
    )
  },

  async verify({ image, judged, ...planned }, _before, { docker }) {
    const [local, engine] = await Promise.all([docker.inspectImage(image), docker.info()])
    if (!local) {
      throw new AgentError('image-not-found', `cannot use ${image}: Docker pulled it, but does not have it`, {
        fix: `docker pull ${image}`,
      })
    }
    if (local.Architecture !== engine.architecture || local.Os !== engine.os) {
      throw wrongArchitecture(
        image,
        `${local.Os}/${local.Architecture}`,
        `${engine.os}/${engine.architecture}`,
      )
    }
    refuseMoved(image, planned, local)
    return judged ? { problems: await judgeAgain(judged, docker) } : {}
  },

  goesOn: () => Promise.resolve(false),
  // A pulled image does no harm and makes the next try quick; retention removes it.
  undo: () => Promise.resolve({}),
}

type Planned = Pick<StepArgs['pull-image'], 'digest' | 'id'>

/** A tag may move between the query of the registry and the pull: the pull then returns another image than planned. */
function refuseMoved(image: string, { digest, id }: Planned, local: ImageJson): void {
  const isPlanned =
    (digest === undefined || hasDigest(local, image, digest)) && (id === undefined || local.Id === id)
  if (isPlanned) return
  const found = local.RepoDigests?.map((known) => known.split('@')[1]).join(', ') ?? ''
  throw new AgentError(
    'image-changed',
    `cannot use ${image}: the pull brought ${found === '' ? local.Id : found}, expected ${digest ?? id ?? ''}`,
    {
      fix: `run the command again, which asks the registry again; or name the image by its digest: docker image inspect ${image}`,
    },
  )
}

/** The labels of an image are known once it is here: checks the rules about versions again. */
async function judgeAgain({ observed, wanted }: Judged, docker: Docker): Promise<Problem[]> {
  const here = new Map<string, ImageJson>()
  for (const { ref } of imagesOf(observed)) {
    const local = await docker.inspectImage(ref)
    if (local) here.set(ref, local)
  }
  const problems = pulledProblems(observed, withImages(observed, here), wanted)
  const refusal = problems.find(isError)
  if (refusal) throw new AgentError(refusal.code, refusal.message, { fix: refusal.fix })
  return problems
}

/** Layers, compressed and unpacked: a calico/node needs some 150 MB and 400 MB. */
const NEEDED_BYTES = 600e6

/** Settings and logs of a container, which a run must be able to write until its end. */
const DATA_BYTES = 50e6

/** @throws AgentError `no-space` */
async function refuseFull(
  image: string,
  { path, needed }: { path: string | null; needed: number },
  probe: Probe,
): Promise<void> {
  const free = path === null ? null : await probe.freeBytes(path)
  if (free === null || free >= needed) return
  const said = `${path} has ${(free / 1e6).toFixed(0)} MB free, and a pull may take ${needed / 1e6} MB`
  throw new AgentError('no-space', `cannot pull ${image}: ${said}`, {
    fix: `free space: docker system df, docker image prune; or, if you know that the image needs less, run docker pull ${image} first`,
  })
}

function wrongArchitecture(image: string, has: string, needs: string): AgentError {
  return new AgentError(
    'wrong-architecture',
    `cannot use ${image}: it is built for ${has}, and this host is ${needs}`,
    {
      fix: `use an image that is built for ${needs}`,
    },
  )
}
