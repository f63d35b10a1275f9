import type { Datastore } from '../../agent/ports/datastore.ts'

/** A datastore that answers everywhere but where `away` says why not. */
export class FakeDatastore implements Datastore {
  /** By host and port. */
  readonly away = new Map<string, string>()
  readonly records = new Map<string, { host: string; port: number }[]>()
  /** What was dialled, as it happened. */
  readonly dialled: string[] = []

  dial: Datastore['dial'] = ({ host, port, tls }) => {
    this.dialled.push(`${tls ? 'tls ' : ''}${host}:${port}`)
    return Promise.resolve(this.away.get(`${host}:${port}`) ?? null)
  }

  serviceRecords: Datastore['serviceRecords'] = (name) => Promise.resolve(this.records.get(name) ?? [])

  /** JSON is YAML. */
  parse: Datastore['parse'] = (text) => Promise.resolve(JSON.parse(text) as unknown)
}
