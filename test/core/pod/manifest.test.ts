import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { readPod } from '../../../agent/adapters/manifests/read-pod.ts'
import { type PodManifest, withImage } from '../../../agent/core/pod/manifest.ts'
import { redactedManifestDiff } from '../../../agent/core/pod/manifest-diff.ts'

async function podIn(text: string): Promise<PodManifest> {
  const pod = await readPod(text)
  if ('name' in pod) return pod
  throw new Error(pod.unreadable)
}

/** The manifest with another image of its container `controllers`. */
async function edited(text: string, image: string): Promise<string> {
  const token = (await podIn(text)).containers.find(({ name }) => name === 'controllers')?.token
  if (token && 'start' in token) return withImage(text, token, image)
  throw new Error(token?.why ?? 'no such container')
}

const IMAGE = 'calico/kube-controllers:v3.26.1'
const pod = (image: string, rest = ''): string =>
  `kind: Pod\nmetadata: {name: calico}\nspec:\n  containers:\n  - name: controllers\n    image: ${image}\n${rest}`

describe('an image in a manifest', () => {
  it.each([
    ['plain', 'calico/kube-controllers:v3.20.0', IMAGE],
    ['before a comment', 'a:1   # ours', `${IMAGE}   # ours`],
    ['in double quotes', '"a:1"', `"${IMAGE}"`],
    ['in single quotes', "'a:1' # ours", `'${IMAGE}' # ours`],
  ])('%s is replaced where it stands', async (_, before, after) => {
    expect(await edited(pod(before), IMAGE)).toBe(pod(after))
  })

  it('is replaced in JSON, with tabs and all', async () => {
    const json = (image: string): string =>
      `{\n\t"kind": "Pod", "metadata": {"name":"calico"},\n\t"spec": {"containers": [{"name":"controllers", "image": "${image}"}]}}`
    expect(await edited(json('a:1'), IMAGE)).toBe(json(IMAGE))
  })

  it('is replaced where nothing stands behind a last ---', async () => {
    expect(await edited(`${pod('a:1')}---\n`, IMAGE)).toBe(`${pod(IMAGE)}---\n`)
  })

  it('is quoted where it could be read as a number', async () => {
    expect(await edited(pod('a:1'), '1234')).toBe(pod('"1234"'))
  })

  it.each([
    ['is an alias', pod('*image').replace('kind:', 'x: &image a:1\nkind:'), 'is the alias *image'],
    ['has an anchor', pod('&image a:1'), '&image shares the image'],
    ['stands below an anchor', pod('a:1').replace('- name', '- &one\n    name'), '&one shares the image'],
    ['is a block', pod('>-\n      a:1'), 'YAML block scalar'],
    ['has a tag', pod('!!str a:1'), 'a YAML tag'],
    [
      'comes from a YAML merge key',
      pod('a:1').replace('    image: a:1', '    <<: *m').replace('kind:', 'm: &m {image: a:1}\nkind:'),
      'merge key',
    ],
    ['has further documents beside it', `${pod('a:1')}---\nkind: Pod\n`, 'several YAML documents'],
  ])('that %s is refused', async (_, text, why) => {
    await expect(edited(text, IMAGE)).rejects.toThrow(why)
  })

  it('changes, and nothing else, in any manifest', async () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/)
    const characters = Array.from('aé:#"\'{}\n |>&*!%@-0.')
    const value = fc.string({ unit: fc.constantFrom(...characters) })
    const env = fc.array(fc.record({ name: word, value }), { maxLength: 4 })
    const container = fc.record({ image: word.map((name) => `calico/${name}:v1`), env })
    const style = fc.record({
      indent: fc.constantFrom(2, 4),
      lineWidth: fc.constantFrom(0, 40, 80),
      collectionStyle: fc.constantFrom('block' as const, 'flow' as const, 'any' as const),
      defaultStringType: fc.constantFrom('PLAIN' as const, 'QUOTE_DOUBLE' as const, 'QUOTE_SINGLE' as const),
      json: fc.boolean(),
      crlf: fc.boolean(),
      position: fc.nat(3),
      bom: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(
        container,
        fc.array(container, { minLength: 3, maxLength: 3 }),
        style,
        async (ours, others, { json, crlf, position, bom, ...form }) => {
          const all = others.map((one, i) => ({ name: `other-${i}`, ...one }))
          all.splice(position, 0, { name: 'controllers', ...ours })
          const document = (containers: object[]) => ({
            kind: 'Pod',
            metadata: { name: 'calico' },
            spec: { containers },
          })
          const plain = json
            ? JSON.stringify(document(all), null, '\t')
            : `# ours\n${stringify(document(all), form)}`
          const text = (bom ? '\uFEFF' : '') + (crlf ? plain.replaceAll('\n', '\r\n') : plain)
          // the library writes some texts of several lines so that nobody can read them
          fc.pre('name' in (await readPod(text)))
          const after = await edited(text, IMAGE)
          const [before, now] = [await podIn(text), await podIn(after)]
          const token = before.containers[position]?.token
          if (!token || !('start' in token)) throw new Error('it was edited')
          const grown = after.length - text.length
          expect(after.slice(0, token.start)).toBe(text.slice(0, token.start))
          expect(after.slice(token.end + grown)).toBe(text.slice(token.end))
          const images = before.containers.map(({ name, image }) => [
            name,
            name === 'controllers' ? IMAGE : image,
          ])
          expect(now.containers.map(({ name, image }) => [name, image])).toEqual(images)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('what the kubelet reads in a manifest', () => {
  it.each([
    ['', 'it is empty'],
    ['# nothing\n', 'it is empty'],
    ['kind: DaemonSet\n', 'it is not a Pod'],
    ['kind: Pod\nkind: Pod\n', 'unique'],
    [
      `a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c]\n`,
      'alias',
    ],
  ])('%j is nothing', async (text, why) => {
    expect(await readPod(text)).toEqual({ unreadable: expect.stringContaining(why) as string })
  })

  it.each([
    ['a:1', '', false],
    ['a:latest', '', true],
    ['a', '', true],
    ['registry:5000/a', '', true],
    [`a@sha256:${'0'.repeat(64)}`, '', false],
    ['a:latest', '    imagePullPolicy: IfNotPresent\n', false],
    ['a:1', '    imagePullPolicy: Always\n', true],
  ])('%s is asked for at each start: %j %s', async (image, rest, pullsAlways) => {
    expect((await podIn(pod(image, rest))).containers).toMatchObject([{ pullsAlways }])
  })

  it('has defaults of its own', async () => {
    expect(await podIn(pod('a:1'))).toMatchObject({ namespace: 'default', uid: null, graceS: 30 })
  })
})

describe('the diff of a manifest', () => {
  it('hides secrets on either side', async () => {
    const rest = `    env:\n    - {name: ETCD_PASSWORD, value: hunter2}\n    - name: URL\n      value: "https://me:hunter2@etcd"\n    args: [--token=hunter2, --level=info]\n`
    const before = pod('a:1', rest)
    const read = await podIn(before)
    const token = read.containers[0]?.token
    if (!token || !('start' in token)) throw new Error('no token')
    const after = withImage(before, token, IMAGE)
    const diff = redactedManifestDiff({ target: 'x', before, after }, read, token)
    for (const text of [diff.before, diff.after]) {
      expect(text).not.toContain('hunter2')
      expect(text).toContain('- {name: ETCD_PASSWORD, value: <redacted>}')
      expect(text).toContain('--level=info')
    }
    expect(diff.after).toContain(`image: ${IMAGE}\n`)
  })
})
