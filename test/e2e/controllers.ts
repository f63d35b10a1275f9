import { type Host, pullImage } from '../lab/index.ts'
import { lab } from './support.ts'

export const NAME = 'calico-kube-controllers'
export const controllers = (tag: string): string => lab.registry.controllersImage(tag)

export const SHARED = '/srv/controllers'

/** Runs the controllers as an operator does whose Docker keeps them; they watch one another through a directory. */
export async function runControllers(
  host: Host,
  image: string,
  { name = NAME, policy = 'always', env = [] as string[], mounts = [] as string[] } = {},
): Promise<void> {
  const binds = [`${SHARED}:/shared`, ...mounts].flatMap((mount) => ['-v', mount])
  const flags = ['--net=host', `--restart=${policy}`, ...binds, '--name', name]
  const settings = ['KUBECONFIG=/etc/kubeconfig', ...env].flatMap((entry) => ['-e', entry])
  await pullImage(host, image)
  await host.ok(['docker', 'run', '-d', ...flags, ...settings, image])
}

/** What the instances wrote down of others that they found at work; empty when there never were two. */
export async function overlaps(host: Host): Promise<string> {
  return (await host.run(['cat', `${SHARED}/overlaps`])).stdout
}

/** How often an instance began its work. */
export async function starts(host: Host): Promise<number> {
  return (await host.run(['cat', `${SHARED}/starts`])).stdout.split('\n').length - 1
}

/** How many instances Docker saw alive at once since `since`, in ms since the epoch; those before do not count. */
export async function mostAtOnce(host: Host, since: number): Promise<number> {
  const range = [since, Date.now()].map((ms) => (ms / 1000).toFixed(3))
  const argv = ['docker', 'events', '--since', range[0] ?? '', '--until', range[1] ?? '', '--filter']
  const name = '{{index .Actor.Attributes "io.kubernetes.container.name"}}'
  // a kubelet names the image by its id
  const format = `{{.Action}} {{.ID}} {{.Actor.Attributes.image}} ${name}`
  const lines = (await host.ok([...argv, 'type=container', '--format', format])).split('\n')
  const alive = new Set<string>()
  let most = 0
  for (const [action, id = '', image = '', inPod = ''] of lines.map((line) => line.split(' '))) {
    if (!image.includes('controllers') && inPod !== NAME) continue
    if (action === 'start') alive.add(id)
    if (action === 'die') alive.delete(id)
    most = Math.max(most, alive.size)
  }
  return most
}
