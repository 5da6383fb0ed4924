package eventlog_test

import (
	"testing"

	"go.uber.org/goleak"
)

// multiplier is the part of Watermill's suite that reads from many subscribers.
const multiplier = "github.com/ThreeDotsLabs/watermill/internal/subscriber.(*multiplier).Subscribe"

// Whatever is started is stopped: servers, connections, subscriptions. Only
// Watermill's suite leaves something behind, goroutines of its own that wait to
// hand on messages for which its tests have no more use.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction(multiplier+".func2"),
		goleak.IgnoreAnyFunction(multiplier+".func3"))
}
