import { composeLabels } from '../docker/compose.ts'
import { isHosted, type Observed, type ObservedControllers, type Owner } from '../model.ts'
import { type Wanted } from '../wanted.ts'
import { notReplaced, type Rule, rulesOn } from './rule.ts'

interface Kept {
  name: string
  running: Pick<ObservedControllers, 'container' | 'unit' | 'owner' | 'claims'>
  image: string | null
  byRelease: boolean
}

/** What brings the container back with its old image, other than its owner. */
function keeperRulesOn(keptOf: (observed: Observed, wanted: Wanted) => Kept | null): Rule[] {
  return rulesOn(keptOf, [
    {
      code: 'kept-elsewhere',
      severity: 'error',
      allowable: true,
      about: 'nothing else on this host starts the container',
      seen: ({ running: { owner } }) =>
        owner.kind === 'systemd' ? `only ${owner.unit}` : 'no unit and no cron job',
      check: ({ name, running: { claims = [] }, byRelease }) =>
        claims.map(({ by, line }) =>
          notReplaced(
            name,
            `${by} starts it too: ${line}`,
            by.endsWith('.service') ? `systemctl disable ${by}` : `remove that line from ${by}`,
            byRelease,
          ),
        ),
    },
    {
      code: 'compose-file',
      severity: 'warning',
      about: 'no compose file names the image',
      seen: () => 'no docker-compose label',
      check: ({ name, running, image }) => {
        const labels = running.unit === null ? composeLabels(running.container) : null
        if (labels === null) return null
        const { project, service, files } = labels
        const where = files.at(-1) ?? `the compose file of project ${project}`
        const to = image ?? 'IMAGE'
        return {
          message: `docker-compose created ${name}: "docker compose up" recreates it from the image that ${where} names`,
          fix: `after the upgrade, set services.${service}.image to ${to} in ${where}`,
        }
      },
    },
  ])
}

export const keeperRules: Rule[] = keeperRulesOn(({ node }, wanted) =>
  node === null || node.owner.kind === 'daemonset' || isHosted(node.owner)
    ? null
    : { name: wanted.node.container, running: node, image: wanted.node.image, byRelease: false },
)

const HOSTED: Owner['kind'][] = ['kubelet', 'static-pod', 'deployment']

export const controllersKeeperRules: Rule[] = keeperRulesOn(({ controllers }, { controllers: wanted }) =>
  controllers === null || wanted.image === null || HOSTED.includes(controllers.owner.kind)
    ? null
    : {
        name: wanted.container,
        running: controllers,
        image: wanted.image,
        byRelease: wanted.onlyIfInstalled,
      },
)
