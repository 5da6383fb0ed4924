package eventlog_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Whatever is started is stopped: servers, connections, subscriptions.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}
