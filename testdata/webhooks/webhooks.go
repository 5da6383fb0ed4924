// Package webhooks holds the test data's webhooks for the program itself: what
// "ticketrail trigger" sends. README.md says where each of them comes from.
package webhooks

import "embed"

// Files are the bodies: <provider>/<event>.json, or <provider>/<event>-<what>.json for
// another body of an event.
//
//go:embed */*.json
var Files embed.FS
