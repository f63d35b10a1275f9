import type { Endpoint } from '../core/datastore/endpoint.ts'

/** What calico/node keeps its state in: how it is found and whether it answers. */
export interface Datastore {
  /**
   * Why nothing answers there within the deadline; null if something does. Over TLS the server must have spoken TLS:
   * one that refuses this client, or has an untrusted certificate, is alive.
   */
  dial(endpoint: Endpoint, deadlineMs: number): Promise<string | null>
  /** The targets of a DNS SRV record by this host's resolver; empty where there is none, or no answer in time. */
  serviceRecords(name: string, deadlineMs: number): Promise<{ host: string; port: number }[]>
  /** A YAML or JSON document as data; undefined where it is none. */
  parse(text: string): Promise<unknown>
}
