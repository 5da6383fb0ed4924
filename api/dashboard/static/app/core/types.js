/**
 * The shapes of what the API answers, taken from its OpenAPI document when the types
 * are checked. This file has no code.
 *
 * @typedef {import('ticketrail-api').components['schemas']} Schemas
 * @typedef {Schemas['Order']} Order
 * @typedef {Schemas['Change']} Change
 * @typedef {Schemas['Limit']} Limit
 * @typedef {Schemas['ListedSource']} Source
 * @typedef {Schemas['Silence']} Silence
 * @typedef {Schemas['Stay']} Stay
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
 * What the hash of the address says: the segments of the path, and the query.
 * @typedef {{path: string[], query: Record<string, string>}} Route
 */
export {};
