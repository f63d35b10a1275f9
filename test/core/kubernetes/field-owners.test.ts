import { expect, it } from 'vitest'
import { foreignFields } from '../../../agent/core/kubernetes/field-owners.ts'
import type { FieldOwner } from '../../../agent/core/kubernetes/object.ts'

const container = (env: object[], more: object = {}) => ({ containers: [{ name: 'node', env, ...more }] })
const variable = (name: string, value: string) => ({ name, value })

/** As the API server records `kubectl set env` and an edit of a single field. */
const owner = (manager: string, name: string): FieldOwner => ({
  manager,
  fieldsV1: {
    'f:spec': {
      'f:template': {
        'f:spec': {
          'f:containers': {
            'k:{"name":"node"}': {
              'f:env': { [`k:{"name":"${name}"}`]: { '.': {}, 'f:name': {}, 'f:value': {} } },
              'f:image': {},
            },
          },
        },
      },
    },
  },
})

const A = 'spec.template.spec.containers["name":"node"].env["name":"A"]'

it.each([
  ['is lost where it is gone', [variable('A', '1')], [], [A]],
  ['is lost where it is otherwise', [variable('A', '1')], [variable('A', '2')], [A]],
  ['is not where it is the same', [variable('A', '1')], [variable('A', '1'), variable('B', '2')], []],
])('what somebody else has set %s', (_, was, to, fields) => {
  const found = foreignFields([owner('kubectl-edit', 'A')], container(was), container(to))
  expect(found).toEqual(fields.map((field) => ({ manager: 'kubectl-edit', field })))
})

it('what was applied is nobody else’s', () => {
  const owners = ['kubectl-client-side-apply', 'kubectl', 'calico-agent'].map((manager) =>
    owner(manager, 'A'),
  )
  expect(foreignFields(owners, container([variable('A', '1')]), container([]))).toEqual([])
})

it('a field alone is named alone, and what is not of the pods is no matter', () => {
  const owners = [owner('helm', 'B'), { manager: 'x', fieldsV1: { 'f:spec': { 'f:replicas': {} } } }, {}]
  const [was, to] = [container([], { image: 'a' }), container([], { image: 'b' })]
  expect(foreignFields(owners, was, to)).toEqual([
    { manager: 'helm', field: 'spec.template.spec.containers["name":"node"].image' },
  ])
})
