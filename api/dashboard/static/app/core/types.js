/**
 * The shapes of what the API answers, taken from its OpenAPI document when the types
 * are checked. This file has no code.
 *
 * @typedef {import('ticketrail-api').components['schemas']} Schemas
 * @typedef {{limit_seconds: number, since: string}} Late
 * @typedef {Schemas['Order'] & {late?: Late|null}} Order
 * @typedef {Schemas['TimelineEntry']} TimelineEntry
 * @typedef {Schemas['Webhook']} Webhook
 * @typedef {Schemas['ExplainedWebhook']} ExplainedWebhook
 * @typedef {Schemas['Stats']} Stats
 * @typedef {Schemas['Projection']} Projection
 * @typedef {Schemas['Rebuild']} Rebuild
 * @typedef {Schemas['QuarantineCause']} QuarantineCause
 * @typedef {Schemas['QuarantineEntry']} QuarantineEntry
 * @typedef {Schemas['QuarantineDetail']} QuarantineDetail
 * @typedef {Schemas['Bulk']} Bulk
 *
 * A change of the feed; of a poll there is nothing but the order.
 * @typedef {{order: Order, state: string, event?: string|null, effect?: string|null}} Change
 *
 * What the hash of the address says: the segments of the path, and the query.
 * @typedef {{path: string[], query: Record<string, string>}} Route
 */
export {};
