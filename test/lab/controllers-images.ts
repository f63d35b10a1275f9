import { type Entry, tar } from './image-layers.ts'

export type ControllersTag = {
  repository: 'calico/kube-controllers' | 'calico/kube-policy-controller'
  tag: string
  version: string
  /** The way in which it is bad, or hard to stop; the program acts on it. */
  flavour?: 'exits-at-once' | 'never-ready' | 'ignores-term'
}

const controllers = (tag: string, version = tag, flavour?: ControllersTag['flavour']): ControllersTag => ({
  repository: 'calico/kube-controllers',
  tag,
  version,
  ...(flavour && { flavour }),
})

/** Every image of the controllers in the lab's registry: stand-ins, which watch one another. */
export const controllersTags: readonly ControllersTag[] = [
  controllers('v1.0.2'),
  controllers('v1.0.5'),
  controllers('v3.20.0'),
  controllers('v3.26.1'),
  controllers('exits-at-once', 'v3.26.1', 'exits-at-once'),
  controllers('never-ready', 'v3.26.1', 'never-ready'),
  controllers('ignores-term', 'v3.26.1', 'ignores-term'),
  { repository: 'calico/kube-policy-controller', tag: 'v0.7.0', version: 'v0.7.0' },
]

export const CONTROLLERS_PROGRAM = '/usr/bin/kube-controllers'

/**
 * Two that run at once are caught by the kernel: each holds the lock of a directory that all containers share, for as
 * long as its process lives, and one that finds it held writes that down.
 */
const program = (flavour: string): string => `#!/bin/sh
# A stand-in of the lab for kube-controllers: it holds the lock, and says that it is ready.
[ "${flavour}" = exits-at-once ] && { echo "cannot start: this image exits at once" >&2; exit 1; }
mkdir -p /shared /run
if [ "${flavour}" = ignores-term ]; then trap '' TERM; else trap 'exit 0' TERM; fi
echo "$(date +%s) $HOSTNAME" >> /shared/starts
overlap() { echo "$(date +%s) $HOSTNAME found another one at work" >> /shared/overlaps; }
chpst -L /shared/lock true || overlap
chpst -L /shared/lock sleep 99999 &
holder=$!
sleep 1
kill -0 $holder || overlap
[ "${flavour}" = never-ready ] || touch /run/ready
while :; do sleep 1 & wait $!; done
`

const check = '#!/bin/sh\n[ "$1" = -r ] && [ -e /run/ready ] && exit 0\necho "not ready"\nexit 1\n'

/** The small layer above Debian's busybox by which the images differ. */
export function controllersLayer({ version, flavour }: ControllersTag): Promise<Buffer> {
  const script = (name: string, text: string): Entry => ({ name, mode: 0o755, content: Buffer.from(text) })
  return tar([
    { name: 'usr/bin', directory: true },
    { name: 'VERSION', content: Buffer.from(`${version}\n`) },
    script(CONTROLLERS_PROGRAM.slice(1), program(flavour ?? '')),
    script('usr/bin/check-status', check),
  ])
}
