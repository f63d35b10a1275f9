import semver from 'semver'
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
  controllers('v3.15.5'),
  controllers('v3.17.6'),
  controllers('v3.20.0'),
  controllers('v3.26.1'),
  controllers('exits-at-once', 'v3.26.1', 'exits-at-once'),
  controllers('never-ready', 'v3.26.1', 'never-ready'),
  controllers('ignores-term', 'v3.26.1', 'ignores-term'),
  { repository: 'calico/kube-policy-controller', tag: 'v0.7.0', version: 'v0.7.0' },
]

export const CONTROLLERS_PROGRAM = '/usr/bin/kube-controllers'

/** As the real images: from v3.16 on they are not root's, and `check-status` came with v3.2. */
export function userOf({ version }: Pick<ControllersTag, 'version'>): string {
  return semver.gte(version, '3.16.0') ? '999' : ''
}

/**
 * Two that run at once are caught by the kernel: each holds the lock of a directory that all containers share, for as
 * long as its process lives, and one that finds it held writes that down.
 *
 * The rest is as kube-controllers do it (cmd/kube-controllers/main.go): what cannot be read is fatal; the datastore is
 * tried for 10 s, then it ends; health is written to a file of the container's layer from then on, unless that is off.
 */
const program = (flavour: string): string => `#!/bin/sh
# A stand-in of the lab for kube-controllers: it holds the lock, and says that it is ready.
[ "${flavour}" = exits-at-once ] && { echo "cannot start: this image exits at once" >&2; exit 1; }
if [ "${flavour}" = ignores-term ]; then trap '' TERM; else trap 'exit 0' TERM; fi
if [ -e "\${KUBECONFIG:-}" ] && ! [ -r "$KUBECONFIG" ]; then
  echo "[FATAL] Failed to start: error loading config file \"$KUBECONFIG\": permission denied" >&2
  exit 1
fi

mkdir -p /shared
echo "$(date +%s) $HOSTNAME" >> /shared/starts
overlap() { echo "$(date +%s) $HOSTNAME found another one at work" >> /shared/overlaps; }
chpst -L /shared/lock true || overlap
chpst -L /shared/lock sleep 99999 &
holder=$!
sleep 1
kill -0 $holder || overlap

datastore_answers() {
  [ -n "\${ETCD_ENDPOINTS:-}" ] || return 0
  for url in $(echo "$ETCD_ENDPOINTS" | tr , ' '); do
    authority=\${url#*://}
    authority=\${authority%%/*}
    case $url in
      http://*) timeout 2 wget -q -O /dev/null "http://$authority/version" ;;
      https://*) timeout 2 nc "\${authority%:*}" "\${authority##*:}" </dev/null ;;
    esac >/dev/null 2>&1 && return
  done
  return 1
}
ready() {
  case \${HEALTH_ENABLED:-true} in false | FALSE | False | f | F | 0) return ;; esac
  printf '{"Readiness":{"CalicoDatastore":{"Ready":%s,"Reason":"%s"}}}\n' "$1" "$2" > /status/status.json
}
tries=0
until datastore_answers; do
  tries=$((tries + 1))
  [ $tries -ge 10 ] && { echo "[FATAL] Failed to initialize Calico datastore: context deadline exceeded" >&2; exit 1; }
  sleep 1 & wait $!
done
ready false "initialized to false"
looks=0
while :; do
  if [ "${flavour}" != never-ready ] && [ $((looks % 10)) = 0 ]; then
    if datastore_answers; then ready true; else ready false "Error verifying datastore"; fi
  fi
  looks=$((looks + 1))
  sleep 1 & wait $!
done
`

const check = `#!/bin/sh
[ "$1" = -r ] || exit 0
[ -e /status/status.json ] || { echo "Failed to read status file /status/status.json: no such file or directory"; exit 1; }
grep -q '"Ready":false' /status/status.json || exit 0
sed 's/.*"Reason":"//; s/".*//' /status/status.json
exit 1
`

/** The small layer above Debian's busybox by which the images differ. */
export function controllersLayer({ version, flavour }: ControllersTag): Promise<Buffer> {
  const script = (name: string, text: string): Entry => ({ name, mode: 0o755, content: Buffer.from(text) })
  return tar([
    { name: 'usr/bin', directory: true },
    { name: 'status', directory: true, mode: 0o777 },
    { name: 'VERSION', content: Buffer.from(`${version}\n`) },
    script(CONTROLLERS_PROGRAM.slice(1), program(flavour ?? '')),
    ...(semver.gte(version, '3.2.0') ? [script('usr/bin/check-status', check)] : []),
  ])
}
