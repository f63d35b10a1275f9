import { once } from 'node:events'
import { launch } from '../exec.ts'
import { onSwitch } from '../net.ts'
import type { Kubernetes } from './cluster.ts'

const PORT = 8443
const NAME = 'replace-images'

/** Answers each AdmissionReview with a JSON patch of every image that begins with `from`. */
const server = `
const { readFileSync } = require('node:fs')
const { createServer } = require('node:https')
const [, cert, key, host, port, from, to] = process.argv
const changes = ({ spec }) => ['initContainers', 'containers'].flatMap((list) =>
  (spec[list] ?? []).flatMap(({ image }, i) =>
    image.startsWith(from)
      ? [{ op: 'replace', path: '/spec/' + list + '/' + i + '/image', value: to + image.slice(from.length) }]
      : []))
const answer = ({ apiVersion, kind, request: { uid, object } }) => {
  const patch = Buffer.from(JSON.stringify(changes(object))).toString('base64')
  return { apiVersion, kind, response: { uid, allowed: true, patchType: 'JSONPatch', patch } }
}
createServer({ cert: readFileSync(cert), key: readFileSync(key) }, async (request, response) => {
  const chunks = await request.toArray()
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(answer(JSON.parse(Buffer.concat(chunks).toString()))))
}).listen(port, host, () => process.stdout.write('listening'))
process.stdin.resume().on('end', () => process.exit())`

/**
 * A mutating admission webhook of the cluster, as those that have every image come from a mirror: where the image of a new
 * pod of kube-system begins with `from`, it begins with `to` instead. Resolves to what takes it away.
 */
export async function replaceImages(
  kubernetes: Kubernetes,
  { from, to }: { from: string; to: string },
): Promise<() => Promise<void>> {
  const { address } = kubernetes
  const pki = await kubernetes.authority()
  const { cert, key } = await pki.issue('webhook', { name: 'webhook', alternatives: [`IP:${address}`] })
  const argv = [process.execPath, '-e', server, cert, key, address, String(PORT), from, to]
  const webhook = launch(onSwitch(argv))
  await once(webhook.stdout, 'data')
  await kubernetes.apply({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: NAME },
    webhooks: [
      {
        ...{ name: `${NAME}.example.com`, sideEffects: 'None', admissionReviewVersions: ['v1'] },
        clientConfig: {
          url: `https://${address}:${PORT}/`,
          caBundle: Buffer.from(await pki.pem()).toString('base64'),
        },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
      },
    ],
  })
  return async () => {
    await kubernetes.kubectl(['delete', 'mutatingwebhookconfiguration', NAME])
    webhook.stdin.end()
  }
}
