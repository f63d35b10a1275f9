import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  familiarName,
  formatImageRef,
  matchesImage,
  nameOfContent,
  parseImageRef,
  registryKey,
  repository,
  sameRepository,
} from '../../../agent/core/docker/image-ref.ts'
import { AgentError } from '../../../agent/core/errors.ts'

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`

function refusal(text: string): AgentError {
  try {
    parseImageRef(text)
  } catch (error) {
    if (error instanceof AgentError) return error
    throw error
  }
  throw new Error(`"${text}" was taken as an image`)
}

describe('parseImageRef', () => {
  it.each([
    // text, repository, tag, digest, as Docker shows it
    ['busybox', 'docker.io/library/busybox', 'latest', undefined, 'busybox:latest'],
    ['calico/node:v3.0.1', 'docker.io/calico/node', 'v3.0.1', undefined, 'calico/node:v3.0.1'],
    ['docker.io/calico/node', 'docker.io/calico/node', 'latest', undefined, 'calico/node:latest'],
    ['index.docker.io/busybox:1', 'docker.io/library/busybox', '1', undefined, 'busybox:1'],
    ['docker.io/library/busybox:1', 'docker.io/library/busybox', '1', undefined, 'busybox:1'],
    [
      'quay.io/calico/node:v2.6.12',
      'quay.io/calico/node',
      'v2.6.12',
      undefined,
      'quay.io/calico/node:v2.6.12',
    ],
    ['quay.io/node', 'quay.io/node', 'latest', undefined, 'quay.io/node:latest'],
    ['localhost/node', 'localhost/node', 'latest', undefined, 'localhost/node:latest'],
    ['localhost:5000/a/b/c:x', 'localhost:5000/a/b/c', 'x', undefined, 'localhost:5000/a/b/c:x'],
    ['registry:5000/node', 'registry:5000/node', 'latest', undefined, 'registry:5000/node:latest'],
    ['node:5000', 'docker.io/library/node', '5000', undefined, 'node:5000'],
    ['localhost', 'docker.io/library/localhost', 'latest', undefined, 'localhost:latest'],
    ['docker.io/a.b/c', 'docker.io/a.b/c', 'latest', undefined, 'docker.io/a.b/c:latest'],
    [
      'Registry.Example:443/a',
      'Registry.Example:443/a',
      'latest',
      undefined,
      'Registry.Example:443/a:latest',
    ],
    ['[2001:db8::1]:5000/a:1', '[2001:db8::1]:5000/a', '1', undefined, '[2001:db8::1]:5000/a:1'],
    ['a/b__c/d---e.f:RC_1', 'docker.io/a/b__c/d---e.f', 'RC_1', undefined, 'a/b__c/d---e.f:RC_1'],
    [`busybox@${digest}`, 'docker.io/library/busybox', undefined, digest, `busybox@${digest}`],
    [`quay.io/a/b:v1@${digest}`, 'quay.io/a/b', 'v1', digest, `quay.io/a/b:v1@${digest}`],
  ])('reads %s', (text, repo, tag, wantedDigest, shown) => {
    const ref = parseImageRef(text)
    expect(repository(ref)).toBe(repo)
    expect(ref.tag).toBe(tag)
    expect(ref.digest).toBe(wantedDigest)
    expect(formatImageRef(ref)).toBe(shown)
  })

  it.each([
    ['', 'it is empty', 'name an image'],
    ['quay.io/calico/node :v1', 'white space', 'use quay.io/calico/node:v1'],
    ['https://quay.io/calico/node:v1', 'starts with https://', 'use quay.io/calico/node:v1'],
    ['docker://Quay.io/Calico', 'starts with docker://', 'name an image'],
    ['Calico/Node:V3.0', 'must be lower case', 'use calico/node:V3.0'],
    ['localhost:5000/Calico/node:v1', 'must be lower case', 'use localhost:5000/calico/node:v1'],
    ['calico//node', 'empty part', 'single separators'],
    ['calico/node/', 'empty part', 'single separators'],
    ['/calico/node', 'empty part', 'single separators'],
    ['-calico/node', 'empty part or an invalid character', 'single separators'],
    ['calico/no..de', 'empty part or an invalid character', 'single separators'],
    ['calico/node:', 'the tag is empty', 'a tag starts'],
    ['calico/node:.v1', '".v1" is not a tag', 'a tag starts'],
    ['calico/node:v1+build', '"v1+build" is not a tag', 'a tag starts'],
    [`calico/node:${'v'.repeat(129)}`, 'longer than 128', 'registry shows'],
    [`quay.io/${'a/'.repeat(130)}b`, 'longer than 255', 'registry shows'],
    ['calico/node@sha256:abc', '"sha256:abc" is not a digest', '64 hex digits'],
    ['calico/node@', '"" is not a digest', '64 hex digits'],
    [`calico/node@${digest}@${digest}`, 'is not a digest', '64 hex digits'],
    [`calico/node@md5:${'a'.repeat(32)}`, 'is not a digest', '64 hex digits'],
    [`calico/node@${digest.toUpperCase()}`, 'is not a digest', '64 hex digits'],
    [digest, 'an image ID', 'repository@digest'],
    [digest.slice('sha256:'.length), 'an image ID', 'repository:tag'],
    ['foo_bar.example:80/a', '"foo_bar.example:80" is not a registry', 'HOST[:PORT]'],
    ['quay.io:/a', '"quay.io:" is not a registry', 'HOST[:PORT]'],
  ])('refuses %s', (text, reason, fix) => {
    const error = refusal(text)
    expect(error.code).toBe('bad-image-ref')
    expect(error.exitCode).toBe(2)
    expect(error.message).toContain(`cannot use "${text}" as an image: `)
    expect(error.message).toContain(reason)
    expect(error.fix).toContain(fix)
  })

  const component = fc.stringMatching(/^[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,8}){0,2}$/)
  const reference = fc.record({
    registry: fc.constantFrom(
      '',
      'docker.io/',
      'quay.io/',
      'localhost/',
      'registry.example:5000/',
      'localhost:5000/',
    ),
    path: fc.array(component, { minLength: 1, maxLength: 4 }),
    tag: fc.option(fc.stringMatching(/^\w[\w.-]{0,20}$/)),
    digest: fc.option(fc.stringMatching(/^sha256:[0-9a-f]{64}$/)),
  })

  it('reads back what it shows', () => {
    fc.assert(
      fc.property(reference, ({ registry, path, tag, digest: sum }) => {
        fc.pre(registry !== '' || path.length === 1 || /^(?!localhost$)[^.]*$/.test(path[0] ?? ''))
        const text =
          registry + path.join('/') + (tag === null ? '' : `:${tag}`) + (sum === null ? '' : `@${sum}`)
        const ref = parseImageRef(text)
        expect(parseImageRef(formatImageRef(ref))).toEqual(ref)
        expect(parseImageRef(`${repository(ref)}:x`)).toMatchObject({
          registry: ref.registry,
          path: ref.path,
        })
      }),
    )
  })

  it('either reads any text or refuses it with a way out', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[aA:/@._ -]*$/)), (text) => {
        try {
          parseImageRef(text)
        } catch (error) {
          expect(error).toBeInstanceOf(AgentError)
          expect((error as AgentError).fix).not.toBe('')
        }
      }),
    )
  })
})

describe('registryKey', () => {
  it.each([
    ['busybox', 'https://index.docker.io/v1/'],
    ['quay.io/calico/node', 'quay.io'],
    ['localhost:5000/a', 'localhost:5000'],
  ])('of %s is %s', (text, key) => {
    expect(registryKey(parseImageRef(text))).toBe(key)
  })
})

describe('sameRepository', () => {
  it.each([
    ['busybox:1', 'docker.io/library/busybox:2', true],
    ['calico/node', 'quay.io/calico/node', false],
    ['calico/node', 'calico/cni', false],
  ])('%s and %s: %s', (one, other, same) => {
    expect(sameRepository(parseImageRef(one), parseImageRef(other))).toBe(same)
  })
})

describe('matchesImage', () => {
  const image = {
    RepoTags: ['<none>:<none>', 'calico/node:v3.0.1', 'quay.io/calico/node:v2.6.12'],
    RepoDigests: [`calico/node@${digest}`],
  }
  it.each([
    ['docker.io/calico/node:v3.0.1', true],
    ['calico/node:v3.0.2', false],
    ['quay.io/calico/node:v2.6.12', true],
    [`calico/node@${digest}`, true],
    [`calico/node:v9@${digest}`, true],
    [`quay.io/calico/node@${digest}`, false],
    [`calico/node:v3.0.1@sha256:${'f'.repeat(64)}`, false],
  ])('%s: %s', (text, matches) => {
    expect(matchesImage(parseImageRef(text), image)).toBe(matches)
  })

  it('matches nothing where Docker knows no name', () => {
    expect(matchesImage(parseImageRef('busybox'), { RepoTags: null, RepoDigests: null })).toBe(false)
  })
})

describe('familiarName', () => {
  it('leaves out what Docker leaves out', () => {
    expect(familiarName(parseImageRef('docker.io/library/busybox:1'))).toBe('busybox')
    expect(familiarName(parseImageRef('quay.io/library/busybox:1'))).toBe('quay.io/library/busybox')
  })
})

describe('nameOfContent', () => {
  const Id = `sha256:${'1'.repeat(64)}`
  const other = { Id: `sha256:${'2'.repeat(64)}` }
  const digest = `sha256:${'d'.repeat(64)}`
  const RepoDigests = [`registry:5000/other@${digest}`, `quay.io/calico/node@${digest}`]
  const ref = 'quay.io/calico/node:v2.6.5'

  it.each([
    ['the name, while Docker finds it by that', ref, RepoDigests, { Id }, ref],
    ['the name with its digest, once the tag has moved', ref, RepoDigests, other, `${ref}@${digest}`],
    ['the same, where nothing has the tag', ref, RepoDigests, undefined, `${ref}@${digest}`],
    ['the id, where no registry has it', ref, [], other, Id],
    ['the id, of one that is known in another repository', ref, RepoDigests.slice(0, 1), other, Id],
    ['the id, where nothing else was the name', Id, RepoDigests, undefined, Id],
  ])('is %s', (_, name, known, byName, expected) => {
    expect(nameOfContent(name, { Id, RepoDigests: known }, byName)).toBe(expected)
  })
})
