import { expect, it } from 'vitest'
import { givenFiles } from '../../agent/observe/given-files.ts'
import { FakeDocker } from '../fakes/docker.ts'

const IMAGE = 'calico/kube-controllers:v3.15.5'

async function filesOf(Env: string[], Binds: string[]) {
  const docker = new FakeDocker()
  docker.images.publish(IMAGE)
  docker.images.pull(IMAGE, () => undefined)
  docker.access.set('/etc/kubeconfig', { uid: 0, gid: 0, mode: 0o600 })
  docker.access.set('/certs', { uid: 0, gid: 0, mode: 0o750 })
  docker.access.set('/certs/etcd', { uid: 0, gid: 0, mode: 0o755 })
  docker.access.set('/certs/etcd/key.pem', { uid: 0, gid: 0, mode: 0o644 })
  const HostConfig = { NetworkMode: 'host', RestartPolicy: { Name: 'no' }, Binds }
  const id = await docker.createContainer('controllers', { Image: IMAGE, Env, HostConfig })
  const container = await docker.inspectContainer(id)
  if (!container) throw new Error('it was made')
  return (await givenFiles(container, docker)).map(
    ({ setting, hostPath, chain }) =>
      `${setting} ${hostPath} ${chain.map(({ mode }) => mode.toString(8)).join(' ')}`,
  )
}

it('finds what is mounted and named, from the mount down to the file', async () => {
  const env = [
    'KUBECONFIG=/etc/kubeconfig',
    'ETCD_KEY_FILE=/certs/etcd/key.pem',
    'ETCD_CERT_FILE=/not/mounted',
  ]
  const binds = ['/root/kubeconfig:/etc/kubeconfig:ro', '/etc/etcd/pki:/certs']
  expect(await filesOf(env, binds)).toEqual([
    'KUBECONFIG /root/kubeconfig 600',
    'ETCD_KEY_FILE /etc/etcd/pki/etcd/key.pem 750 755 644',
  ])
})

it('leaves out what is not there, and etcd’s files where Kubernetes is the datastore', async () => {
  const binds = ['/etc/etcd/pki:/certs']
  expect(await filesOf(['ETCD_KEY_FILE=/certs/none.pem'], binds)).toEqual([])
  const env = ['DATASTORE_TYPE=kubernetes', 'ETCD_KEY_FILE=/certs/etcd/key.pem']
  expect(await filesOf(env, binds)).toEqual([])
})
