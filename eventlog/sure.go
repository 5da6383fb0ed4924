package eventlog

import (
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// sureAfter is how lately the leader of a cluster must have heard of the others to know
// that it is still the leader, and how long it must have been one to have what they had.
// It hears of them each second, and they elect another one after four at the earliest.
const sureAfter = 3 * time.Second

// unsure tells whether the server that answered for a stream may be behind others that
// have it too, as a leader that is cut off from them is and does not notice for seconds.
func unsure(info *jetstream.StreamInfo) bool {
	cluster := info.Cluster
	if cluster == nil || len(cluster.Replicas) == 0 {
		return false // it is the only one
	}
	heard := 1 // of itself
	for _, other := range cluster.Replicas {
		if other.Active > 0 && other.Active < sureAfter {
			heard++
		}
	}
	elected := cluster.LeaderSince != nil && info.TimeStamp.Sub(*cluster.LeaderSince) < sureAfter
	return cluster.Leader == "" || elected || 2*heard <= len(cluster.Replicas)+1
}
