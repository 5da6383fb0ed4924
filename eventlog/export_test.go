package eventlog

import (
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

// Recent are the webhooks that were stored last.
type Recent = recent

// Recent gives those of the embedded server.
func (l *Log) Recent() *Recent { return &l.embedded.now().recent }

// Add adds what was read.
func (r *recent) Add(records []brokerfile.Record) { r.add(records) }

// Forget forgets what was erased.
func (r *recent) Forget(erased uint64) { r.forget(erased) }

// Between gives what is kept from a stream sequence to another one.
func (r *recent) Between(from, to uint64) []*domain.Webhook { return r.between(from, to, mostRecent) }
