package eventlog_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Whatever is started is stopped: servers, connections, subscriptions. Only
// Watermill's suite leaves something behind, goroutines of its own that wait to
// hand on messages that its tests have no more use for.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction(
		"github.com/ThreeDotsLabs/watermill/internal/subscriber.(*multiplier).Subscribe.func2"))
}
